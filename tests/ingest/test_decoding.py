"""Whatever comes from the exchange is decoded, refused with a reason, or dropped; nothing stops the decoder."""

import hashlib
import json
import pickle
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitoring.ingest.decoding import MOST_TOLD, Decoder
from monitoring.ingest.events import Decoded, Event
from monitoring.ingest.redaction import Redactor
from monitoring.tracebacks.fingerprint import Places
from tests.ingest.event_streams import BEGIN, SECOND, any_event, event
from tests.ingest.worker_streams import worker_event

LIMIT = 1_000
RAISED = (
    "Traceback (most recent call last):\n"
    '  File "/venv/lib/python3.12/site-packages/celery/app/trace.py", line 453, in trace_task\n'
    "    R = retval = fun(*args, **kwargs)\n"
    '  File "/srv/shop/tasks.py", line 3, in pay\n'
    "    raise KeyError(1)\n"
    "KeyError: 1\n"
)
JSON = "application/json"
decoder = Decoder(Redactor(), LIMIT)


def decode(message: Any, content_type: str | None = JSON) -> Decoded:
    body = message if isinstance(message, bytes) else json.dumps(message)
    return decoder.decode(body, content_type)


def one(raw: Any) -> Event:
    """The one event that `raw` is."""
    decoded = decode(raw)
    assert not decoded.undecodable, decoded.undecodable
    (found,) = [*decoded.tasks, *decoded.workers]
    return found


def without(raw: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in raw.items() if name != field}


def deep(levels: int) -> Any:
    value: Any = "bottom"
    for _ in range(levels):
        value = [value]
    return value


def is_storable(text: str) -> bool:
    text.encode()  # no lone surrogate
    return "\0" not in text


def texts_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts_in(part)]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return []


# --- What is no event ---

GOOD = event("started", BEGIN)
NO_EVENTS = {
    "no uuid": (without(GOOD, "uuid"), "no task id (uuid)"),
    "a uuid that is a number": (GOOD | {"uuid": 5}, "no task id (uuid)"),
    "an empty uuid": (GOOD | {"uuid": ""}, "no task id (uuid)"),
    "an endless uuid": (GOOD | {"uuid": "x" * 256}, "task id (uuid) longer than 255 characters"),
    "no timestamp": (without(GOOD, "timestamp"), "no timestamp"),
    "a timestamp in words": (GOOD | {"timestamp": "today"}, "no timestamp"),
    "a true timestamp": (GOOD | {"timestamp": True}, "no timestamp"),
    "the year 9999": (GOOD | {"timestamp": 253_402_300_000}, "timestamp outside the years 2000 to 2100"),
    "the year 1999": (GOOD | {"timestamp": 946_684_799.9}, "timestamp outside the years 2000 to 2100"),
    "the year 2100": (GOOD | {"timestamp": 4_102_444_800}, "timestamp outside the years 2000 to 2100"),
    "an infinite time": (GOOD | {"timestamp": 1e999}, "no timestamp"),
    "no time at all": (GOOD | {"timestamp": float("nan")}, "no timestamp"),
    "a time beyond floats": (GOOD | {"timestamp": 10**400}, "timestamp outside the years 2000 to 2100"),
    "no host": (without(GOOD, "hostname"), "no host name"),
    "an endless host": (GOOD | {"hostname": "h" * 300}, "host name longer than 255 characters"),
    "no type": (without(GOOD, "type"), "no event type"),
    "a type that is a list": (GOOD | {"type": []}, "no event type"),
    "an endless type": (GOOD | {"type": "task-" + "x" * 255}, "event type longer than 255 characters"),
    "a list in a list": ([GOOD], "not an event: a JSON list"),
    "a text": ("task-started", "not an event: a JSON str"),
    "a number": (5, "not an event: a JSON int"),
    "nothing": (None, "not an event: a JSON NoneType"),
    "a worker without a name": (without(worker_event("heartbeat", BEGIN), "hostname"), "no host name"),
}


@pytest.mark.parametrize("name", NO_EVENTS)
def test_what_is_no_event_says_why_and_the_good_ones_around_it_are_kept(name):
    bad, reason = NO_EVENTS[name]

    decoded = decode([GOOD, bad, worker_event("heartbeat", BEGIN)])

    assert [u.reason for u in decoded.undecodable] == [reason]
    assert [e.type for e in decoded.tasks] == ["task-started"]
    assert [e.type for e in decoded.workers] == ["worker-heartbeat"]


@pytest.mark.parametrize(
    "body",
    [b"", b"garbage", b"{", b"\xff\xfe\x00", b'{"type": "task-started"', b"\x80\x04\x95", b"[" * 100_000],
    ids=["empty", "text", "cut", "binary", "cut event", "pickle", "endless nesting"],
)
def test_what_is_not_json_is_refused_with_size_and_digest_but_not_its_text(body):
    (refused,) = decode(body).undecodable

    assert refused.reason.startswith("not JSON")
    assert (refused.size, refused.digest) == (len(body), hashlib.sha256(body).hexdigest())


UNREADABLE = {
    "an endless number": (b"9" * 5_000, "not JSON: ValueError"),
    "deep nesting": (b"[" * 100_000 + b"]" * 100_000, "not JSON: RecursionError"),
    "no text": (b'"\xff"', "not JSON: UnicodeDecodeError"),
}


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize(
    "around", [GOOD, GOOD | {"type": "task-failed", "exception": "é"}], ids=["plain", "é"]
)
def test_an_event_of_a_group_that_cannot_be_read_takes_none_of_the_others_with_it(name, around):
    value, reason = UNREADABLE[name]
    good = json.dumps(around, ensure_ascii=False).encode()
    bad = json.dumps(GOOD).encode()[:-1] + b', "x": ' + value + b"}"

    decoded = decode(b"[" + b", ".join([good, bad, good]) + b"]")

    (refused,) = decoded.undecodable
    assert (refused.reason, refused.size) == (reason, len(bad))
    assert refused.digest == hashlib.sha256(bad).hexdigest()
    assert [e.type for e in decoded.tasks] == [around["type"]] * 2


@pytest.mark.parametrize("item", [0, {}, GOOD | {"uuid": 5}])
def test_a_message_of_many_items_that_are_no_events_becomes_a_few_dead_letters(item):
    body = json.dumps([GOOD, *[item] * 50_000, GOOD]).encode()

    decoded = decode(body)

    *told, rest = decoded.undecodable
    assert len(told) == MOST_TOLD
    assert rest.reason == "49,900 more items of this message are no events"
    assert (rest.size, rest.digest) == (len(body), hashlib.sha256(body).hexdigest())
    assert [e.type for e in decoded.tasks] == ["task-started"] * 2


@pytest.mark.parametrize(
    "content_type", ["application/x-python-serialize", "application/x-yaml", "", None, "x" * 999]
)
def test_only_the_content_type_json_is_accepted(content_type):
    decoded = decode(pickle.dumps(GOOD), content_type)

    (refused,) = decoded.undecodable
    assert not decoded.tasks
    assert "not accepted" in refused.reason
    assert len(refused.reason) < 200


def test_other_groups_and_elections_are_dropped_and_counted():
    others = [
        {"type": t, "hostname": "h", "timestamp": 1}
        for t in ("shop-opened", "worker-elect", "worker-elect-ack")
    ]

    decoded = decode([*others, GOOD])

    assert (decoded.dropped, len(decoded.tasks), len(decoded.undecodable)) == (3, 1, 0)


def test_a_message_holds_one_event_or_a_list_of_them():
    assert len(decode(GOOD).tasks) == 1
    assert len(decode([GOOD, event("succeeded", BEGIN)]).tasks) == 2
    assert decode([]) == Decoded()


# --- Hostile, but events ---

json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.just("\ud800\0"),
        st.integers(10**30, 10**40),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=12,
)
celery_fields = st.sampled_from(
    ["uuid", "type", "timestamp", "hostname", "clock", "pid", "name", "args", "kwargs", "retries", "eta", "expires",
     "root_id", "queue", "routing_key", "result", "runtime", "exception", "traceback", "terminated", "signum",
     "requeue", "current", "total", "message", "progress", "exception_type", "worker", "freq", "active", "processed",
     "loadavg", "sw_ident"]
)  # fmt: skip
hostile_fields = st.dictionaries(st.one_of(celery_fields, st.text()), json_values, max_size=8)


@given(json_values)
def test_any_json_is_taken(message):
    decode(message)


@given(st.binary())
@example(b'{"type": "task-x", "uuid": "u", "hostname": "h", "timestamp": 1e9, "a": 1e400}')
@example(b'"' + b"\\ud800" * 3 + b'"')
def test_any_bytes_are_taken(body):
    decode(body)


@given(st.one_of(any_event(), st.builds(worker_event, st.just("heartbeat"), st.just(BEGIN))), hostile_fields)
def test_whatever_its_fields_hold_an_event_is_brought_into_a_form_that_databases_take(raw, fields):
    decoded = decode({**raw, **fields})

    assert len(decoded.tasks) + len(decoded.workers) + len(decoded.undecodable) + decoded.dropped == 1
    assert not any("fault" in u.reason for u in decoded.undecodable)
    for found in [*decoded.tasks, *decoded.workers]:
        payload = json.loads(found.payload or "{}", parse_constant=pytest.fail)
        kept = [
            found.subject,
            found.type,
            found.worker,
            found.payload,
            *texts_in(payload),
            *texts_in(found.values),
        ]
        assert all(map(is_storable, kept))
        assert found.clock is None or abs(found.clock) < 2**63
        assert 0 <= found.tie < 2**63


@pytest.mark.parametrize("levels", [10, 500, 900, 940, 960, 980])
def test_deep_nesting_is_cut_or_refused_and_never_a_fault(levels):
    """Python's JSON reader takes a nesting that its writer, called from deeper down, does not."""
    decoded = decode(b'[{"no": "event", "x": ' + b"[" * levels + b"]" * levels + b"}]")
    assert len(decoded.undecodable) == 1

    body = json.dumps(GOOD | {"x": 0}).replace('"x": 0', '"x": ' + "[" * levels + "]" * levels).encode()
    decoded = decode(body)
    assert not any("fault" in u.reason for u in decoded.undecodable)
    assert len(decoded.tasks) + len(decoded.undecodable) == 1


def test_nul_and_lone_surrogates_are_shown_as_symbols():
    found = one(event("succeeded", BEGIN, task_id="a\0b", result="x\0y\ud800z", **{"na\0me\udfff": "v"}))

    assert found.subject == "a␀b"
    assert found.values["result"] == "x␀y�z"
    assert json.loads(found.payload)["na␀me�"] == "v"


def test_a_result_of_ten_megabytes_is_cut_and_says_so():
    found = one(event("succeeded", BEGIN, result="x" * 10_485_760))

    assert found.values["result"] == "x" * LIMIT + "… [cut: 10,485,760 characters]"
    assert len(found.payload) < 2 * LIMIT


def test_names_are_cut_to_what_an_index_takes():
    raw = event(
        "sent", BEGIN, **dict.fromkeys(("name", "root_id", "parent_id", "queue", "routing_key"), "ß" * 900)
    )

    found = one(raw)

    for name in ("name", "root_id", "parent_id", "queue", "routing_key"):
        assert found.values[name].startswith("ß" * 255)
        assert len(found.values[name].encode()) < 2_704


@pytest.mark.parametrize(
    "task_id", ["a/b/c", "x" * 255, "naïve ✓ 漢字", "a b", "…", "{'$ne': 1}", "\\x00", "%s"]
)
def test_any_text_of_up_to_255_characters_is_a_task_id(task_id):
    assert one(event("started", BEGIN, task_id=task_id)).subject == task_id


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        (3, 3),
        (-1, 0),
        (2**40, 2**31 - 1),
        (True, None),
        ("3", None),
        (1.5, None),
        (10**40, None),
        (None, None),
    ],
)
def test_retries_fit_their_column(claimed, expected):
    assert one(event("sent", BEGIN, retries=claimed)).values["retries"] == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"current": 5, "total": 10}, 0.5),
        ({"current": 50, "total": 10}, 1.0),
        ({"current": -5, "total": 10}, 0.0),
        ({"current": 5, "total": 0}, None),
        ({"current": 5}, None),
        ({"current": 1e308, "total": 1e-308}, 1.0),
        ({"current": 1e999, "total": 1}, None),
        ({"current": "5", "total": 10}, None),
        ({"progress": "hostile"}, None),
        ({"progress": {"a": 1}, "current": 1, "total": 4}, 0.25),
    ],
)
def test_progress_is_between_zero_and_one_or_unknown(fields, expected):
    assert one(event("progress", BEGIN, **fields)).values["progress"] == expected


# --- Times ---


@given(st.integers(946_684_800_000_000, 4_102_444_799_999_999))
def test_timestamps_are_exact_to_the_microsecond(ts):
    assert one(event("started", ts)).ts == ts


def test_a_timestamp_of_whole_seconds_may_be_an_int():
    assert one(GOOD | {"timestamp": 1_795_348_800}).ts == BEGIN


def test_the_senders_offset_from_utc_changes_no_time():
    """`timestamp` counts from the epoch already. Celery's receiver shifts it by the offset, hours off."""
    assert one(event("received", BEGIN, utcoffset=-9)).ts == BEGIN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T12:00:07", BEGIN + 7 * SECOND),
        ("2026-11-22T12:00:07.000001", BEGIN + 7 * SECOND + 1),
        ("2026-11-22T21:00:07+09:00", BEGIN + 7 * SECOND),
        ("9999-12-30T23:59:59.999999+00:00", 253_402_214_399_999_999),
        ("9999-12-31T23:59:59.999999+00:00", 253_402_214_399_999_999),
        ("9999-12-31T23:59:59-01:00", None),
        ("0001-01-01T00:00:00+01:00", None),
        ("0001-01-01T00:00:00", -62_135_510_400_000_000),
        ("soon", None),
        (1_795_348_800, None),
        (None, None),
    ],
)
def test_etas_are_read_as_utc_unless_they_say_otherwise(text, expected):
    assert one(event("sent", BEGIN, eta=text, expires=text)).values["eta"] == expected


@pytest.mark.parametrize("field", ["eta", "expires", "signum"])
@pytest.mark.parametrize("kind", ["sent", "received", "revoked"])
def test_what_is_no_time_and_no_signal_is_redacted_like_any_text(field, kind):
    found = one(event(kind, BEGIN, **{field: "password=hunter2"}))

    assert "hunter2" not in f"{found.values} {found.payload}"


def test_times_and_signals_are_kept_whatever_the_rules_are():
    hiding = Decoder(Redactor(keys=("eta", "expires"), patterns=["[0-9]{4}-"]), LIMIT)
    raw = event("received", BEGIN, eta="2027-01-01T00:00:00", expires="2027-01-02T00:00:00+02:00")
    (found,) = hiding.decode(json.dumps(raw), JSON).tasks
    assert '"eta":"2027-01-01T00:00:00","expires":"2027-01-02T00:00:00+02:00"' in found.payload
    assert '"signum":"SIGTERM"' in one(event("revoked", BEGIN, signum="SIGTERM")).payload


def test_software_of_a_worker_is_redacted_like_any_text():
    software = one(worker_event("online", BEGIN, sw_ident="py-celery", sw_ver="token=hunter2")).values[
        "software"
    ]

    assert "py-celery" in software
    assert "hunter2" not in software


# --- Identity ---


@given(any_event())
def test_an_event_delivered_twice_has_the_same_key(raw):
    assert (one(raw).ts, one(raw).tie) == (one(dict(reversed(raw.items()))).ts, one(raw).tie)


@given(any_event(), any_event())
def test_events_that_differ_have_different_keys(a, b):
    one_, other = one(a), one(b)

    assert (a == b) == ((one_.ts, one_.tie, one_.type) == (other.ts, other.tie, other.type))


@pytest.mark.parametrize("field", ["args", "kwargs", "name", "queue", "retries", "pid"])
def test_sendings_that_differ_in_one_field_have_different_keys(field):
    assert one(event("sent", BEGIN, **{field: 1})).tie != one(event("sent", BEGIN, **{field: 2})).tie


def test_only_sendings_and_receipts_leave_their_arguments_out_of_the_log():
    for kind, kept in (("sent", False), ("received", False), ("half-way", True)):
        found = one(event(kind, BEGIN, args="(1,)", kwargs="{}", name="n"))
        assert ("args" in json.loads(found.payload)) is kept
        assert found.values["args"] == "(1,)"


def test_each_failed_attempt_keeps_its_own_traceback_in_the_log():
    found = one(event("retried", BEGIN, exception="OSError('x')", traceback="Traceback ..."))

    assert json.loads(found.payload)["traceback"] == "Traceback ..."


# --- Exceptions ---


@pytest.mark.parametrize(
    ("exception", "traceback", "text", "kind"),
    [
        ("ValueError('x')", "tb", "ValueError('x')", "ValueError"),
        ("shop.errors.PaymentError: no", None, "shop.errors.PaymentError: no", "PaymentError"),
        ("KeyError", None, "KeyError", "KeyError"),
        ("reject requeue=False: no", None, "reject requeue=False: no", "Reject"),
        ("reject requeue", None, "reject requeue", None),
        ("<Unrepresentable>", None, "<Unrepresentable>", None),
        (
            "ExceptionWithTraceback()",
            'Traceback (most recent call last):\n  File "x.py"\nbilliard.exceptions.WorkerLostError: signal 9.\n',
            "billiard.exceptions.WorkerLostError: signal 9.",
            "WorkerLostError",
        ),
        ("ExceptionWithTraceback()", "", "ExceptionWithTraceback()", "ExceptionWithTraceback"),
        ("ExceptionWithTraceback()", None, "ExceptionWithTraceback()", "ExceptionWithTraceback"),
        (None, None, None, None),
        ("", None, "", None),
    ],
)
def test_an_exception_is_shown_as_what_it_was(exception, traceback, text, kind):
    found = one(event("failed", BEGIN, exception=exception, traceback=traceback))

    assert (found.values["exception"], found.values["exception_type"]) == (text, kind)


def test_the_type_of_an_exception_is_ours_to_say():
    found = one(event("failed", BEGIN, exception_type={"hostile": 1}))

    assert found.values["exception_type"] is None


# --- Secrets ---

SECRET = "hunter2-hunter2"


@pytest.mark.parametrize(
    "fields",
    [
        {"password": SECRET},
        {"api_key": [SECRET]},
        {"nested": {"deeper": [{"session_token": SECRET}]}},
        {"note": f"password='{SECRET}'"},
        {f"password={SECRET}": 1},
        {"name": f"password='{SECRET}'", "root_id": f"token={SECRET}"},
        {"pin_secret": 12345678901},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_secret_in_a_field_of_a_custom_event_is_redacted(fields):
    found = one(event("half-way", BEGIN, **fields))

    assert SECRET not in found.payload
    assert "12345678901" not in found.payload
    assert "[redacted]" in found.payload


def test_a_secret_is_redacted_in_what_a_register_takes_and_in_the_log():
    for raw in (
        event("sent", BEGIN, kwargs=f"{{'password': '{SECRET}', 'n': 1}}", args=f"('--token={SECRET}',)"),
        event("succeeded", BEGIN, result=f"{{'access_token': '{SECRET}'}}"),
        event(
            "failed",
            BEGIN,
            exception=f"LoginRefused(\"password='{SECRET}'\")",
            traceback=f"password = '{SECRET}'",
        ),
        event("progress", BEGIN, message=f"password={SECRET}"),
        event("sent", BEGIN, kwargs={"password": SECRET}),
    ):
        found = one(raw)
        assert SECRET not in repr(found)
        assert "redacted" in repr(found)


def test_a_secret_that_the_cut_goes_through_is_redacted_to_the_end():
    text = "x" * (LIMIT - 20) + "password='" + SECRET * 9

    assert "hunter2" not in repr(one(event("succeeded", BEGIN, result=text)))


def test_the_key_of_an_event_tells_nothing_of_a_secret():
    """Two sendings that differ in the secret alone have one key: nobody can try secrets against the digest."""
    one_, other = (one(event("sent", BEGIN, kwargs=f"{{'password': '{s}'}}")) for s in ("a", "b"))

    assert one_.tie == other.tie


def test_properties_of_a_message_are_described_without_secrets_and_in_storable_text():
    described = decoder.describe(
        {
            "content_type": "x\0",
            "routing_key": "r" * 5_000,
            "headers": {
                "password": SECRET,
                "obj": object,
                "deep": deep(80),
                "n": float("inf"),
                "s": "\ud800",
            },
        }
    )

    assert all(map(is_storable, texts_in(described)))
    assert SECRET not in repr(described)
    assert json.dumps(described, allow_nan=False)
    assert described["content_type"] == "x␀"


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_a_receipt_that_names_its_trace_is_one_more_kind_of_receipt():
    assert "trace-told" in one(event("received", BEGIN, trace_id=TRACE)).kinds
    assert "trace-told" not in one(event("started", BEGIN, trace_id=TRACE)).kinds


@pytest.mark.parametrize(
    "claimed", [None, 7, "", "0" * 32, TRACE.upper(), TRACE + "\n", TRACE[1:], ["x"], "password=hunter2"]
)
def test_what_is_no_id_of_a_trace_is_none_and_hides_nothing(claimed):
    found = one(event("received", BEGIN, trace_id=claimed))
    assert "trace-told" not in found.kinds
    assert "hunter2" not in found.payload


def test_a_project_may_hide_the_ids_of_traces():
    hiding = Decoder(Redactor(keys=("trace_id",)), LIMIT)
    [found] = hiding.decode(json.dumps(event("received", BEGIN, trace_id=TRACE)), JSON).tasks
    assert TRACE not in found.payload
    assert "trace-told" not in found.kinds


def test_a_failure_says_where_it_was_raised_and_nothing_else_does():
    raw = event("failed", BEGIN, exception="KeyError(1)", traceback=RAISED, place="anywhere")
    assert one(raw).values["place"] == Places().digest("KeyError", RAISED)
    ours = Decoder(Redactor(), LIMIT, own_code=("*/celery/*",)).decode(json.dumps(raw), JSON)
    assert ours.tasks[0].values["place"] == Places(("*/celery/*",)).digest("KeyError", RAISED)
    assert ours.tasks[0].values["place"] != one(raw).values["place"]
    retried = event("retried", BEGIN, exception="KeyError(1)", traceback=RAISED)
    assert one(retried).values.get("place") is None


def nested(levels: int, innermost: Any = None) -> Any:
    value = innermost
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


@pytest.mark.parametrize("levels", [*range(100, 1_100, 50), 5_000, 100_000])
def test_headers_that_no_encoder_takes_are_described_as_far_as_they_can_be(levels: int) -> None:
    described = decoder.describe({"content_type": "x", "headers": {"deep": nested(levels), "hostname": "h"}})
    assert described["content_type"] == "x"
    assert described["headers"]["hostname"] == "h"
    assert json.dumps(described)


@pytest.mark.parametrize("levels", [*range(100, 1_100, 50), 5_000, 100_000])
@pytest.mark.parametrize("kind", ["task-failed", "task-sent", "task-of-ours", "worker-heartbeat", ""])
def test_a_body_nested_however_deeply_is_an_event_or_a_dead_letter(levels: int, kind: str) -> None:
    deep = b'{"a":' * levels + b"1" + b"}" * levels
    fields = json.dumps(event("failed", BEGIN) | {"type": kind}).encode()
    body = fields[:-1] + b', "args": %s}' % deep
    decoded = decoder.decode(body, "application/json")
    assert len(decoded.tasks) + len(decoded.workers) + len(decoded.undecodable) == 1
