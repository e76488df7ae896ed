"""Templates compile, obey the policy, and style comes from the tokens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

import monitoring
from monitoring.admin.base import STYLE_SHEETS
from monitoring.icons import STATE_ICONS
from monitoring.models.task import State
from tests.factories import count_statistics, make_dead_letter, make_event, make_gap, make_task, make_worker

ROOT = Path(monitoring.__file__).parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = sorted((ROOT / "static/monitoring/css").glob("*.css"))
TOKENS = (ROOT / "static/monitoring/css/tokens.css").read_text()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_template_compiles(path: Path) -> None:
    get_template(str(path.relative_to(ROOT / "templates")))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_template_has_nothing_that_a_strict_policy_forbids(path: Path) -> None:
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", path.read_text(), flags=re.S)
    assert not re.search(r"\sstyle\s*=|<style|\son[a-z]+\s*=|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@pytest.mark.django_db
def test_pages_have_nothing_that_a_strict_policy_forbids(admin_client: Client) -> None:
    now = timezone.now()
    task = make_task("x", state="FAILURE", exception="E()", traceback="t", finished_at=now)
    make_event(task, "task-started", 1)
    make_worker("w")
    make_dead_letter()
    make_gap()
    every = IntervalSchedule.objects.create(every=60, period="seconds")
    PeriodicTask.objects.create(name="nightly", task="shop.tasks.send_email", interval=every)
    make_task()
    count_statistics()
    for path in (
        "task/",
        "task/x/change/",
        "worker/",
        "worker/w/change/",
        "deadletter/",
        "gap/",
        "schedule/",
        "config/",
        "",
        "statistic/",
        "statistic/?name=shop.tasks.send_email",
        "statistic/?name=shop.tasks.send_email&tab=definition",
    ):
        html = admin_client.get(reverse("admin:index") + "monitoring/" + path).content.decode()
        assert not re.search(r"<[^>]+\sstyle\s*=|<style|<[^>]+\son[a-z]+\s*=", html), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", html), path
        assert not re.search(r'(?:src|<link[^>]*\shref)="(?:https?:)?//', html), (
            f"{path}: everything is served from here"
        )
        ids = re.findall(r'\sid="([^"]+)"', html)
        assert len(ids) == len(set(ids)), path


def test_every_style_sheet_is_linked() -> None:
    assert {Path(sheet).name for sheet in STYLE_SHEETS if "/vendor/" not in sheet} == {
        path.name for path in STYLES
    }


@pytest.mark.parametrize(
    "path", [path for path in STYLES if path.name != "tokens.css"], ids=lambda path: path.name
)
def test_only_the_tokens_hold_colours_and_sizes(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    text = re.sub(r"@(?:media|container)[^{]*", "", text)
    assert not re.search(r"#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(", text, re.I)
    assert not re.search(r"\b\d*\.?\d+(?:px|rem|em|pt)\b", text)
    used = set(re.findall(r"var\((--mon-[\w-]+)", text))
    assert used <= set(re.findall(r"(--mon-[\w-]+):", TOKENS))


def blocks() -> dict[str, dict[str, str]]:
    """The colours of each theme by name: light, dark by choice, dark by the system."""
    found = re.findall(r'(@media[^{]*dark\)\s*\{\s*)?(:root,\s*html\[data-theme="light"\]|html\[data-theme="dark"\]'
                       r"|:root)\s*\{(.*?)\}", TOKENS, re.S)  # fmt: skip
    themes = {}
    for media, selector, body in found:
        colours = dict(re.findall(r"--mon-([\w-]+):\s*([^;]+);", body))
        if "light" in selector:
            themes["light"] = colours
        elif "dark" in selector:
            themes["dark"] = colours
        elif media:
            themes["auto"] = colours
    return themes


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_dark_is_the_same_by_choice_and_by_the_system() -> None:
    assert blocks()["dark"] == blocks()["auto"]
    assert blocks()["dark"].keys() == blocks()["light"].keys()


@pytest.mark.parametrize(("theme", "ground"), [("light", "#ffffff"), ("dark", "#121212")])
@pytest.mark.parametrize("state", State.values)
def test_badges_and_bars_can_be_read(theme: str, ground: str, state: str) -> None:
    colours, name = blocks()[theme], state.lower()
    assert contrast(colours[f"{name}-fg"], colours[f"{name}-bg"]) >= 4.5
    assert contrast(colours[f"{name}-solid"], ground) >= 3


@pytest.mark.parametrize(("theme", "ground"), [("light", "#ffffff"), ("dark", "#121212")])
def test_lines_of_charts_can_be_seen(theme: str, ground: str) -> None:
    colours = blocks()[theme]
    lines = ["p50", "p95", "p99", *(f"s{number}" for number in range(1, 7)), "success-area"]
    assert [name for name in lines if contrast(colours[name], ground) < 3] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["bad", "warn", "good"])
def test_notices_can_be_read(theme: str, kind: str) -> None:
    colours = blocks()[theme]
    assert contrast(colours[f"{kind}-fg"], colours[f"{kind}-bg"]) >= 4.5


def test_every_state_has_an_icon() -> None:
    assert STATE_ICONS.keys() == set(State.values)


def _top_rules(path: Path) -> dict[str, dict[str, str]]:
    """Of a style sheet, properties by selector; what is inside of a query is left out."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    text = re.sub(r"@[a-z]+[^{;]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", text)
    rules: dict[str, dict[str, str]] = {}
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", text):
        pairs = dict(part.split(":", 1) for part in body.split(";") if ":" in part)
        for selector in selectors.split(","):
            rules.setdefault(selector.strip(), {}).update(
                (name.strip(), value.strip()) for name, value in pairs.items()
            )
    return rules


def test_no_sheet_takes_back_what_another_says_of_the_same_selector() -> None:
    """All sheets stand on all pages: a class that two of them define is one class, with the properties of the last."""
    said: dict[tuple[str, str], set[str]] = {}
    for path in STYLES:
        for selector, properties in _top_rules(path).items():
            for name in properties:
                said.setdefault((selector, name), set()).add(path.name)
    assert {key: files for key, files in said.items() if len(files) > 1} == {}
