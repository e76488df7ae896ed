"""What is written of arguments is what the task was given, or says that it is not."""

import datetime
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kombu.utils.json import dumps, loads

from monitoring.arguments import MAX_DEPTH, MAX_LENGTH, Standing, check, is_too_deep, read, read_typed, write
from monitoring.ingest.redaction import Redactor

redactor = Redactor()
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.binary(max_size=20),
    st.dates(),
    st.datetimes(timezones=st.sampled_from([None, datetime.UTC])),
    st.times(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.uuids(),
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30
)
calls = st.tuples(st.lists(values, max_size=4), st.dictionaries(st.text(), values, max_size=4))


def over_the_broker(args: Any, kwargs: Any) -> Any:
    """What a worker is given of them, by kombu's JSON. A dict that looks like one of its marks never gets through."""
    try:
        return loads(dumps([args, kwargs]))
    except Exception:
        return None


@given(calls, st.booleans())
def test_exact_means_equal_however_nested_and_in_whatever_language(call, came_as_json):
    received = over_the_broker(*call)
    if received is None:
        return
    text, standing = write(*received, redactor, came_as_json=came_as_json)
    if standing is Standing.EXACT:
        assert repr(read_typed(text)) == repr(tuple(received))
        assert check(text, standing, redactor, MAX_LENGTH) == (text, standing), (
            "kept as it is by the consumer"
        )
        assert text.isascii()
        assert "\0" not in text
    else:
        assert standing is Standing.REDACTED
        assert "[redacted" in text


@pytest.mark.parametrize(
    "value",
    [(1, 2), {1: "a"}, {1, 2}, object, [(1,)], float("nan"), range(3), {"a": {"b": (1,)}}],
    ids=repr,
)
def test_what_json_would_change_is_not_exact(value):
    assert write([value], {}, redactor, came_as_json=False) == (None, Standing.NOT_JSON)


def test_deeper_than_anybody_reads_is_not_json():
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert write(deep, {}, redactor)[1] is Standing.NOT_JSON
    assert check("[" * 100_000 + '"\\u0041"', "exact", redactor, MAX_LENGTH * 2) == (None, Standing.NOT_JSON)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"password": "hunter2"},
        {"api key": "hunter2"},
        {"api.key": "hunter2"},
        {"API-KEY": ["hunter2"]},
        {"note": "password=hunter2"},
        {"note": 'say "token": "hunter2"'},
        {"deep": [{"er": [{"access_token": {"is": "hunter2"}}]}]},
        {"argv": ["--password", "hunter2"]},
        {"url": "amqp://bob:hunter2@broker//"},
    ],
    ids=str,
)
def test_secrets_are_taken_out_and_it_says_so(kwargs):
    text, standing = write([1], kwargs, redactor)
    assert standing is Standing.REDACTED
    assert "hunter2" not in text
    assert read(text)[0] == [1]


def test_a_projects_own_pattern_is_looked_for_in_the_values_not_in_their_json():
    text, standing = write(['a "quoted\n" word'], {}, Redactor((), [r'"quoted\n"']))
    assert standing is Standing.REDACTED
    assert "quoted" not in text


def test_a_consumer_believes_no_worker():
    raw = json.dumps([[], {"password": "hunter2"}])
    text, standing = check(raw, "exact", redactor, MAX_LENGTH)
    assert standing is Standing.REDACTED
    assert "hunter2" not in text
    for wrong in ("\0", 5, None, '["\x01"]', '["\\'):
        assert check(wrong, "exact", redactor, MAX_LENGTH) == (None, Standing.NOT_JSON)
    for standing in ("of course", [], {"exact": 1}, 3, True, None):
        assert check("[[],{}]", standing, redactor, MAX_LENGTH) == (None, Standing.NOT_JSON)
    assert check("[[],{}]", "redacted", redactor, MAX_LENGTH) == ("[[],{}]", Standing.REDACTED)


def test_what_is_too_large_has_no_text():
    assert write(["x" * 100], {}, redactor, 50) == (None, Standing.TOO_LARGE)
    assert check('[["' + "x" * 100 + '"],{}]', "exact", redactor, 50) == (None, Standing.TOO_LARGE)
    assert check(None, "too large", redactor, 50) == (None, Standing.TOO_LARGE)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[[NaN],{}]", "[" * 100_000, "[]", "[[]]", "[1,2]", "[[],{},1]", "[{},[]]", '[["a"],{}'],
    ids=lambda text: text[:12],
)
def test_what_is_no_pair_of_args_and_kwargs_is_not_read(text):
    for reader in (read, read_typed):
        with pytest.raises(ValueError, match=r".*"):
            reader(text)


def test_what_is_nested_deeper_than_every_worker_reads_is_not_read():
    for make in (lambda inner: [inner], lambda inner: {"in": inner}):
        deep: Any = 1
        for _ in range(MAX_DEPTH):
            deep = make(deep)
        assert not is_too_deep(deep)
        assert is_too_deep(make(deep))
    deep_list = json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert read(json.dumps([deep_list, {}])) == (deep_list, {})
    for reader in (read, read_typed):
        with pytest.raises(ValueError, match="too deep"):
            reader(json.dumps([[deep_list], {}]))


def test_a_mark_with_nonsense_behind_it_is_not_read():
    with pytest.raises(ValueError, match=r".*"):
        read_typed('[[{"__type__":"uuid","__value__":5}],{}]')
