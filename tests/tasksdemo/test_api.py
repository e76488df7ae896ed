"""The demo API with a real worker behind it."""

import json
from urllib.parse import urlencode

import pytest

from tasksdemo.starts import ADDRESSES
from tasksdemo.tasks import hostile, unicode
from tests.tasksdemo.shop import Shop, wait_for


@pytest.mark.parametrize("path", ["/tasks", "/tasks/"])
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_message_posted_in_any_way_is_stored(shop, path, content_type):
    fields = {"message": "héllo & <b>bye</b>"}
    body = json.dumps(fields) if content_type == "application/json" else urlencode(fields)

    status, started = shop.post(path, body.encode(), content_type)

    assert (status, started["status"]) == (202, "PENDING")
    assert shop.outcome(started["task_id"], "SUCCESS")["result"]["message"] == "héllo & <b>bye</b>"


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        ("/tasks/slow?duration=1", b"", "application/x-www-form-urlencoded"),
        ("/tasks/slow/?duration=1", b"", "application/x-www-form-urlencoded"),
        ("/tasks/slow", b"duration=1", "application/x-www-form-urlencoded"),
        ("/tasks/slow/", b'{"duration": 1}', "application/json"),
        ("/tasks/slow?duration=600", b'{"duration": 1}', "application/json"),
    ],
)
def test_a_slow_task_takes_its_duration_from_query_form_or_json(shop, path, body, content_type):
    status, started = shop.post(path, body, content_type)
    assert status == 202

    assert shop.outcome(started["task_id"], "SUCCESS")["result"] == {
        "message": "Task completed after 1 seconds"
    }
    assert shop.events.last(started["task_id"], "task-succeeded")["runtime"] >= 1
    assert shop.events.last(started["task_id"], "task-received")["kwargs"] == "{'duration': 1}"


def test_a_slow_task_lasts_ten_seconds_unless_told_otherwise(shop):
    started = shop.start("/tasks/slow")

    assert shop.events.last(started["task_id"], "task-received")["kwargs"] == "{'duration': 10}"


def test_running_tasks_are_listed_without_their_arguments(shop):
    # A number that is in nothing else, such as the name of the host.
    duration = 30.640625
    started = shop.start("/tasks/slow", duration=duration)
    shop.events.until(started["task_id"], "task-started")
    answer = {}

    def mine():
        status, said = shop.get("/tasks/")
        assert status == 200
        answer.update(said)
        return [row for row in said["tasks"] if row["task_id"] == started["task_id"]]

    # A worker that is busy, or not scheduled, answers later than it is waited for.
    wait_for(mine, "the task among those that run")
    (row,) = [row for row in answer["tasks"] if row["task_id"] == started["task_id"]]
    assert row["name"] == "tasksdemo.tasks.slow.slow_task"
    assert row["queue"] == "celery"
    assert [row["worker"]] == answer["workers"]
    assert 0 <= row["elapsed"] < duration
    assert str(duration) not in json.dumps({**row, "started_at": None})
    assert shop.get(f"/tasks/{started['task_id']}/")[1]["status"] == "STARTED"


def test_an_id_that_nobody_knows_is_pending(shop):
    status, answer = shop.get("/tasks/no/such-id")

    assert status == 200
    assert answer == {
        "task_id": "no/such-id",
        "status": "PENDING",
        "state": "PENDING",
        "result": None,
        "error": None,
    }


def test_a_failing_task_chains_exceptions_of_several_modules_and_a_library(shop):
    started = shop.start("/tasks/fail")

    error = shop.outcome(started["task_id"], "FAILURE")["error"]
    traceback = shop.events.last(started["task_id"], "task-failed")["traceback"]

    assert error == {
        "type": "CheckoutError",
        "message": "checkout of order 48213 stopped before shipping",
    }
    for part in (
        "tasks/failing.py",
        "shop/checkout.py",
        "shop/payments.py",
        "shop/gateway.py",
        "rest_framework",
    ):
        assert part in traceback
    assert traceback.count("The above exception was the direct cause of the following exception") == 3
    assert traceback.count("During handling of the above exception, another exception occurred") == 1


def test_a_retrying_task_succeeds_in_the_end(shop):
    started = shop.start("/tasks/retry", succeed_after=2)

    assert shop.outcome(started["task_id"], "SUCCESS")["result"]["retries"] == 2
    events = shop.events.until(started["task_id"], "task-succeeded")
    assert [event["type"] for event in events].count("task-retried") == 2
    assert [event["retries"] for event in events if event["type"] == "task-received"] == [0, 1, 2]


def test_a_task_gives_up_after_its_last_retry(shop):
    started = shop.start("/tasks/give-up")

    assert shop.outcome(started["task_id"], "FAILURE")["error"]["type"] == "SupplierUnavailable"
    kinds = [event["type"] for event in shop.events.until(started["task_id"], "task-failed")]
    assert (kinds.count("task-retried"), kinds.count("task-started")) == (2, 3)


def test_progress_is_reported_up_to_the_last_step(shop):
    started = shop.start("/tasks/progress", steps=4, seconds=2)

    shop.outcome(started["task_id"], "SUCCESS")

    def reports():
        return [
            (event["current"], event["total"], event["message"])
            for event in shop.events.of(started["task_id"])
            if event["type"] == "task-progress"
        ]

    # They have a connection of their own: the last one may be behind the event of the task's end.
    wait_for(lambda: (4, 4, "Step 4 of 4") in reports(), "the report of the last step")
    assert len(reports()) >= 2
    assert reports() == sorted(reports())


def test_a_chain_passes_results_on(shop):
    started = shop.start("/tasks/chain", size=3)

    assert shop.outcome(started["task_id"], "SUCCESS")["result"] == 0 + 1 + 2 + 3
    assert len(started["task_ids"]) == 3
    assert started["task_ids"][-1] == started["task_id"]
    parents = [shop.events.last(task_id, "task-received")["parent_id"] for task_id in started["task_ids"]]
    assert parents == [None, *started["task_ids"][:-1]]


def test_a_group_runs_side_by_side(shop):
    started = shop.start("/tasks/group", size=3)

    assert started["group_id"]
    assert started["task_id"] == started["task_ids"][0]
    assert [shop.outcome(task_id, "SUCCESS")["result"] for task_id in started["task_ids"]] == [0, 2, 4]


def test_a_chord_ends_with_the_sum_of_its_header(shop):
    started = shop.start("/tasks/chord", size=4)

    assert shop.outcome(started["task_id"], "SUCCESS")["result"] == 0 + 2 + 4 + 6
    assert len(started["task_ids"]) == 5
    assert started["group_id"]


def test_a_countdown_gives_the_task_an_eta(shop):
    started = shop.start("/tasks/countdown", message="later", countdown=1)

    assert shop.outcome(started["task_id"], "SUCCESS")["result"]["message"] == "later"
    assert shop.events.last(started["task_id"], "task-received")["eta"]


def test_results_longer_than_an_event_carries_are_whole_in_the_answer(shop):
    rows = shop.outcome(shop.start("/tasks/large", rows=500)["task_id"], "SUCCESS")["result"]
    text = shop.outcome(shop.start("/tasks/long-text", characters=5000)["task_id"], "SUCCESS")["result"]

    assert [row["line"] for row in rows] == list(range(1, 501))
    assert len(text) == 5000
    assert text.endswith("(end)")


def test_unicode_in_name_and_arguments_survives(shop):
    started = shop.start("/tasks/unicode")

    result = shop.outcome(started["task_id"], "SUCCESS")["result"]
    assert result == {"本文": "夜の図書館", "שלום": "עולם", "e": "e\u0301 🏳️‍🌈"}
    assert shop.events.last(started["task_id"], "task-received")["name"] == unicode.NAME


def test_hostile_text_comes_back_as_it_was(shop):
    good = shop.outcome(shop.start("/tasks/hostile")["task_id"], "SUCCESS")["result"]
    bad = shop.outcome(shop.start("/tasks/hostile", fails=True)["task_id"], "FAILURE")["error"]

    assert good == {"texts": list(hostile.TEXTS), "nul": "before\x00after"}
    assert bad["type"] == "ValueError"
    assert "<script>" in bad["message"]


def test_no_secret_of_a_task_leaves_its_worker_in_an_event(shop):
    good = shop.start("/tasks/secret")["task_id"]
    bad = shop.start("/tasks/secret", fails=True)["task_id"]

    assert "[redacted]" in shop.events.last(good, "task-received")["kwargs"]
    assert "[redacted]" in shop.events.last(good, "task-succeeded")["result"]
    failed = shop.events.last(bad, "task-failed")
    assert "[redacted]" in failed["exception"] + failed["traceback"]
    for event in shop.events.of(good) + shop.events.of(bad):
        assert "correct-horse-battery" not in str(event), event["type"]
    wait_for(lambda: "raised" in _lines_about(shop, bad), "the line about the failure")
    assert "'api_key': '[redacted]'" in _lines_about(shop, good)
    assert "correct-horse-battery" not in shop.log.read_text()
    for task_id in (good, bad):  # the result backend was given nothing
        assert shop.get(f"/tasks/{task_id}/")[1]["status"] == "PENDING"


def _lines_about(shop: Shop, task_id: str) -> str:
    return "\n".join(line for line in shop.log.read_text().splitlines() if task_id in line)


def test_a_rejected_task_is_not_delivered_again(shop):
    started = shop.start("/tasks/reject")

    assert shop.events.last(started["task_id"], "task-rejected")["requeue"] is False


def test_an_ignored_task_never_says_how_it_ended(shop):
    ignored = shop.start("/tasks/ignore")["task_id"]
    shop.events.until(ignored, "task-started")
    # A task that was sent later, to the same worker, has ended.
    shop.outcome(shop.start("/tasks/slow", duration=1)["task_id"], "SUCCESS")

    assert {event["type"] for event in shop.events.of(ignored)} == {
        "task-sent",
        "task-received",
        "task-started",
    }


def test_a_lost_child_process_is_a_failure_and_the_worker_lives(shop):
    lost = shop.start("/tasks/lose-worker")["task_id"]

    assert shop.outcome(lost, "FAILURE")["error"]["type"] == "WorkerLostError"
    shop.outcome(shop.start("/tasks/slow", duration=0)["task_id"], "SUCCESS")


@pytest.mark.parametrize(("address", "expired"), [("revoke", False), ("expire", True)])
def test_revoked_and_expired_tasks_never_start(shop, address, expired):
    task_id = shop.start(f"/tasks/{address}")["task_id"]

    assert shop.events.last(task_id, "task-revoked")["expired"] is expired
    assert shop.outcome(task_id, "REVOKED")["error"]["type"] == "TaskRevokedError"
    assert "task-started" not in {event["type"] for event in shop.events.of(task_id)}


@pytest.mark.parametrize("name", sorted(ADDRESSES))
def test_every_address_works_with_a_slash_and_only_starts_by_post(shop, name):
    assert shop.get(f"/tasks/{name}")[0] == 405
    assert shop.get(f"/tasks/{name}/")[0] == 405
