"""The arguments of a task that is run again, one by one: what is not known is asked for, all else stays as it is."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from monitoring.control.task_verbs.argument_rows import MOST
from tests.e2e.conftest import OpenPage
from tests.e2e.test_bulk import grant
from tests.e2e.test_every_page import serious
from tests.e2e.test_rerun import broker, failed, sent

__all__ = ["broker"]

pytestmark = pytest.mark.django_db(transaction=True)

SPLIT = """async (texts) => {
    const address = document.querySelector("script[src*='js/control']").src;
    const { split } = await import(new URL("control/split.js", address));
    return texts.map((text) => split(text)?.map(({ start, end, name }) => [name, text.slice(start, end)]) ?? null);
}"""
MISSING = "Its value was never stored. The task cannot run without it."
#: What JavaScript's own numbers and objects would change, and what is HTML.
HOSTILE = (
    '[["marta", "<script>document.title = 1</script>"], {"z": 12345678901234567890, "amount": 1.0, "10": 1e40, '
    '"2": [1.10, {"b": 1, "a": 2}], "a \\"<b>": "é \\\\ \\" , [ } \\u0000 日本", "token": "[redacted]", '
    '"lines": [{"sku": "A"}, "..."]}]'
)


@pytest.fixture
def _registered(settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "CELERY_APP": "tests.control.fleet_app.app"}


def ask(open_page: OpenPage, arguments: str, are: str = "redacted", **options: Any) -> Page:
    """The question above the page of a task with these arguments."""
    told = {"full_ts": 1, "full_tie": 1, "received_ts": 1, "received_tie": 1}
    failed(1, arguments=arguments, arguments_are=are, **told).save()
    grant("rerun_task")
    page = open_page("monitoring/task/failed-1/change/", **options)
    page.get_by_role("link", name="Run again").click()
    expect(page.locator(".mon-question")).to_be_visible()
    return page


def cells(page: Page) -> list[list[str]]:
    return [
        [row.locator("th").inner_text(), row.locator("[data-argument]").input_value(), known(row)]
        for row in page.locator("[data-arguments] tbody tr").all()
    ]


def known(row: Locator) -> str:
    return row.locator(".mon-argument-known").inner_text()


def run(page: Page) -> Locator:
    return page.get_by_role("button", name="Run")


def box(page: Page, name: str) -> str:
    return page.locator(f"[name={name}]").input_value()


def test_each_argument_is_a_row_and_the_button_waits_for_all_that_are_not_known(
    open_page: OpenPage, broker: str
) -> None:
    page = ask(open_page, '[[48213],{"token":"[redacted]","card":{"number":"[redacted]"},"lines":"[{..."}]')
    expect(page.locator(".mon-question [role=status]")).to_have_text(
        "3 of 4 arguments are not known. token, card.number were redacted before they were stored, "
        "lines was cut by the worker."
    )
    assert cells(page) == [
        ["args[0]", "48213", "exact"],
        ["token", "", "redacted"],
        ["card", '{"number": "[redacted]"}', "redacted"],
        ["lines", '"[{..."', "cut"],
    ]
    expect(page.get_by_label("token")).to_be_focused()
    for name, words in (
        ("token", MISSING),
        ("card", "A part of it was never stored. Put the real value in the place of [redacted]."),
        ("lines", "It ends with “…”. Complete it."),
    ):
        expect(page.get_by_label(name, exact=True)).to_have_accessible_description(words)
    expect(run(page)).to_be_disabled()

    page.get_by_label("token").fill('"tok_1"')
    page.get_by_label("card").fill('{"number": "4111"}')
    expect(run(page)).to_be_disabled()
    expect(run(page)).to_have_attribute("title", "lines: It ends with “…”. Complete it.")
    page.get_by_label("lines").fill("[]")
    expect(run(page)).to_be_enabled()
    expect(page.get_by_label("lines")).to_have_accessible_description("")
    page.get_by_label("token").fill("")
    expect(run(page)).to_be_disabled()
    assert '"[redacted]"' in box(page, "kwargs")
    page.get_by_label("token").fill('"tok_2"')
    assert [row[2] for row in cells(page)] == ["exact", "edited", "edited", "edited"]

    page.get_by_label("I have looked").check()
    run(page).click()
    expect(page.locator(".mon-lineage")).to_contain_text("Rerun as")
    assert sent(broker) == [[[48213], {"token": "tok_2", "card": {"number": "4111"}, "lines": []}]]


@pytest.mark.usefixtures("_registered")
def test_what_is_not_touched_stays_as_it_is_character_by_character(open_page: OpenPage) -> None:
    page = ask(open_page, HOSTILE)
    before = box(page, "kwargs")
    args, kwargs = json.loads(HOSTILE)
    assert [row[:2] for row in cells(page)] == [
        ["args[0]", '"marta"'],
        ["args[1]", '"<script>document.title = 1</script>"'],
        ["z", "12345678901234567890"],
        ["amount", "1.0"],
        ["10", "1e+40"],
        ["2", '[1.1, {"b": 1, "a": 2}]'],
        ['a "<b>', r'"é \\ \" , [ } \u0000 日本"'],
        ["token", ""],
        ["lines", '[{"sku": "A"}, "..."]'],
    ]
    page.get_by_label("token").fill('"tok"')
    page.get_by_label("lines").fill("[ 2.0 ]")
    assert box(page, "kwargs") == before.replace("[redacted]", "tok").replace(
        '[{"sku": "A"}, "..."]', "[ 2.0 ]"
    )
    assert "12345678901234567890" in box(page, "kwargs")
    assert json.loads(box(page, "args")) == args
    assert list(json.loads(box(page, "kwargs"))) == list(kwargs)
    expect(page).to_have_title(re.compile("failed-1|note"))


def test_numbers_that_javascript_would_change_arrive_as_they_were(open_page: OpenPage, broker: str) -> None:
    page = ask(open_page, '[[1.0],{"z":1.0,"n":12345678901234567890,"1":2,"a":"[redacted]"}]')
    page.get_by_label("a", exact=True).fill("98765432109876543210")
    page.get_by_label("I have looked").check()
    run(page).click()
    expect(page.locator(".mon-lineage")).to_contain_text("Rerun as")
    assert repr(sent(broker)) == (
        "[[[1.0], {'z': 1.0, 'n': 12345678901234567890, '1': 2, 'a': 98765432109876543210}]]"
    )


@pytest.mark.usefixtures("_registered")
def test_the_split_of_json_gives_the_source_of_each_value(open_page: OpenPage) -> None:
    grant("run_task")
    page = open_page("monitoring/task/_start/")
    texts = [
        "[]", "{}", " [ ] ", "[[]]", "[1]", ' [ 1.0 ,\n\t"a,]\\"}" , {"b": [1, {"c": "}"}]} ] ',
        '{"a": 1, "a": 2, "": null, "x\\"\\u00e9:": "\\\\", "n": {"m": [[], {}]}}', '["\\\\", "\\"", "\\\\\\""]',
        "[12345678901234567890, 1.0, 1e5, -0, true]", f'["{"x" * 300_000}", "{chr(92) * 100_000}"]',
        "[" * 150 + "]" * 150,
    ]  # fmt: skip
    found = page.evaluate(SPLIT, texts)
    for text, values in zip(texts, found, strict=True):
        whole = json.loads(text, object_pairs_hook=list)
        pairs = whole if text.strip().startswith("{") else [(None, value) for value in whole]
        assert [(name, json.loads(source, object_pairs_hook=list)) for name, source in values] == [
            tuple(pair) for pair in pairs
        ]
        assert all(source == source.strip() and source in text for _, source in values)
    no_json = ["", "1", '"[1]"', "[1", "[1,]", "{1}", "[NaN]", "[1] [2]", "null"]
    assert page.evaluate(SPLIT, no_json) == [None] * len(no_json)


@pytest.mark.usefixtures("_registered")
def test_what_is_no_json_keeps_the_button_back_and_never_becomes_two_arguments(open_page: OpenPage) -> None:
    page = ask(open_page, "[[1, 2],{}]", are="exact")
    expect(run(page)).to_be_enabled()
    value = page.get_by_label("args[0]")
    for wrong in ("", "EUR", "1, 2", "1], [2", "'a'"):
        value.fill(wrong)
        expect(run(page)).to_be_disabled()
    value.blur()
    expect(value).to_have_accessible_description('This is no JSON. A text stands in double quotes: "EUR".')
    value.fill('"EUR"')
    expect(value).to_have_accessible_description("")
    expect(run(page)).to_be_enabled()
    assert box(page, "args") == '["EUR", 2]'


@pytest.mark.usefixtures("_registered")
def test_rows_and_json_are_two_views_of_the_same(open_page: OpenPage) -> None:
    page = ask(open_page, '[[1],{"a":"[redacted]"}]')
    page.get_by_label("args[0]").fill("7")
    as_json = page.get_by_label("Edit as JSON")
    as_json.check()
    expect(page.locator("[data-arguments] table")).to_be_hidden()
    expect(page.locator("[name=args]")).to_have_value("[7]")
    expect(run(page)).to_be_disabled()
    page.locator("[name=kwargs]").fill('{"b": 12345678901234567890, "a": "x"}')
    expect(run(page)).to_be_enabled()
    as_json.uncheck()
    expect(page.locator("[name=kwargs]")).to_be_hidden()
    assert cells(page) == [
        ["args[0]", "7", "edited"],
        ["b", "12345678901234567890", "added"],
        ["a", '"x"', "edited"],
    ]
    as_json.check()
    page.locator("[name=kwargs]").fill('{"b": ')
    as_json.uncheck()
    expect(page.locator("[name=kwargs]")).to_be_visible()
    assert [row[0] for row in cells(page)] == ["args[0]"]


@pytest.mark.usefixtures("_registered")
def test_where_keyword_arguments_were_cut_off_nothing_is_sent_under_an_empty_name(
    open_page: OpenPage,
) -> None:
    failed(1).save()
    task = failed(2)
    task.kwargs = "{'a': 1, ...}"
    task.save()
    grant("rerun_task")
    page = open_page("monitoring/task/failed-2/change/")
    page.get_by_role("link", name="Run again").click()
    expect(page.get_by_label("…")).to_have_accessible_description(re.compile("^More arguments were cut here"))
    expect(page.get_by_label("…")).not_to_be_editable()
    expect(run(page)).to_be_disabled()
    assert [row[2] for row in cells(page)] == ["not certain", "not certain", "cut"]


@pytest.mark.usefixtures("_registered")
@pytest.mark.parametrize("name", ["a [redacted] b", "abc..."])
def test_a_name_that_is_not_known_keeps_the_button_back(open_page: OpenPage, name: str) -> None:
    page = ask(open_page, json.dumps([[], {name: 1}]))
    expect(page.get_by_label(name)).to_have_accessible_description(
        re.compile("^Its name is not known in full")
    )
    expect(run(page)).to_be_disabled()


@pytest.mark.usefixtures("_registered")
def test_on_a_page_of_its_own_it_is_the_same_and_a_mistake_that_the_server_found_shows_the_box(
    open_page: OpenPage,
) -> None:
    page = ask(open_page, '[[],{"a":"[redacted]","b":"[redacted]"}]')
    page.goto(page.get_by_role("link", name="Run again", include_hidden=True).get_attribute("href") or "")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.get_by_label("a", exact=True)).to_have_accessible_description(MISSING)
    deep = "[" * 300 + "]" * 300
    page.get_by_label("a", exact=True).fill(deep)
    page.get_by_label("b", exact=True).fill("2")
    page.get_by_label("I have looked").check()
    run(page).click()
    expect(page.get_by_role("alert").first).to_contain_text("nested more than")
    expect(page.locator("[name=kwargs]")).to_have_value(f'{{"a": {deep}, "b": 2}}')
    expect(page.get_by_label("Edit as JSON")).to_be_checked()


@pytest.mark.usefixtures("_registered")
def test_what_was_typed_is_there_when_the_browser_comes_back(open_page: OpenPage) -> None:
    page = ask(open_page, '[[],{"a":"[redacted]","b":1}]')
    page.goto(page.get_by_role("link", name="Run again", include_hidden=True).get_attribute("href") or "")
    page.get_by_label("a", exact=True).fill('"x"')
    page.goto("/admin/")
    page.go_back()
    expect(page.get_by_label("a", exact=True)).to_have_value('"x"')
    expect(run(page)).to_be_enabled()


@pytest.mark.usefixtures("_registered")
def test_many_or_long_arguments_stay_json(open_page: OpenPage) -> None:
    many = json.dumps([[], {f"key_{number}": "x" * 200 for number in range(5 * MOST)}])
    page = ask(open_page, many, are="exact")
    expect(page.locator("[name=kwargs]")).to_be_visible()
    expect(page.locator("[data-arguments] tbody tr")).to_have_count(0)
    expect(run(page)).to_be_enabled()
    as_json = page.get_by_label("Edit as JSON")
    as_json.check()
    page.locator("[name=args]").fill(json.dumps(["x" * 100_000]))
    as_json.uncheck()
    expect(page.locator("[name=args]")).to_be_visible()
    expect(page.locator("[data-arguments] tbody tr")).to_have_count(0)


@pytest.mark.usefixtures("_registered")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390, 360])
def test_axe_finds_nothing_in_the_rows_and_no_page_scrolls_sideways(
    open_page: OpenPage, theme: str, width: int
) -> None:
    page = ask(open_page, HOSTILE, theme=theme, width=width)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    dialog: Any = page.locator("dialog[open]").evaluate("dialog => dialog.scrollWidth - dialog.clientWidth")
    assert dialog <= 0


def test_without_a_script_the_boxes_are_sent_as_they_are(open_page: OpenPage, broker: str) -> None:
    page = ask(open_page, '[[],{"a":"[redacted]","z":1.0}]', scripts=False)
    expect(page.locator("[data-arguments]")).to_be_hidden()
    expect(page.locator(".mon-question [role=status]")).to_contain_text("1 of 2 arguments is not known.")
    page.locator("[name=kwargs]").fill('{"a": 12345678901234567890, "z": 1.0}')
    page.get_by_label("I have looked").check()
    run(page).click()
    expect(page.locator(".mon-lineage")).to_contain_text("Rerun as")
    assert repr(sent(broker)) == "[[[], {'a': 12345678901234567890, 'z': 1.0}]]"
