"""The app's settings and those of each worker, side by side."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import celery
import pytest
from django.utils import timezone

from monitoring.configuration.advice import Weight
from monitoring.ingest.redaction_settings import configured_redactor
from monitoring.inspection.intake import take
from monitoring.models import Problem, WorkerSnapshot
from monitoring.queries.configuration import Configuration, SettingState, configuration
from monitoring.queries.visibility import Visibility
from tests.factories import make_task, make_worker
from tests.queries.worker_parts.answers import SECRET, answers

EVERYTHING = Visibility.everything()


@pytest.fixture(autouse=True)
def _app(monkeypatch: pytest.MonkeyPatch) -> None:
    app = celery.Celery("shop", set_as_current=False)
    app.conf.update(
        task_acks_late=True,
        broker_url=f"amqp://guest:{SECRET}@mq//",
        task_send_sent_event=True,
        shop_word=SECRET,
    )
    monkeypatch.setattr("monitoring.queries.configuration.watched_app", lambda: app)


def says(hostname: str, using: str, online: bool = True, **changes: Any) -> None:
    """A worker that answered ``conf`` an hour ago, with what a real one said and some `changes`."""
    conf = answers("prefork")["conf"] | changes
    make_worker(hostname, using=using, online=online)
    now = timezone.now()
    WorkerSnapshot.objects.using(using).create(
        hostname=hostname,
        kind="conf",
        content=take("conf", conf, configured_redactor()).content,
        asked_at=now,
        answered_at=now - timedelta(hours=1),
    )


def setting(found: Configuration, name: str) -> SettingState:
    return next(each for each in found.settings if each.name == name)


def test_workers_that_differ_are_told_apart(watched: str) -> None:
    says("celery@a", watched, accept_content=["json"], worker_prefetch_multiplier=4)
    says("celery@b", watched, accept_content=["json"], worker_prefetch_multiplier=4)
    says("celery@c", watched, accept_content=["json", "pickle"], worker_prefetch_multiplier=4)
    found = configuration(EVERYTHING)
    state = setting(found, "accept_content")
    assert state.differs
    assert [(value.value, value.hostnames, value.of_app) for value in state.values] == [
        (["json"], ("celery@a", "celery@b"), True),
        (["json", "pickle"], ("celery@c",), False),
    ]
    assert not setting(found, "worker_prefetch_multiplier").differs
    pickle = next(advice for advice in found.advice if advice.rule == "pickle")
    assert (pickle.hostnames, pickle.of_app, pickle.weight) == (("celery@c",), False, Weight.DANGER)
    assert state.advice == ("pickle",)


def test_what_is_changed_is_told_with_its_default(watched: str) -> None:
    says("celery@a", watched)
    state = setting(configuration(EVERYTHING), "task_acks_late")
    assert state.is_changed
    assert (state.has_default, state.default) == (True, False)
    assert not setting(configuration(EVERYTHING), "task_store_errors_even_if_ignored").is_changed


def test_secrets_are_hidden_and_never_called_equal_or_different(watched: str) -> None:
    says("celery@a", watched, redis_password="one")
    says("celery@b", watched, redis_password="other", shop_word="another")
    found = configuration(EVERYTHING)
    assert SECRET not in repr(found)
    assert "another" not in repr(found)
    state = setting(found, "redis_password")
    assert state.is_masked
    assert not state.differs
    assert not any(value.is_default for value in state.values if value.hostnames)
    word = setting(found, "shop_word")
    assert word.group == "other"
    assert [value.value for value in word.values] == ["[redacted]"]
    assert not word.is_changed


def test_an_answer_stored_by_older_rules_is_masked_as_it_is_read(watched: str) -> None:
    make_worker("celery@a", using=watched)
    WorkerSnapshot.objects.using(watched).create(
        hostname="celery@a", kind="conf", content={"shop_word": SECRET, "SECRET_KEY": SECRET},
        asked_at=timezone.now(), answered_at=timezone.now(),
    )  # fmt: skip
    assert SECRET not in repr(configuration(EVERYTHING))


def test_workers_that_never_answered_are_named(watched: str) -> None:
    make_worker("celery@new", using=watched)
    make_worker("celery@mute", using=watched, online=False)
    WorkerSnapshot.objects.using(watched).create(
        hostname="celery@mute", kind="conf", asked_at=timezone.now(), problem=Problem.SILENT
    )
    by_name = {worker.hostname: worker for worker in configuration(EVERYTHING).workers}
    assert by_name["celery@new"].answered_at is None
    assert by_name["celery@mute"].problem == "did not answer in time"
    assert not by_name["celery@mute"].online


def test_advice_has_what_was_seen(watched: str) -> None:
    says("celery@a", watched, task_acks_late=True, worker_send_task_events=False, task_time_limit=None)
    says("celery@b", watched, task_acks_late=True, worker_send_task_events=False, task_time_limit=None)
    make_task(using=watched, worker="celery@a", runtime=372.0, name="shop.export")
    for _number in range(3):
        make_task(using=watched, state="FAILURE", runtime=None, exception_type="WorkerLostError", worker=None)
    by_rule = {advice.rule: advice for advice in configuration(EVERYTHING).advice}
    assert by_rule["lost-process"].evidence.startswith("3 ×")
    assert "shop.export" in by_rule["acks-late"].evidence
    assert by_rule["no-events"].hostnames == ("celery@b",), "tasks of the other one were seen"


def test_without_workers_the_app_is_judged(watched: str) -> None:
    found = configuration(EVERYTHING)
    assert all(value.of_app for state in found.settings for value in state.values)
    assert {"no-events", "no-time-limit"} <= {advice.rule for advice in found.advice}
    assert all(advice.of_app for advice in found.advice)


def test_an_app_that_cannot_be_read_says_so(watched: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = celery.Celery("broken", set_as_current=False)
    app.config_from_object("no_such_module_at_all")
    monkeypatch.setattr("monitoring.queries.configuration.watched_app", lambda: app)
    says("celery@a", watched)
    found = configuration(EVERYTHING)
    assert found.app_problem in ("ModuleNotFoundError", "ImportError")
    assert setting(found, "task_routes").values[0].hostnames == ("celery@a",)


def test_a_limited_user_sees_nothing_of_it(watched: str) -> None:
    says("celery@a", watched)
    found = configuration(Visibility(names=("shop.*",)))
    assert found.is_hidden
    assert (found.settings, found.advice, found.workers) == ((), (), ())
