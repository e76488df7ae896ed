"""Nothing of an answer is stored that is a secret, or too much."""

import json

import pytest
from hypothesis import given

from monitoring.ingest.redaction import MARK, UNREADABLE, Redactor
from monitoring.inspection.intake import (
    MAX_ENTRIES,
    MAX_JSON,
    MAX_SETTINGS,
    MAX_TASKS,
    OTHER_TEXT,
    SETTING_TEXT,
    TASK_TEXT,
    TooLarge,
    take,
    words,
)
from monitoring.inspection.kinds import KINDS
from monitoring.queries.worker_parts.tasks import held_tasks
from tests.queries.worker_parts.answers import POOLS, SECRET, answers, anything

REDACTOR = Redactor()


def taken(kind, value):
    return take(kind, value, REDACTOR).content


@pytest.mark.parametrize("name", POOLS)
def test_no_secret_of_a_real_worker_is_kept(name):
    recorded = answers(name)
    assert SECRET in json.dumps(recorded), "there was nothing to hide"
    for kind, value in recorded.items():
        assert SECRET not in json.dumps(taken(kind, value)), kind


def test_what_is_no_secret_is_kept_as_it_was():
    recorded = answers("prefork")
    assert taken("registered", recorded["registered"]) == recorded["registered"]
    assert taken("active_queues", recorded["active_queues"]) == recorded["active_queues"]
    assert taken("stats", recorded["stats"])["pool"] == recorded["stats"]["pool"]
    assert taken("stats", recorded["stats"])["rusage"] == recorded["stats"]["rusage"]
    kept, said = taken("conf", recorded["conf"]), recorded["conf"]
    assert set(said) - set(kept) == {"deprecated_settings"}, "which is no setting"
    assert kept["task_routes"] == said["task_routes"]
    assert kept["broker_transport_options"] == {"sentinel_kwargs": {"password": MARK}}


@pytest.mark.parametrize(
    "url",
    [
        f"amqp://guest:{SECRET}@localhost:5672//",
        f"db+postgresql://shop:{SECRET}@database/results",
        f"sentinel://:{SECRET}@a:26379;sentinel://:{SECRET}@b:26379",
        f'redis://user:with space and "quotes" {SECRET}@cache/0',
        f"redis://user:with/slash?and#{SECRET}@cache/0",
    ],
)
@pytest.mark.parametrize("name", ["broker_url", "result_backend", "broker_read_url", "shop_search"])
def test_passwords_in_urls_of_settings_are_not_kept(name, url):
    for value in (url, [url, url], {"deeper": [url]}):
        assert SECRET not in json.dumps(taken("conf", {name: value}))


def test_settings_whose_names_are_secrets_are_not_kept():
    conf = {"redis_password": SECRET, "shop_api_key": {"live": SECRET}, "security_key_password": [SECRET]}
    assert set(taken("conf", conf).values()) == {MARK}


def test_report_and_stats_have_their_urls_masked():
    report = {"ok": f"settings -> x\nbroker_url: 'amqp://guest:{SECRET}@localhost//'\nshop_dsn: '{SECRET}'\n"}
    kept = taken("report", report)["ok"]
    assert SECRET not in kept
    assert "guest" in kept
    stats = {"broker": {"alternates": [f"amqp://guest:{SECRET}@b//"], "password": SECRET, "hostname": "b"}}
    assert taken("stats", stats)["broker"] == {
        "alternates": [f"amqp://guest:{MARK}@b//"],
        "password": MARK,
        "hostname": "b",
    }


def test_what_cannot_be_looked_through_is_not_kept():
    class Broken(Redactor):
        def _value(self, value, depth):
            raise ZeroDivisionError

    for kind in ("stats", "report", "active_queues", "revoked"):
        assert take(kind, {"a": SECRET}, Broken()).content == UNREADABLE
    assert take("active", [{"id": SECRET}], Broken()).content == [UNREADABLE]
    assert SECRET not in json.dumps(take("conf", {"a": SECRET}, Broken()).content)


def test_of_many_tasks_the_first_are_kept_and_all_are_counted():
    task = answers("prefork")["reserved"][0]
    found = take("reserved", [task] * (MAX_TASKS + 7), REDACTOR)
    assert (len(found.content), found.items) == (MAX_TASKS, MAX_TASKS + 7)
    ids = take("revoked", [str(n) for n in range(MAX_ENTRIES + 7)], REDACTOR)
    assert (len(ids.content), ids.items) == (MAX_ENTRIES, MAX_ENTRIES + 7)
    assert take("stats", {}, REDACTOR).items is None


@pytest.mark.parametrize("kind", ["active", "scheduled"])
def test_task_with_huge_arguments_keeps_everything_else(kind):
    task = answers("prefork")["reserved"][0] | {
        "args": ["x" * 5_000_000] * 9,
        "kwargs": {"y": "z" * 5_000_000},
    }
    said = {"eta": "2026-11-23T01:01:24+00:00", "request": task} if kind == "scheduled" else task
    content = taken(kind, [said] * 3)
    assert len(json.dumps(content)) < 3 * 20 * TASK_TEXT
    found = held_tasks(content, with_payload=True)
    assert [(t.task_id, t.name, t.queue) for t in found] == [(task["id"], "shop.sleep", "q-prefork")] * 3
    assert "cut: 5,000,000 characters" in json.dumps(found[0].args, ensure_ascii=False)


def test_huge_settings_cost_the_others_nothing():
    conf = {"task_routes": ["x" * 5_000_000] * 9, "timezone": "Europe/Vienna"}
    kept = taken("conf", conf)
    assert kept["timezone"] == "Europe/Vienna"
    assert len(json.dumps(kept)) < 20 * SETTING_TEXT
    assert len(taken("conf", {str(n): n for n in range(MAX_SETTINGS * 2)})) == MAX_SETTINGS


def test_huge_text_is_cut_and_says_so():
    kept = taken("report", {"ok": "x" * 5_000_000})["ok"]
    assert len(kept) < OTHER_TEXT + 100
    assert kept.endswith("[cut: 5,000,000 characters]")


def test_answer_that_is_too_large_after_all_is_refused():
    tasks = [{f"{n}" * 100: "x" * TASK_TEXT for n in range(50)}] * MAX_TASKS
    assert len(json.dumps(tasks)) > MAX_JSON
    with pytest.raises(TooLarge):
        taken("active", tasks)


def test_words_of_a_refusal_hide_secrets_and_are_short():
    assert words(f"KeyError(password={SECRET!r})", REDACTOR) == f"KeyError(password={MARK!r})"
    assert len(words("x" * 5_000_000, REDACTOR)) < 600


@pytest.mark.parametrize("kind", KINDS)
def test_values_that_no_database_takes_are_made_storable(kind):
    kept = json.dumps(taken(kind, {"nul\0": "\0", "nan": float("nan"), "lone": "\ud800", "deep": _deep(500)}))
    assert "\\u0000" not in kept
    assert "NaN" not in kept.replace('"NaN"', "")
    assert "\\ud800" not in kept


def _deep(levels):
    value = "end"
    for _ in range(levels):
        value = {"request": [value]}
    return value


@given(anything)
def test_an_answer_of_any_shape_can_be_kept(value):
    for kind in KINDS:
        json.dumps(taken(kind, value), allow_nan=False).encode()
