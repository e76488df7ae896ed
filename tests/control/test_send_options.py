"""Options of a task that a program sends: what reaches the message, what is refused, and what limited users may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from monitoring.control.actor import Actor
from monitoring.control.contract import Outcome
from monitoring.control.message_options import MAX_HEADERS
from monitoring.control.parameters import InvalidParameters
from monitoring.control.perform import perform
from monitoring.control.verbs import VERBS
from monitoring.models import AuditEntry
from monitoring.queries.visibility import Visibility
from tests.api import watched_app
from tests.factories import make_user

pytestmark = pytest.mark.django_db
EVERYTHING = Visibility.everything()


@pytest.fixture(autouse=True)
def _broker(settings: Any) -> Iterator[None]:
    settings.MONITORING = {**settings.MONITORING, "CELERY_APP": "tests.api.watched_app.app"}
    watched_app.purge()
    yield
    watched_app.purge()


def sent(**options: Any) -> Any:
    """The message that a task with these options becomes."""
    actor, options = Actor(make_user(f"starter-{options!s:.100}", "run_task")), {"args": ["hello"], **options}
    [result] = perform("send_task", ["shop.note"], actor, options, patience=0).results.values()
    assert result.outcome is Outcome.DONE, result.words
    with watched_app.app.connection_for_read() as connection, connection.channel() as channel:
        message = channel.basic_get("api-tests", no_ack=True)
    assert message.headers["id"] == result.made
    return message


def refused(visibility: Visibility = EVERYTHING, **options: Any) -> set[str]:
    """The options that are refused."""
    try:
        VERBS["send_task"].read(options, visibility)
    except InvalidParameters as error:
        return set(error.errors)
    return set()


def test_options_that_are_plain_data_reach_the_message() -> None:
    message = sent(
        headers={"traceparent": "00-0af7", "tenant": {"id": 7, "name": "acme"}},
        shadow="note for acme",
        ignore_result=True,
        serializer="json",
        compression="gzip",
        time_limit=30,
    )
    assert message.headers["traceparent"] == "00-0af7"
    assert message.headers["tenant"] == {"id": 7, "name": "acme"}
    assert (message.headers["task"], message.headers["shadow"]) == ("shop.note", "note for acme")
    assert message.headers["ignore_result"] is True
    assert message.headers["timelimit"] == [30, None]
    assert (message.content_type, message.headers["compression"]) == (
        "application/json",
        "application/x-gzip",
    )
    assert message.decode()[0] == ["hello"]


def test_what_is_left_out_is_left_to_the_task() -> None:
    assert sent().headers["ignore_result"] is None
    assert sent(ignore_result=False).headers["ignore_result"] is False


def test_how_to_try_again_is_taken_and_changes_nothing() -> None:
    """A request tries once, within CONTROL_TIMEOUT, and says what came of it."""
    options: dict[str, Any] = {"retry": True, "retry_policy": {"max_retries": 3}, "add_to_parent": False}
    sent(**options)
    assert options.items() <= AuditEntry.objects.get().parameters.items()


def test_secrets_in_headers_are_not_kept() -> None:
    sent(headers={"tenant": "acme", "api_token": "hunter2"})
    kept = AuditEntry.objects.get().parameters["headers"]
    assert (kept["tenant"], "hunter2" in str(kept)) == ("acme", False)


@pytest.mark.parametrize(
    "name",
    ["id", "task", "ID", "group", "root_id", "parent_id", "retries", "timelimit", "argsrepr", "origin",
     "stamped_headers", "stamps", "ignore_result", "shadow", "eta", "lang", "reply_to", "correlation_id", "hostname",
     "delivery_info", "args", "callbacks", "chord", "get", "update", "_protected", "__class__",
     "CC", "BCC", "compression", "", "n" * 256, "\ud800"],
)  # fmt: skip
def test_headers_that_celery_or_the_broker_gives_a_meaning_to_are_refused(name: str) -> None:
    assert refused(headers={"tenant": "acme", name: "x"}) == {"headers"}


@pytest.mark.parametrize(
    "headers",
    [["a"], "tenant", 5, {"a": "x" * MAX_HEADERS}, {"a": 2**63}, {"a": [{"b": -(2**63) - 1}]},
     {"a": float("nan")}, {"a": "\ud800"}, {"a": {"n" * 256: 1}}],
)  # fmt: skip
def test_headers_that_a_message_has_no_room_for_are_refused(headers: Any) -> None:
    assert refused(headers=headers) == {"headers"}


def test_a_serializer_is_one_that_the_app_accepts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [name for name in ("json", "pickle", "yaml", "nope") if not refused(serializer=name)] == ["json"]
    monkeypatch.setitem(watched_app.app.conf, "accept_content", ["application/json", "pickle"])
    assert [name for name in ("json", "pickle", "yaml", "nope") if not refused(serializer=name)] == [
        "json",
        "pickle",
    ]


def test_a_compression_is_one_that_kombu_has() -> None:
    assert [name for name in ("gzip", "zlib", "bzip2", "nope") if not refused(compression=name)] == [
        "gzip",
        "zlib",
        "bzip2",
    ]


def test_an_id_is_that_of_one_task() -> None:
    actor, names = Actor(make_user("starter", "run_task")), ["shop.note", "shop.other"]
    with pytest.raises(InvalidParameters) as caught:
        perform("send_task", names, actor, {"task_id": "chosen"}, patience=0)
    assert set(caught.value.errors) == {"task_id"}
    assert sent(task_id="chosen").headers["id"] == "chosen"


@pytest.mark.parametrize("policy", [["x"], 5, "x"])
def test_how_to_try_again_is_an_object(policy: Any) -> None:
    assert refused(retry_policy=policy) == {"retry_policy"}


def test_no_option_leads_around_what_a_limited_user_may_see() -> None:
    mail = Visibility(names=("shop.*",), queues=("mail",))
    for option in ({"headers": {"tenant": "acme"}}, {"shadow": "bank.pay"}, {"task_id": "x"}):
        assert refused(mail, queue="mail", **option) == set(option)
    assert refused(mail, queue="mail", shadow="shop.other", ignore_result=True, compression="gzip") == set()


def test_a_task_is_not_shown_as_one_that_may_not_be_started(settings: Any) -> None:
    """It could be run again under that name."""
    settings.MONITORING = {**settings.MONITORING, "RUN_TASKS": ("shop.*",)}
    assert refused(shadow="bank.pay") == {"shadow"}
    assert refused(shadow="shop.other") == set()
