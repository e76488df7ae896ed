"""A pattern in the database means what fnmatch means, on each database."""

import fnmatch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.models import Task
from monitoring.queries.patterns import is_pattern
from tests.factories import make_task

NAMES = ["", "a", "A", "ab", "a.b", "a%b", "a_b", "a\\b", "zé", "[a]", "a]b", "!a", "a-b", "^$|(", "a*b", "a?b", "a\nb",
         "b-", "[", "]", "payments.tasks.capture"]  # fmt: skip
PATTERNS = ["*", "a*", "?", "[ab]*", "[!a]*", "[a-z]*", "[]a]*", "[!]a]*", "[]", "[!]", "[a", "a[*]b", "payments.*",
            "*%*", "*_*", "*\\*", "[\\]*", "[^a]*", "[z-a]*", "[!z-a]*", "a\n*", "[a-]*", "[-a]*",
            "A*", ""]  # fmt: skip
RANDOM = st.text(alphabet="aAb.%_\\^$|é[]!*?\n", max_size=6)


def test_what_counts_as_a_pattern() -> None:
    assert is_pattern("payments.*")
    assert not is_pattern("payments.tasks.capture")


def make_named_tasks(using: str) -> None:
    for name in NAMES:
        make_task(using=using, name=name)


def found(using: str, pattern: str) -> set[str | None]:
    return set(Task.objects.using(using).filter(name__matches=pattern).values_list("name", flat=True))


def meant(pattern: str) -> set[str]:
    return {name for name in NAMES if fnmatch.fnmatchcase(name, pattern)}


@pytest.mark.parametrize(
    "using",
    [
        pytest.param("default", marks=pytest.mark.django_db(databases=["default"]), id="sqlite"),
        pytest.param("postgresql", marks=pytest.mark.django_db(databases=["postgresql"]), id="postgresql"),
    ],
)
class TestMatches:
    @pytest.mark.parametrize("pattern", PATTERNS)
    def test_as_fnmatch(self, using: str, pattern: str) -> None:
        make_named_tasks(using)
        assert found(using, pattern) == meant(pattern)

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(patterns=st.lists(RANDOM, min_size=10, max_size=10))
    def test_any_pattern_as_fnmatch(self, using: str, patterns: list[str]) -> None:
        if not Task.objects.using(using).exists():
            make_named_tasks(using)
        for pattern in patterns:
            assert found(using, pattern) == meant(pattern), pattern

    def test_an_unknown_name_matches_nothing(self, using: str) -> None:
        make_task(using=using, name=None)
        assert found(using, "*") == set()
