"""`manage.py monitoring`: what it lists, what it refuses, and what a hostile text cannot do to a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from monitoring.command_line import tail
from monitoring.command_line.plain import plain, plain_lines
from monitoring.command_line.table import table
from monitoring.models import FeedEntry, Task
from tests.factories import make_event, make_task, make_worker
from tests.services.consuming import ROOT

HOSTILE = "\x1b]0;owned\x07\x9b2J\u202egnp\nshop.pay\r\u2028"


def said(*words: str) -> str:
    """What it writes for people to read, and what it writes beside that."""
    out, err = StringIO(), StringIO()
    call_command("monitoring", *words, stdout=out, stderr=err, no_color=True)
    return out.getvalue() + err.getvalue()


def ids(*words: str) -> list[str]:
    return [row["task_id"] for row in rows("tasks", *words)]


def rows(*words: str) -> list[dict[str, Any]]:
    """The objects that it writes for programs to read."""
    out = StringIO()
    call_command("monitoring", *words, "--json", stdout=out, stderr=StringIO())
    return [json.loads(line) for line in out.getvalue().splitlines()]


def code(*words: str) -> int:
    with pytest.raises(CommandError) as error:
        said(*words)
    return error.value.returncode


def test_what_a_terminal_would_obey_is_written_out() -> None:
    assert plain(HOSTILE) == r"\x1b]0;owned\x07\x9b2J\u202egnp\nshop.pay\r\u2028"
    assert plain("Zürich, 東京, 5 €") == "Zürich, 東京, 5 €"
    assert plain_lines("a\n\tb\x1b") == ["a", r"    b\x1b"]


def test_table_has_columns_as_wide_as_their_cells_and_cuts_visibly() -> None:
    lines = table(("NAME", "ID"), [("x" * 100, "y" * 100), ("short", "z")], whole=("ID",))
    assert lines[0] == "NAME" + " " * 58 + "ID"
    assert lines[1] == "x" * 59 + "…  " + "y" * 100
    assert lines[2].split() == ["short", "z"]


def test_style_takes_no_room() -> None:
    lines = table(("STATE", "N"), [("OK", "1"), ("FAILURE", "2")], style=lambda column, cell: f"<{cell}>")
    assert lines[1:] == ["<OK>       <1>", "<FAILURE>  <2>"]


@pytest.mark.django_db
def test_tasks_are_filtered_as_on_the_page() -> None:
    now = timezone.now()
    make_task("old", first_seen=now - timedelta(hours=5), state="FAILURE", exception_type="KeyError")
    make_task("new", first_seen=now - timedelta(hours=1), state="FAILURE", name="shop.pay", queue="mail")
    make_task("fine", first_seen=now, runtime=12.5)
    assert ids() == ["fine", "new", "old"]
    assert ids("--state", "FAILURE", "--since", "2h") == ["new"]
    assert ids("--until", "2h") == ["old"]
    assert ids("--state", "failure", "--state", "RETRY") == ["new", "old"]
    assert ids("--name", "shop.p*", "--queue", "mail") == ["new"]
    assert ids("--search", "runtime:>10s") == ["fine"]
    assert ids("--sort", "runtime", "--limit", "1") == ["new"]
    shown = said("tasks", "--limit", "1")
    assert "SUCCESS" in shown
    assert "12.5 s" in shown
    assert "there are more (--limit)" in shown


@pytest.mark.django_db
def test_json_has_every_column_as_it_is_stored() -> None:
    make_task("one", args="('[redacted]',)", kwargs="{'é': 1}", traceback="Traceback\n" + "x" * 500)
    [row] = rows("tasks")
    assert (row["args"], row["kwargs"], len(row["traceback"])) == ("('[redacted]',)", "{'é': 1}", 510)
    whole = json.loads(said("task", "one", "--json"))
    assert (whole["task_id"], whole["events"]) == ("one", [])


@pytest.mark.django_db
def test_task_is_shown_with_its_events() -> None:
    task = make_task("one", state="FAILURE", exception="ValueError('no')", traceback="Traceback:\n  boom")
    make_event(task, "task-failed", after=2, exception="ValueError('no')")
    shown = said("task", "one")
    assert "traceback:\n    Traceback:\n      boom\n" in shown
    assert "task-failed" in shown.partition("events:")[2]


@pytest.mark.django_db
@pytest.mark.parametrize("word", [["tasks"], ["task", "one"], ["workers"], ["tail", "--count", "1"]])
@pytest.mark.parametrize("style", [[], ["--json"]])
def test_hostile_texts_reach_no_terminal(
    word: list[str], style: list[str], changes: Callable[..., None]
) -> None:
    task = make_task(
        "one", name=HOSTILE, queue=HOSTILE, args=HOSTILE, exception_type=HOSTILE, traceback=HOSTILE,
        worker=HOSTILE, progress=0.5, progress_message=HOSTILE,
    )  # fmt: skip
    make_event(task, "task-" + HOSTILE, worker=HOSTILE, exception=HOSTILE)
    make_worker(HOSTILE, pool=HOSTILE, queues=[HOSTILE])
    changes("one")
    shown = said(*word, *style)
    assert r"\u202e" in shown
    assert not set(shown) & set(HOSTILE) - set("]0;owned2Jgnpshop.pay\n")


@pytest.mark.django_db
def test_mistakes_and_what_is_not_there_have_exit_codes() -> None:
    assert code("task", "nobody") == 1
    assert code("task", "nul\0") == 1
    assert code("tasks", "--state", "BROKEN") == 2
    assert code("tasks", "--since", "yesterday") == 2
    assert code("tasks", "--search", "(a") == 2
    assert code("tasks", "--limit", "0") == 2
    assert code("tasks", "--sort", "args") == 2
    assert code("tail", "--search", "(a") == 2


@pytest.mark.django_db
def test_workers_are_listed() -> None:
    make_worker("celery@w1", queues=["mail", "media"])
    make_worker("celery@w2", online=False, pool=None, load_average=None)
    shown = said("workers").splitlines()
    assert [line.split()[:2] for line in shown[1:]] == [["offline", "celery@w2"], ["online", "celery@w1"]]
    assert "mail, media" in shown[2]
    [row] = rows("workers", "--online")
    assert (row["hostname"], row["queues"]) == ("celery@w1", ["mail", "media"])


def tail_sleeps_by(sleep: Callable[[float], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Not `time.sleep` itself, which threads of other tests may be calling."""
    monkeypatch.setattr(tail, "time", SimpleNamespace(sleep=sleep, monotonic=time.monotonic))


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What consumers commit while tail waits, one change a look."""
    waiting: list[str] = []

    def commit(seconds: float) -> None:
        assert waiting, "tail waits for more than there is"
        FeedEntry.objects.create(at=timezone.now(), tasks=[waiting.pop(0)], changes=1)

    tail_sleeps_by(commit, monkeypatch)
    return lambda *task_ids: waiting.extend(task_ids)


@pytest.mark.django_db
def test_tail_writes_what_changes_and_matches_once(changes: Callable[..., None]) -> None:
    FeedEntry.objects.create(at=timezone.now(), tasks=["before"])
    for task_id, state in (
        ("before", "STARTED"),
        ("one", "STARTED"),
        ("other", "SUCCESS"),
        ("two", "STARTED"),
    ):
        make_task(task_id, state=state)
    changes("one", "other", "one", "two")
    lines = rows("tail", "--state", "STARTED", "--count", "2")
    assert [(line["task_id"], line["state"]) for line in lines] == [("one", "STARTED"), ("two", "STARTED")]


@pytest.mark.django_db
def test_tail_says_that_nobody_consumes_and_ends_when_told(changes: Callable[..., None]) -> None:
    changes("one", "one")
    Task.objects.all().delete()
    assert "No event consumer is running" in said("tail", "--seconds", "0")


@pytest.mark.django_db
def test_ctrl_c_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    tail_sleeps_by(interrupt, monkeypatch)
    said("tail")


def test_misuse_and_an_unmigrated_database_have_exit_codes(tmp_path: Any) -> None:
    """In a process, which alone has an exit code."""
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}"}
    environment |= {"DJANGO_SETTINGS_MODULE": "project.settings", "DJANGO_SECRET_KEY": settings.SECRET_KEY}
    command = [sys.executable, "manage.py", "monitoring"]
    wrong = subprocess.run([*command, "taskz"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (wrong.returncode, "tasks" in wrong.stderr) == (2, True)
    empty = subprocess.run([*command, "tasks"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (empty.returncode, "The database cannot be read" in empty.stderr) == (1, True)
