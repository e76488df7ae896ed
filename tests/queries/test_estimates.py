"""How many rows there are, without counting millions."""

from __future__ import annotations

import pytest
from django.db import connections

from monitoring.models import Task
from monitoring.queries import estimates
from monitoring.queries.estimates import Estimate, estimate
from tests.factories import make_task


@pytest.mark.usefixtures("watched")
def test_few_rows_are_counted(using: str) -> None:
    for number in range(5):
        make_task(using=using, state="RETRY" if number else "LOST")
    assert estimate(Task.objects.using(using)) == Estimate(5)
    assert estimate(Task.objects.using(using).filter(state="RETRY").order_by("-first_seen")) == Estimate(4)
    assert estimate(Task.objects.using(using).none()) == Estimate(0)


@pytest.mark.usefixtures("watched")
def test_many_rows_are_estimated_and_say_so(using: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "EXACT", 10)
    for number in range(30):
        make_task(using=using, state="RETRY" if number % 2 else "LOST")
    with connections[using].cursor() as cursor:
        cursor.execute("ANALYZE monitoring_task")
    for queryset, number in (
        (Task.objects.using(using), 30),
        (Task.objects.using(using).filter(state="LOST"), 15),
    ):
        if using == "postgresql":
            assert estimate(queryset) == Estimate(number, exact=False)
        else:
            assert estimate(queryset) == Estimate(10, exact=False, at_least=True)
