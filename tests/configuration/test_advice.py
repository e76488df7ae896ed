"""What is known to hurt is said, with what was seen of it; what does not hurt is not."""

from __future__ import annotations

import celery
import pytest
from django.core import checks

from monitoring.checks import check_celery
from monitoring.configuration.advice import RULES, Evidence, Weight, advise, transport_of
from monitoring.configuration.reading import app_settings
from monitoring.ingest.redaction import Redactor
from tests.configuration.test_masking import PLANTED, SECRET

#: Settings of which nobody says anything.
GOOD = {
    "accept_content": ["json"],
    "broker_url": "redis://cache/0",
    "broker_transport_options": {},
    "result_backend": "redis://cache/1",
    "result_expires": 3_600,
    "task_acks_late": False,
    "task_always_eager": False,
    "task_send_sent_event": True,
    "task_time_limit": 600,
    "task_soft_time_limit": None,
    "worker_prefetch_multiplier": 4,
    "worker_send_task_events": True,
}


def rules(evidence: Evidence | None = None, hostname: str = "", **changes: object) -> list[str]:
    return [advice.rule.name for advice in advise(GOOD | changes, evidence, hostname)]


def test_good_settings_need_no_advice():
    assert rules() == []
    assert advise({}) == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"accept_content": ["json", "pickle"]}, "pickle"),
        ({"accept_content": ["application/x-python-serialize"]}, "pickle"),
        ({"task_always_eager": True}, "always-eager"),
        ({"task_send_sent_event": False}, "no-sent-event"),
        ({"worker_send_task_events": False}, "no-events"),
        ({"result_expires": None}, "no-expiry"),
        ({"result_expires": 0}, "no-expiry"),
        ({"task_time_limit": None}, "no-time-limit"),
    ],
)
def test_a_setting_that_hurts_is_named(changes, rule):
    assert rules(**changes) == [rule]


def test_without_a_result_backend_nothing_has_to_expire():
    assert rules(result_expires=None, result_backend=None) == []
    assert rules(result_expires=None, task_ignore_result=True) == []


@pytest.mark.parametrize(
    ("changes", "is_said"),
    [
        ({"task_time_limit": 600}, False),
        ({"task_time_limit": 7_200}, True),
        ({"task_time_limit": None}, True),
        ({"task_time_limit": None, "broker_transport_options": {"visibility_timeout": 9_000}}, False),
        ({"task_time_limit": 9_999, "broker_transport_options": {"visibility_timeout": 9_000}}, True),
        ({"task_time_limit": 1_700, "broker_url": "amqp://mq//"}, False),
        ({"task_time_limit": 1_900, "broker_url": "amqp://mq//"}, True),
        ({"task_time_limit": None, "broker_url": "filesystem://"}, False),
    ],
)
def test_late_acknowledgement_is_judged_by_what_the_broker_waits_for(changes, is_said):
    late = {"task_acks_late": True, "task_reject_on_worker_lost": True, "worker_prefetch_multiplier": 1}
    assert ("acks-late" in rules(**late, **changes)) is is_said


def test_evidence_says_whether_it_has_happened():
    late = GOOD | {"task_acks_late": True, "task_time_limit": None, "broker_url": "amqp://mq//"}
    (short,) = [a for a in advise(late, Evidence(372.0, "shop.export")) if a.rule.name == "acks-late"]
    assert "6\u00a0min\u00a012\u00a0s" in short.found.evidence
    assert "has not happened" in short.found.evidence
    (long,) = [a for a in advise(late, Evidence(4_000.0, "shop.export")) if a.rule.name == "acks-late"]
    assert "long enough" in long.found.evidence


def test_a_lost_process_weighs_more_where_one_was_lost():
    late = {"task_acks_late": True, "worker_prefetch_multiplier": 1}
    (habit,) = advise(GOOD | late, Evidence())
    (loss,) = advise(GOOD | late, Evidence(lost_processes=4))
    assert (habit.weight, loss.weight) == (Weight.HABIT, Weight.LOSS)
    assert loss.found.evidence.startswith("4 × WorkerLostError")


def test_prefetching_hurts_where_tasks_are_long_or_acknowledged_late():
    assert rules(Evidence(59.0, "a")) == []
    assert rules(Evidence(61.0, "a")) == ["prefetch"]
    assert rules(Evidence(61.0, "a"), worker_prefetch_multiplier=1) == []
    assert "prefetch" in rules(task_acks_late=True)


def test_a_worker_whose_tasks_are_seen_was_started_with_events():
    silent = {"worker_send_task_events": False}
    assert rules(Evidence(sending=frozenset({"celery@a"})), "celery@a", **silent) == []
    assert rules(Evidence(sending=frozenset({"celery@a"})), "celery@b", **silent) == ["no-events"]


@pytest.mark.parametrize(
    ("url", "transport"),
    [
        ("rediss://a/0", "redis"),
        (["pyamqp://a", "x"], "amqp"),
        ("sqs://[redacted]@", "sqs"),
        (None, ""),
        (7, ""),
    ],
)
def test_the_transport_is_that_of_the_first_address(url, transport):
    assert transport_of({"broker_url": url}) == transport


def test_rules_are_named_once_and_documented():
    text = (__import__("pathlib").Path(__file__).parents[2] / "docs/configuration.md").read_text()
    assert len({rule.name for rule in RULES}) == len({rule.check for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert f"### {rule.name}\n" in text
        assert rule.check.removeprefix("monitoring.") in text


class TestChecks:
    @pytest.fixture
    def app(self, monkeypatch):
        app = celery.Celery("shop", set_as_current=False)
        monkeypatch.setattr("monitoring.checks.watched_app", lambda: app)
        return app

    def test_the_bundled_project_passes(self):
        assert list(check_celery(None)) == []

    def test_pickle_is_warned_of(self, app):
        app.conf.update(GOOD | {"accept_content": ["pickle"]})
        (found,) = check_celery(None)
        assert found == checks.Warning(
            "accept_content: Pickle is accepted. Whoever can write to the broker can run code on the workers.",
            hint="Set accept_content = ['json'], and task_serializer with it. See docs/configuration.md#pickle.",
            id="monitoring.W020",
        )

    def test_what_may_be_set_elsewhere_is_only_a_hint(self, app):
        app.conf.update(GOOD | {"worker_send_task_events": False, "task_time_limit": None})
        assert {(m.id, m.level) for m in check_celery(None)} == {
            ("monitoring.I023", checks.INFO), ("monitoring.I028", checks.INFO),
        }  # fmt: skip

    def test_no_secret_is_in_what_checks_say(self, app):
        app.conf.update(
            PLANTED | {"accept_content": ["pickle"], "task_acks_late": True, "result_expires": None}
        )
        found = list(check_celery(None))
        assert len(found) > 3
        assert SECRET not in repr(found)
        assert SECRET not in "".join(str(advice) for advice in advise(app_settings(app, Redactor())))

    def test_an_app_that_cannot_be_read_is_warned_of(self, app):
        app.config_from_object("no_such_module_at_all")
        assert [message.id for message in check_celery(None)] == ["monitoring.W029"]

    def test_celerys_own_app_is_nobodys(self, monkeypatch):
        monkeypatch.setattr(
            "monitoring.checks.watched_app", lambda: celery.Celery("default", set_as_current=False)
        )
        assert check_celery(None) == []
