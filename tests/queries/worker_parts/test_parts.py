"""Answers of real workers become typed values, and answers of any other shape become what can be made of them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from monitoring.queries.visibility import Visibility
from monitoring.queries.worker_parts.configuration import GROUPS, settings_in_groups
from monitoring.queries.worker_parts.pool import Autoscale, pool
from monitoring.queries.worker_parts.queues import queues
from monitoring.queries.worker_parts.registered import registered_tasks
from monitoring.queries.worker_parts.system import broker, memory, report, system
from monitoring.queries.worker_parts.tasks import held_tasks, revoked_ids
from tests.queries.worker_parts.answers import POOLS, answers, anything

EVERYTHING = Visibility.everything()
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_prefork_pool_names_its_processes_and_its_autoscaler():
    found = pool(answers("prefork")["stats"])
    assert (found.name, found.implementation) == ("prefork", "celery.concurrency.prefork:TaskPool")
    assert len(found.pids) == 4
    assert found.autoscale == Autoscale(2, 4)
    assert found.concurrency == 4
    assert found.max_tasks_per_child == 100
    assert (found.soft_time_limit, found.time_limit) == (0, 0)
    assert found.prefetch == 10
    assert found.processed == (("shop.sleep", 4),)


def test_prefork_pool_that_has_grown_counts_its_processes():
    grown = answers("prefork")["stats"] | {"autoscaler": None}
    assert grown["pool"]["max-concurrency"] == 2
    assert pool(grown).concurrency == 4


def test_threads_pool_has_threads_and_no_processes():
    found = pool(answers("threads")["stats"])
    assert (found.name, found.concurrency, found.threads, found.pids) == ("threads", 2, 2, ())
    assert found.time_limit is None


def test_solo_pool_is_the_worker_itself():
    stats = answers("solo")["stats"]
    found = pool(stats)
    assert (found.name, found.concurrency, found.pids) == ("solo", 1, (stats["pid"],))
    assert found.max_tasks_per_child is None


def test_gevent_pool_says_only_how_much_it_runs_at_once():
    found = pool(answers("gevent")["stats"])
    assert (found.name, found.concurrency, found.pids) == ("gevent", 2, ())


def test_pool_of_a_class_that_is_not_celerys_keeps_its_name():
    assert pool({"pool": {"implementation": "shop.pools:Careful"}}).name == "shop.pools:Careful"


def test_queues_are_those_that_may_be_seen_by_name():
    content = answers("prefork")["active_queues"] + [
        {"name": "a", "queue_arguments": {"x-queue-type": "quorum"}}
    ]
    first, second = queues(EVERYTHING, content)
    assert (first.name, first.kind, first.durable) == ("a", "quorum", None)
    assert (second.name, second.exchange, second.exchange_type) == ("q-prefork", "q-prefork", "direct")
    assert (second.routing_key, second.durable, second.auto_delete) == ("q-prefork", True, False)
    assert [queue.name for queue in queues(Visibility(queues=("q-*",)), content)] == ["q-prefork"]


@pytest.mark.parametrize("name", POOLS)
def test_running_tasks_have_their_start_and_their_process(name):
    content = answers(name)["active"]
    found = held_tasks(content, with_payload=True)
    assert len(found) == len(content)
    for task in found:
        assert (task.name, task.queue, task.exchange) == ("shop.sleep", f"q-{name}", None)
        assert task.args == [8]
        assert task.started_at.tzinfo is UTC
        assert task.pid
        assert task.acknowledged is True


def test_reserved_tasks_have_not_started():
    found = held_tasks(answers("prefork")["reserved"], with_payload=True)
    assert {task.name for task in found} == {"shop.sleep", "shop.add"}
    assert {(task.started_at, task.pid, task.eta, task.acknowledged) for task in found} == {
        (None, None, None, False)
    }


def test_scheduled_tasks_have_their_eta():
    content = answers("prefork")["scheduled"]
    found = held_tasks(content, with_payload=True)
    assert [task.eta.isoformat() for task in found] == [item["eta"] for item in content]
    assert {task.name for task in found} == {"shop.add"}


def test_arguments_are_shown_to_those_who_may_see_payloads():
    for task in held_tasks(answers("prefork")["reserved"], with_payload=False):
        assert task.args is None
        assert task.kwargs is None


def test_revoked_tasks_are_ids():
    assert revoked_ids(answers("prefork")["revoked"]) == ["1cea9979-c84b-48df-a192-9b6694ae1538"]
    assert revoked_ids(["a", 1, None, "", ["b"]]) == ["a"]


def test_registered_tasks_have_the_limits_that_they_were_defined_with():
    content = answers("prefork")["registered"]
    add, limited, sleep = registered_tasks(EVERYTHING, content)
    assert (add.name, sleep.name) == ("shop.add", "shop.sleep")
    assert (add.rate_limit, add.time_limit, add.max_retries, add.acks_late) == (None, None, 3, False)
    assert limited.rate_limit == "10/m"
    assert (limited.soft_time_limit, limited.time_limit, limited.retry_delay) == (20, 30, 180)
    assert (limited.max_retries, limited.priority) == (7, 3)
    assert (limited.acks_late, limited.ignore_result) == (True, True)
    assert limited.others == {}
    assert [task.name for task in registered_tasks(Visibility(names=("*.add",)), content)] == ["shop.add"]


def test_registered_task_of_odd_words_keeps_them():
    found = registered_tasks(
        EVERYTHING, ["a b [rate_limit=10/m colour=dark blue time_limit=soon]", "plain", "", "[", "z []"]
    )
    assert [task.name for task in found] == ["[", "a b", "plain", "z"]
    found = found[1:]
    assert found[0].rate_limit == "10/m"
    assert found[0].time_limit is None
    assert found[0].others == {"colour": "dark blue"}


def test_configuration_stands_in_groups():
    conf = answers("prefork")["conf"]
    groups = settings_in_groups(conf | {"shop_currency": "EUR"})
    assert list(groups) == list(GROUPS)
    of = {setting.name: group for group, found in groups.items() for setting in found}
    assert set(of) == set(conf) - {"deprecated_settings"} | {"shop_currency"}
    assert of["broker_url"] == "broker"
    assert of["result_backend"] == "results"
    assert of["task_time_limit"] == "limits"
    assert of["task_serializer"] == "serialisation"
    assert of["task_routes"] == "routing"
    assert of["worker_pool"] == "worker"
    assert of["worker_send_task_events"] == "events"
    assert of["beat_schedule"] == "beat"
    assert of["task_acks_late"] == "limits"
    assert of["task_ignore_result"] == "tasks"
    assert of["shop_currency"] == "other"


def test_configuration_says_what_is_masked_by_whomever_and_however_deep():
    conf = answers("prefork")["conf"] | {"ours": {"a": [{"b": "[redacted]"}]}}
    masked = {s.name for found in settings_in_groups(conf).values() for s in found if s.is_masked}
    assert {"broker_url", "broker_password", "broker_transport_options", "beat_schedule", "ours"} <= masked
    assert not {"broker_pool_limit", "task_routes"} & masked


def test_system_tells_of_the_process():
    recorded = answers("prefork")
    found = system(recorded["stats"], NOW, recorded["memsample"])
    assert found.pid == recorded["stats"]["pid"]
    assert found.up_since == NOW - timedelta(seconds=5)
    assert found.clock == 18
    assert found.user_time == pytest.approx(0.546308)
    assert found.most_memory == 57512 * 1024
    assert found.memory == round(56.316 * 1024**2)
    assert found.rusage["minflt"] == 31446
    assert not {"utime", "stime", "maxrss"} & set(found.rusage)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("54.23MB", 56_864_276),
        ("512kB", 524_288),
        ("7B", 7),
        ("N/A", None),
        ("9" * 99, None),
        (54, None),
        (None, None),
    ],
)
def test_memory_is_bytes(said, expected):
    assert memory(said) == expected


def test_broker_has_no_password():
    found = broker(answers("prefork")["stats"])
    assert (found.transport, found.hostname, found.port) == ("amqp", "127.0.0.1", 5672)
    assert (found.virtual_host, found.user, found.tls, found.heartbeat) == ("shop", "guest", False, 120)


def test_report_has_versions_and_all_of_its_text():
    found = report(answers("prefork")["report"])
    assert found.versions["celery"] == "5.7.0"
    assert found.versions["py"] == "3.11.7"
    assert found.versions["system"] == "Linux"
    assert found.versions["arch"] == "64bit"
    assert "broker_url" not in found.versions
    assert found.text.startswith("software ->")


@given(anything)
def test_an_answer_of_any_shape_is_read_without_an_error(content):
    assert pool(content).pids is not None
    assert isinstance(queues(EVERYTHING, content), list)
    assert isinstance(held_tasks(content, with_payload=True), list)
    assert all(isinstance(task_id, str) for task_id in revoked_ids(content))
    assert isinstance(registered_tasks(EVERYTHING, content), list)
    assert isinstance(settings_in_groups(content), dict)
    assert isinstance(system(content, NOW, content).rusage, dict)
    assert isinstance(broker(content).tls, bool)
    assert isinstance(report(content).versions, dict)
