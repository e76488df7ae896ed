"""THE table: each verb has a permission that exists, texts, a form, and reasons for what it cannot do."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.backends.base import DisabledBackend
from celery.contrib.abortable import AbortableTask
from django.contrib.auth.models import Permission
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from monitoring.control.broadcast import Answer, Said
from monitoring.control.connecting import ControlUnavailable
from monitoring.control.contract import MODELS, POOLS, Outcome, Verb
from monitoring.control.parameters import InvalidParameters
from monitoring.control.task_verbs import abort
from monitoring.control.task_verbs.task_names import names
from monitoring.control.verbs import VERBS
from monitoring.control.worker_verbs import presence
from monitoring.models import Worker, WorkerSnapshot
from monitoring.queries.visibility import Visibility
from project.celery import app
from tests.factories import make_failure_group, make_queue, make_task, make_worker
from tests.services.watched_app import app as without_backend

pytestmark = pytest.mark.django_db

EVERYTHING = Visibility.everything()
HOST = "celery@web-1"
#: Parameters that fit, of verbs that need some.
FIT: dict[str, dict[str, Any]] = {
    "pool_grow": {"n": 2},
    "pool_shrink": {"n": 2},
    "autoscale": {"min": 2, "max": 8},
    "add_consumer": {"queue": "media"},
    "cancel_consumer": {"queue": "media"},
    "rate_limit": {"task_name": "shop.pay", "rate_limit": "10/m"},
    "time_limit": {"task_name": "shop.pay", "soft": 1.5, "hard": 3},
    "terminate": {"signal": "SIGKILL"},
    "purge": {"name": "default"},
    "failure_mute": {"until": (timezone.now() + timedelta(days=2)).isoformat()},
    "failure_note": {"note": "The gateway was down"},
    "revoke_by_stamped_headers": {"signal": "SIGTERM", "terminate": True},
    "rerun": {"args": [], "kwargs": {"a": None}, "queue": "media", "rate": 2.5, "source": "worker"},
    "revoke_id": {"signal": "SIGTERM", "terminate": True},
    "send_task": {
        "args": [1],
        "priority": 3,
        "time_limit": 30,
        "retry_policy": {"max_retries": 3},
        "ignore_result": False,
    },
    "apply": {"args": [1, "x"], "kwargs": {"a": None}, "countdown": 5, "expires": 60.5, "priority": 3},
}
TARGETS = {
    "task": ["task-1"],
    "worker": [HOST],
    "failure": ["f" * 16],
    "queue": ["default"],
    "message": ["task-1"],
    "stamp": ["tenant=acme"],
    "schedule": ["nightly"],
    "task_id": ["never-seen"],
    "task_name": ["tasksdemo.tasks.echo"],
}


def every_verb() -> list[Any]:
    return [pytest.param(verb, id=verb.name) for verb in VERBS.values()]


def targets_of(verb: Verb) -> list[Any]:
    make_task("task-1", state="FAILURE" if verb.name == "delete" else "STARTED", worker=HOST)
    make_worker(HOST, pool="prefork", concurrency=4, queues=["default"])
    if verb.target_kind == "failure":
        make_failure_group()
    every = IntervalSchedule.objects.create(every=60, period="seconds")
    PeriodicTask.objects.create(
        name="nightly", task="shop.export", interval=every, enabled=verb.name != "schedule_enable"
    )
    if verb.target_kind == "queue":
        make_queue(ready=3)
    ids = TARGETS[verb.target_kind]
    if verb.target_kind == "task_name":
        ids = names(EVERYTHING)[:1]
    found = verb.find(ids, EVERYTHING)
    return [found[key] for key in ids]


def why_not(name: str, **worker: Any) -> str:
    make_worker(HOST, **{"pool": "prefork", "concurrency": 4, **worker})
    return VERBS[name].why_not(VERBS[name].find([HOST], EVERYTHING)[HOST])


def answer(kind: str, content: Any, hostname: str = HOST, age: float = 0) -> None:
    now = timezone.now() - timedelta(seconds=age)
    WorkerSnapshot.objects.create(
        hostname=hostname, kind=kind, content=content, asked_at=now, answered_at=now
    )


def errors(name: str, visibility: Visibility = EVERYTHING, **parameters: Any) -> set[str]:
    with pytest.raises(InvalidParameters) as raised:
        VERBS[name].read(parameters, visibility)
    return set(raised.value.errors)


@pytest.mark.parametrize("verb", every_verb())
def test_its_permission_exists(verb: Verb) -> None:
    app_label, _dot, codename = verb.permission.partition(".")
    assert Permission.objects.filter(content_type__app_label=app_label, codename=codename).exists()


@pytest.mark.parametrize("verb", every_verb())
def test_it_says_what_it_does_before_and_after(verb: Verb) -> None:
    for count in (1, 2, 12_000):
        texts = (
            verb.question(count),
            verb.button(count),
            verb.label,
            verb.consequence,
            verb.happens,
            verb.did,
        )
        assert all(str(text) and "%(" not in str(text) for text in (*texts, verb.safe_button))
        assert verb.question(count).endswith("?")
    assert "12,000" in verb.question(12_000) or verb.name in ("add_consumer", "cancel_consumer")


@pytest.mark.parametrize("verb", every_verb())
def test_its_confirmation_names_the_target_and_the_parameters(verb: Verb) -> None:
    targets = targets_of(verb)
    parameters = verb.read(FIT.get(verb.name, {}), EVERYTHING)
    asked = verb.confirmation(targets, parameters, EVERYTHING)
    texts = (asked.question, asked.consequence, asked.button, asked.safe_button, verb.told(parameters))
    assert all(text and "%(" not in text for text in texts)
    assert asked.question.endswith("?")
    if verb.target_kind == "worker":
        assert HOST in asked.question
    assert all(label and words for label, words in asked.facts)


@pytest.mark.parametrize("verb", every_verb())
def test_its_confirmation_has_no_empty_place_before_the_form_is_filled_in(verb: Verb) -> None:
    asked = verb.confirmation(targets_of(verb), {}, EVERYTHING)
    for text in (asked.question, asked.button):
        assert "  " not in text
        assert not text.endswith((" ", " ?"))


@pytest.mark.parametrize("verb", every_verb())
def test_parameters_that_were_read_can_be_read_again(verb: Verb) -> None:
    parameters = verb.read(FIT.get(verb.name, {}), EVERYTHING)
    assert verb.read(parameters, EVERYTHING) == parameters
    assert {**parameters, **FIT.get(verb.name, {})} == parameters


@pytest.mark.parametrize("verb", every_verb())
def test_every_field_has_a_label(verb: Verb) -> None:
    form = verb.form_for(targets_of(verb), EVERYTHING)
    assert all(str(field.label) for field in form.fields.values())
    assert set(form.suggestions()) <= set(form.fields)


@pytest.mark.parametrize("verb", every_verb())
def test_a_target_that_is_not_there_is_not_found(verb: Verb) -> None:
    found = verb.find(["nobody", "with\0nul", "a/b", "x" * 300], EVERYTHING)
    # These are for what nobody knows; but it has to be an id or a name.
    assert set(found) == ({"nobody", "a/b"} if verb.name in ("revoke_id", "send_task") else set())


def test_the_documentation_lists_every_verb() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "control.md").read_text()
    for verb in VERBS.values():
        row = next((line for line in documented.splitlines() if line.startswith(f"| `{verb.name}` ")), "")
        assert verb.permission.removeprefix("monitoring.") in row, verb.name


def test_kinds_are_models_or_texts() -> None:
    assert {verb.target_kind for verb in VERBS.values()} == set(TARGETS)
    assert set(MODELS) <= set(TARGETS)
    assert all(verb.pools is None or verb.pools <= set(POOLS) for verb in VERBS.values())


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("verb", every_verb())
def test_a_pool_that_cannot_is_left_out_with_the_reason(verb: Verb, pool: str) -> None:
    if verb.pools is None:
        return
    words = (
        why_not(verb.name, pool=pool)
        if verb.target_kind == "worker"
        else verb.why_not(_running_in(verb, pool))
    )
    if pool in verb.pools:
        assert words == ""
    else:
        assert pool in words


def _running_in(verb: Verb, pool: str) -> Any:
    make_worker(HOST, pool=pool)
    make_task("task-1", state="STARTED", worker=HOST)
    return verb.find(["task-1"], EVERYTHING)["task-1"]


@pytest.mark.parametrize("verb", every_verb())
def test_a_worker_whose_pool_is_not_known_is_asked(verb: Verb) -> None:
    if verb.target_kind == "worker":
        assert why_not(verb.name, pool=None) == ""


@pytest.mark.parametrize("verb", every_verb())
def test_only_a_ping_goes_to_a_worker_that_is_offline(verb: Verb) -> None:
    if verb.target_kind == "worker":
        assert ("offline" in why_not(verb.name, online=False)) is (verb.name not in ("ping", "refresh"))


@pytest.mark.parametrize(
    ("queues", "allowed"), [(["mail"], True), (["mail", "bank"], False), ([], True), (None, False)]
)
def test_a_user_limited_to_queues_changes_no_worker_that_others_have_use_of(
    queues: list[str] | None, allowed: bool
) -> None:
    make_worker(HOST, queues=queues)
    for visibility, may in (
        (Visibility(queues=("mail",)), allowed),
        (Visibility(names=("shop.*",)), True),
        (EVERYTHING, True),
    ):
        target = VERBS["shutdown"].find([HOST], visibility)[HOST]
        assert (VERBS["shutdown"].why_not(target) == "") is may
        assert VERBS["ping"].why_not(target) == ""


def test_a_user_limited_to_queues_binds_theirs_to_nothing_else() -> None:
    mail = Visibility(queues=("mail",))
    assert errors("add_consumer", mail, queue="mail", exchange="bank") == {"exchange"}
    assert errors("add_consumer", mail, queue="mail", routing_key="#") == {"routing_key"}
    names = {"queue": "mail", "exchange": "mail", "routing_key": "mail"}
    assert VERBS["add_consumer"].read(names, mail) == names
    bound = {"queue": "mail", "exchange": "bank", "routing_key": "#"}
    assert VERBS["add_consumer"].read(bound, EVERYTHING) == bound


def test_with_autoscale_a_pool_is_not_grown_by_hand() -> None:
    answer("stats", {"pool": {}, "autoscaler": {"max": 4, "min": 2}})
    assert "--autoscale" in why_not("pool_grow")
    Worker.objects.all().delete()
    assert why_not("autoscale") == ""


def test_without_autoscale_nothing_scales() -> None:
    answer("stats", {"pool": {}})
    assert "--autoscale" in why_not("autoscale")


def test_what_a_worker_said_before_it_was_started_again_counts_no_more() -> None:
    answer("stats", {"pool": {}, "autoscaler": {"max": 4, "min": 2}}, age=100)
    assert why_not("pool_grow", started_at=timezone.now()) == ""


def test_pools_are_restarted_only_where_the_worker_allows_it() -> None:
    answer("conf", {"worker_pool_restarts": False})
    assert "worker_pool_restarts" in why_not("pool_restart")
    WorkerSnapshot.objects.update(content={"worker_pool_restarts": True})
    Worker.objects.all().delete()
    assert why_not("pool_restart") == ""


@pytest.mark.parametrize(
    ("state", "revoke", "terminate"),
    [
        ("PENDING", True, True),
        ("RECEIVED", True, True),
        ("RETRY", True, True),
        ("STARTED", False, True),
        ("SUCCESS", False, False),
        ("FAILURE", False, False),
        ("REVOKED", False, False),
        ("REJECTED", False, False),
        ("LOST", False, False),
    ],
)
def test_states_of_tasks_that_can_be_revoked(state: str, revoke: bool, terminate: bool) -> None:
    make_task("task-1", state=state)
    for name, can in (("revoke", revoke), ("terminate", terminate)):
        target = VERBS[name].find(["task-1"], EVERYTHING)["task-1"]
        assert (VERBS[name].why_not(target) == "") is can


def test_a_user_of_limited_visibility_has_no_other_tasks_and_no_stamps() -> None:
    make_task("task-1", name="bank.pay", state="PENDING")
    shop = Visibility(names=("shop.*",))
    assert VERBS["revoke"].find(["task-1"], shop) == {}
    assert VERBS["revoke_by_stamped_headers"].find(["tenant=acme"], shop) == {}
    assert errors("rate_limit", shop, task_name="bank.pay", rate_limit="1/s") == {"task_name"}
    own = Visibility(queues=("shop",))
    assert errors("add_consumer", own, queue="bank") == {"queue"}
    assert errors("apply", own) == {"queue"}
    assert VERBS["apply"].read({"queue": "shop"}, own) == {"queue": "shop"}


@pytest.mark.parametrize("stamp", ["", "tenant", "=acme", "tenant="])
def test_a_stamp_is_a_header_and_its_value(stamp: str) -> None:
    assert VERBS["revoke_by_stamped_headers"].find([stamp], EVERYTHING) == {}


@pytest.mark.parametrize("rate", ["0", "10", "10/s", "100/m", "1.5/h", "5 / m"])
def test_rates_as_celery_reads_them(rate: str) -> None:
    assert VERBS["rate_limit"].read({"task_name": "t", "rate_limit": rate}, EVERYTHING)


@pytest.mark.parametrize("rate", ["", "fast", "10/x", "-1/s", "10/s/s", "1e400"])
def test_a_rate_that_is_none(rate: str) -> None:
    assert errors("rate_limit", task_name="t", rate_limit=rate) == {"rate_limit"}


@pytest.mark.parametrize(
    ("name", "parameters", "wrong"),
    [
        ("pool_grow", {"n": 0}, {"n"}),
        ("pool_grow", {"n": 10_000}, {"n"}),
        ("pool_grow", {}, {"n"}),
        ("autoscale", {"min": 5, "max": 4}, {"__all__"}),
        ("time_limit", {"task_name": "t", "soft": 3, "hard": 2}, {"__all__"}),
        ("time_limit", {"task_name": "t", "soft": -1}, {"soft"}),
        ("time_limit", {"task_name": "t", "soft": float("nan")}, {"soft"}),
        ("add_consumer", {"queue": "x" * 256}, {"queue"}),
        ("add_consumer", {"queue": "q", "exchange_type": "headers<script>"}, {"exchange_type"}),
        ("terminate", {"signal": "SIGSTOP"}, {"signal"}),
        ("apply", {"args": {"a": 1}}, {"args"}),
        ("apply", {"args": "[1"}, {"args"}),
        ("apply", {"kwargs": [1]}, {"kwargs"}),
        ("apply", {"countdown": 1, "eta": "2030-01-01T00:00:00Z"}, {"__all__"}),
        ("apply", {"task_id": "chosen"}, {"task_id"}),
    ],
)
def test_parameters_that_do_not_fit(name: str, parameters: dict[str, Any], wrong: set[str]) -> None:
    assert errors(name, **parameters) == wrong


@pytest.mark.parametrize("name", ["apply", "send_task", "rerun"])
@pytest.mark.parametrize("depth", [201, 900, 100_000])
def test_arguments_deeper_than_every_worker_reads_do_not_fit(name: str, depth: int) -> None:
    text = "[" * depth + "]" * depth
    assert errors(name, args=text) == {"args"}
    assert errors(name, kwargs=f'{{"in": {text}}}') == {"kwargs"}
    if depth < 1_000:
        deep: list[Any] = []
        for _ in range(depth - 1):
            deep = [deep]
        assert errors(name, args=deep) == {"args"}


def test_a_worker_that_alone_consumes_a_queue_is_shut_down_after_a_tick() -> None:
    make_worker(HOST, queues=["default", "thumbnails"], active=8)
    make_worker("celery@web-2", queues=["default"])
    verb = VERBS["shutdown"]
    asked = verb.confirmation([verb.find([HOST], EVERYTHING)[HOST]], {}, EVERYTHING)
    assert asked.tick == "I know that nothing else consumes thumbnails"
    assert ("8 running", "are finished first, however long they take") in asked.facts
    limited = verb.confirmation([verb.find([HOST], EVERYTHING)[HOST]], {}, Visibility(queues=("default",)))
    assert limited.tick == ""
    assert not any("8" in label or "thumbnails" in words for label, words in limited.facts)


def test_only_tasks_that_are_registered_and_that_the_settings_allow_can_be_started(settings: Any) -> None:
    answer("registered", ["shop.pay [rate_limit=10/m]", "shop.mail", "celery.ping", 7, None], "celery@gone")
    verb = VERBS["apply"]
    found = verb.find(["shop.pay", "shop.none", "celery.ping"], EVERYTHING)
    assert list(found) == ["shop.pay"]
    assert verb.why_not(found["shop.pay"]) == ""
    settings.MONITORING = {**settings.MONITORING, "RUN_TASKS": ("shop.m*",)}
    assert "RUN_TASKS" in verb.why_not(found["shop.pay"])
    assert verb.why_not(verb.find(["shop.mail"], EVERYTHING)["shop.mail"]) == ""


def test_arguments_are_judged_by_the_tasks_own_signature_where_its_code_is_here() -> None:
    @app.task(name="tests.judged", shared=False)
    def judged(x: int, *, y: int = 0) -> None:
        """Takes x."""

    try:
        verb = VERBS["apply"]
        target = verb.find(["tests.judged"], EVERYTHING)["tests.judged"]
        assert verb.why_not_so(target, {"args": [1], "kwargs": {"y": 2}}) == ""
        assert verb.why_not_so(target, {}) != ""
        assert verb.why_not_so(target, {"args": [1, 2, 3]}) != ""
    finally:
        app.tasks.unregister("tests.judged")


def test_nothing_can_be_aborted_without_a_backend_that_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abort, "watched_app", lambda: without_backend)
    assert isinstance(without_backend.backend, DisabledBackend)
    make_task("task-1", state="STARTED")
    target = VERBS["abort"].find(["task-1"], EVERYTHING)["task-1"]
    assert "result backend" in VERBS["abort"].why_not(target)


@pytest.mark.parametrize("away", ["breaks", "hangs"])
@pytest.mark.parametrize("at", ["get_state", "store_result"])
def test_tasks_that_were_aborted_before_the_backend_went_are_told(
    monkeypatch: pytest.MonkeyPatch, settings: Any, away: str, at: str
) -> None:
    settings.MONITORING = {**settings.MONITORING, "CONTROL_TIMEOUT": 1.0}
    stored: list[str] = []
    released = threading.Event()

    def go(step: str, task_id: str) -> None:
        if step == at and task_id in ("b", "only"):
            if away == "breaks":
                raise OSError("away")
            released.wait(60)

    class Backend:
        def get_state(self, task_id: str) -> str:
            go("get_state", task_id)
            return "PENDING"

        def store_result(self, task_id: str, **result: Any) -> None:
            go("store_result", task_id)
            stored.append(task_id)

    task = AbortableTask()
    monkeypatch.setattr(
        abort, "watched_app", lambda: SimpleNamespace(backend=Backend(), tasks={"shop.stop": task})
    )
    for task_id in ("a", "b", "c", "only"):
        make_task(task_id, state="STARTED", name="shop.stop")
    results = VERBS["abort"].act(["a", "b", "c"], EVERYTHING, {})
    unknown = Outcome.FAILED if at == "get_state" else Outcome.UNCONFIRMED
    assert [results[key].outcome for key in "abc"] == [Outcome.DONE, unknown, Outcome.FAILED]
    assert all("cannot be reached" in results[key].words for key in "bc")
    if at == "get_state":
        with pytest.raises(ControlUnavailable):
            VERBS["abort"].act(["only"], EVERYTHING, {})
    released.set()
    for thread in threading.enumerate():
        if thread.name == "monitoring-backend":
            thread.join()
    assert stored == (["a", "b"] if (away, at) == ("hangs", "store_result") else ["a"])


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({"pid": 8, "uptime": 500}, "started again"),
        ({"pid": 7, "uptime": 0}, "started again"),
        ({"pid": 7, "uptime": 500}, ""),
        (None, "no longer answers"),
    ],
)
def test_a_worker_that_its_process_manager_started_again_at_once_is_told_from_one_that_stayed(
    monkeypatch: pytest.MonkeyPatch, now: dict[str, int] | None, words: str
) -> None:
    make_worker(HOST)
    said = [{"pid": 7, "uptime": 500}, now, now, now, now, now, now, now, now, now]

    def ask(*arguments: Any, **options: Any) -> dict[str, dict[str, Answer]]:
        stats = said.pop(0) if len(said) > 1 else said[0]
        return {"stats": {HOST: Answer(Said.ACKNOWLEDGED, stats) if stats else Answer(Said.NOTHING)}}

    monkeypatch.setattr(presence, "ask", ask)
    monkeypatch.setattr(presence, "send", lambda *arguments, **options: None)
    verb = VERBS["shutdown"]
    sent = verb.act([HOST], EVERYTHING, {})
    assert sent[HOST].outcome is Outcome.UNCONFIRMED
    assert verb.observe is not None
    patience = 60 if words else 0.5
    result = verb.observe(sent, EVERYTHING, {}, time.monotonic() + patience)[HOST]
    assert result.observed is bool(words)
    assert result.outcome is (Outcome.DONE if words else Outcome.UNCONFIRMED)
    assert words in result.words
