"""What Flower's routes read: parameters, bodies and search texts. No database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from celery.utils.saferepr import saferepr
from hypothesis import given
from hypothesis import strategies as st

from monitoring.api.flower.parameters import BadParameter, Given
from monitoring.api.flower.search import read_search
from monitoring.api.flower.task_bodies import NOT_TAKEN, read_start
from monitoring.queries.search.grammar import storable
from monitoring.queries.search.matching import holds
from monitoring.queries.search.printing import text_of
from monitoring.queries.search.tree import Pattern, terms

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("True", True), ("1", True), ("on", True), ("0", False), ("no", False)],
)
def test_flag_is_read_as_flower_reads_it(text: str, value: bool) -> None:
    assert Given({"refresh": text}).flag("refresh") is value


def test_what_is_no_number_is_refused_in_flowers_words() -> None:
    with pytest.raises(BadParameter, match=r"^Invalid argument 'x' of type 'int'$"):
        Given({"n": "x"}).whole("n")
    with pytest.raises(BadParameter, match=r"^Missing argument max$"):
        Given({"max": " "}).whole("max", required=True)
    for text in ("nan", "inf", "-Infinity", "1e400"):
        with pytest.raises(BadParameter, match=rf"^Invalid argument '{text}' of type 'float'$"):
            Given({"timeout": text}).number("timeout")
    assert Given({}).whole("n", 1) == 1
    assert Given({"soft": "1.5"}).number("soft") == 1.5


def test_body_without_anything_starts_a_task_without_arguments() -> None:
    start = read_start(b"", UTC)
    assert start.parameters == {"args": [], "kwargs": {}}
    assert start.timeout is None


def test_options_are_numbers_and_times_of_the_celery_app() -> None:
    body = {
        "args": [1],
        "countdown": "3",
        "expires": "60",
        "eta": "2026-11-29 12:00:00.5",
        "queue": "late",
        "timeout": "2.5",
        "priority": None,
    }
    start = read_start(json.dumps(body).encode(), timezone(timedelta(hours=9)))
    assert start.parameters == {
        "args": [1],
        "kwargs": {},
        "countdown": 3.0,
        "expires": 60.0,
        "eta": "2026-11-29T12:00:00.500000+09:00",
        "queue": "late",
    }
    assert start.timeout == 2.5


def test_time_at_which_a_task_expires_becomes_seconds() -> None:
    body = b'{"expires": "2026-11-29 12:01:00.0"}'
    assert read_start(body, UTC, NOON).parameters["expires"] == 60.0


def test_options_that_are_plain_data_are_passed_on() -> None:
    options = {
        "headers": {"tenant": "acme"},
        "shadow": "note for acme",
        "ignore_result": True,
        "serializer": "json",
        "compression": "gzip",
        "retry": False,
        "retry_policy": {"max_retries": 3},
        "add_to_parent": True,
    }
    body = json.dumps({"args": [1], **options}).encode()
    assert read_start(body, UTC).parameters == {"args": [1], "kwargs": {}, **options}


@pytest.mark.parametrize("name", NOT_TAKEN)
def test_option_that_no_request_can_give_is_refused_with_its_reason(name: str) -> None:
    with pytest.raises(BadParameter, match=f"^{name} is not taken: {NOT_TAKEN[name]}"):
        read_start(json.dumps({name: [{"task": "bank.pay"}]}).encode(), UTC)
    assert read_start(json.dumps({name: None}).encode(), UTC).parameters == {"args": [], "kwargs": {}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("[]", "invalid options"),
        ('{"args": 3}', "args must be an array"),
        ('{"kwargs": []}', "kwargs must be an object"),
        ('{"countdown": "soon"}', "Invalid option"),
        ('{"countdown": []}', "Invalid option"),
        ('{"eta": 5}', "Invalid option"),
        ('{"ignore_result": "perhaps"}', "Invalid option"),
        ('{"retry": 1}', "Invalid option"),
        ('{"expires": "later"}', "Invalid option"),
        ('{"timeout": {}}', "Invalid timeout"),
        ('{"timeout": NaN}', "Invalid timeout"),
        ('{"timeout": "nan"}', "Invalid timeout"),
        ('{"timeout": 1e400}', "Invalid timeout"),
        ('{"countdown": NaN}', "Invalid option"),
        ('{"expires": "inf"}', "Invalid option"),
        ("{", "Expecting property name"),
        ("[" * 100_000, "recursion"),
        ("\xff", "decode"),
    ],
)
def test_body_that_is_none_is_refused(body: str, words: str) -> None:
    with pytest.raises(BadParameter, match=words):
        read_start(body.encode("latin-1"), UTC)


@pytest.mark.parametrize(
    ("flower", "ours"),
    [
        ("add", "add"),
        ("name:add*", "name:add*"),
        ("worker:w1* OR state:failure", "worker:w1* OR state:FAILURE"),
        ("(name:a* AND result:x) OR b", "name:a* result:x OR b"),
        ("NOT name:a*", "-name:a*"),
    ],
)
def test_search_with_stars_is_ours(flower: str, ours: str) -> None:
    assert text_of(read_search(flower).tree) == ours


def test_search_finds_parts_of_names_in_any_case() -> None:
    [name, worker] = terms(read_search("name:Add OR NOT worker:w1").tree)
    assert name.values == (Pattern(("Add",), anywhere=True),)
    assert worker.values == (Pattern(("w1",), anywhere=True),)


@pytest.mark.parametrize(
    ("pair", "texts"),
    [
        ("order=7", ("'order': 7,", "'order': 7}", "'order': '7',", "'order': '7'}")),
        (
            '" who = ann lee "',
            ("'who': ann lee,", "'who': ann lee}", "'who': 'ann lee',", "'who': 'ann lee'}"),
        ),
        ("note=", ("'note': '',", "'note': ''}")),
        ("who=O'Neil", ("'who': \"O'Neil\",", "'who': 'O\\'Neil'}")),
        ("path=a\\\\b", ("'path': 'a\\b',", "'path': 'a\\\\b'}")),
    ],
)
def test_keyword_argument_is_looked_for_whole_as_it_is_kept(pair: str, texts: tuple[str, ...]) -> None:
    values = [value for term in terms(read_search(f"kwargs:{pair}").tree) for value in term.values]
    assert {Pattern((text,)) for text in texts} <= set(values)


def test_keyword_argument_with_a_star_is_looked_for_by_its_beginning() -> None:
    tree = read_search("kwargs:order=7*").tree
    assert text_of(tree) == """kwargs:"'order': 7"* OR kwargs:"'order': '7"*"""


@given(text=st.text(st.characters(codec="utf-8", exclude_characters='"\0'), max_size=8))
def test_keyword_argument_of_any_text_is_found_in_what_workers_send(text: str) -> None:
    alternatives = terms(read_search(f'kwargs:"note={text}"'.replace("\\", "\\\\")).tree)
    for kwargs in ({"note": text.strip()}, {"note": text.strip(), "n": 1}):
        for sent in (repr(kwargs), saferepr(kwargs)):
            assert any(
                isinstance(value, Pattern) and holds(value, storable(sent))
                for term in alternatives
                for value in term.values
            ), sent


def test_search_that_cannot_be_read_says_why() -> None:
    assert read_search("(add").mistakes
