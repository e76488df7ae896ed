"""The demo's processes run together or not at all, and leave nothing behind."""

import asyncio
import os
import socket
import subprocess
import sys

import psutil
import pytest
from django.contrib.auth.models import Permission

from project.demo.__main__ import _choices
from project.demo.failures import DemoError
from project.demo.lock import only_demo_here
from project.demo.parts import Part
from project.demo.supervisor import Supervisor
from project.demo.terminal import Terminal
from project.demo.users import create_demo_users
from tests.project.processes import left_of

# Ignores SIGTERM, as a worker that is stuck does, and has a child that would outlive it.
STUBBORN = "trap '' TERM; sleep 600 & echo child $!; wait; wait"


@pytest.fixture
def lock(tmp_path, monkeypatch):
    monkeypatch.setattr("project.demo.lock.VAR", tmp_path)
    with only_demo_here() as descriptor:
        yield descriptor


async def written(capsys, text: str) -> str:
    """What stands on the terminal, as soon as `text` is in it."""
    seen = ""
    async with asyncio.timeout(60):
        while text not in (seen := seen + capsys.readouterr().out):
            await asyncio.sleep(0.02)
    return seen


async def test_a_part_that_ends_is_named_with_its_exit_code(lock, capsys):
    supervisor = Supervisor(Terminal(), dict(os.environ), lock)
    await supervisor.start(Part("broker", ["sleep", "600"]))
    await supervisor.start(Part("beat", ["sh", "-c", "echo the reason; exit 3"]))

    with pytest.raises(DemoError, match="beat ended with exit code 3"):
        await asyncio.wait_for(supervisor.one_ended, 60)
    await supervisor.stop()

    assert "beat     | the reason\n" in capsys.readouterr().out


async def test_a_part_that_is_killed_is_named_with_the_signal(lock):
    supervisor = Supervisor(Terminal(), dict(os.environ), lock)
    await supervisor.start(Part("web", ["sh", "-c", "kill -KILL $$"]))

    with pytest.raises(DemoError, match="web was ended by SIGKILL"):
        await asyncio.wait_for(supervisor.one_ended, 60)
    await supervisor.stop()


async def test_a_worker_that_was_shut_down_comes_back_and_takes_nothing_with_it(lock, capsys, monkeypatch):
    monkeypatch.setattr("project.demo.supervisor.AWAY_SECONDS", 0.1)
    supervisor = Supervisor(Terminal(), dict(os.environ), lock)
    await supervisor.start(Part("broker", ["sleep", "600"]))
    await supervisor.start(Part("worker 1", ["sh", "-c", "echo up; echo so long"], farewell="so long"))

    seen = ""
    while seen.count("worker 1 | up") < 3:
        seen += await written(capsys, "up")
    assert not supervisor.one_ended.done()
    await supervisor.stop()

    assert "worker 1 was shut down; it is started again in 0.1 s" in seen + capsys.readouterr().out


@pytest.mark.parametrize(("does", "code"), [("echo so long; exit 3", 3), ("exit 0", 0)])
async def test_a_worker_that_fails_or_says_nothing_does_not_come_back(lock, does, code):
    supervisor = Supervisor(Terminal(), dict(os.environ), lock)
    await supervisor.start(Part("worker 1", ["sh", "-c", does], farewell="so long"))

    with pytest.raises(DemoError, match=f"worker 1 ended with exit code {code}"):
        await asyncio.wait_for(supervisor.one_ended, 60)
    await supervisor.stop()


async def test_stopping_ends_children_of_a_part_that_does_not_listen(lock, capsys, monkeypatch):
    monkeypatch.setattr("project.demo.supervisor.GRACE_SECONDS", 0.2)
    supervisor = Supervisor(Terminal(), dict(os.environ), lock)
    await supervisor.start(Part("broker", ["sleep", "600"]))
    await supervisor.start(Part("worker", ["sh", "-c", STUBBORN]))
    child = psutil.Process(int((await written(capsys, "child ")).split()[-1]))

    await supervisor.stop()

    assert left_of([child]) == []
    assert not supervisor.one_ended.done(), "a part that was stopped did not end by itself"


async def test_the_broker_is_stopped_after_everything_that_needs_it(lock, capsys, monkeypatch):
    monkeypatch.setattr("project.demo.supervisor.GRACE_SECONDS", 60)
    supervisor = Supervisor(Terminal(), dict(os.environ), lock)
    for name in ("broker", "web", "beat"):
        script = f"trap 'echo {name} stopped; exit' TERM; echo {name} up; while :; do sleep 0.05; done"
        await supervisor.start(Part(name, ["sh", "-c", script]))
        await written(capsys, f"{name} up")

    await supervisor.stop()

    assert capsys.readouterr().out.splitlines()[-1] == "broker   | broker stopped"


async def test_a_line_without_an_end_is_shown_in_pieces(lock, capsys):
    supervisor = Supervisor(Terminal(), dict(os.environ), lock)
    await supervisor.start(Part("web", [sys.executable, "-c", "print('x' * 300_000); input()"]))
    with pytest.raises(DemoError):
        await asyncio.wait_for(supervisor.one_ended, 60)
    await supervisor.stop()

    assert capsys.readouterr().out.count("x") >= 300_000


def test_a_second_demo_in_the_checkout_is_refused_also_while_a_child_is_left(lock):
    child = subprocess.Popen(["sleep", "600"], pass_fds=[lock])
    try:
        os.close(os.dup(lock))
        with pytest.raises(DemoError, match=f"process {os.getpid()}"), only_demo_here():
            pass
    finally:
        child.kill()
        child.wait()


def test_a_taken_port_is_refused_with_a_way_out(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("PORT", str(taken.getsockname()[1]))

        with pytest.raises(DemoError, match=r"not free.*PORT=8001 make demo"):
            _choices()


@pytest.mark.parametrize(("name", "value"), [("PORT", "http"), ("PORT", "70000"), ("TRAFFIC", "huge")])
def test_a_choice_that_makes_no_sense_is_refused_by_name(monkeypatch, name, value):
    monkeypatch.setenv("PORT", "0" if name == "TRAFFIC" else "")
    monkeypatch.setenv("TRAFFIC", "")
    monkeypatch.setenv(name, value)

    with pytest.raises(DemoError, match=f"{name}={value}"):
        _choices()


@pytest.mark.django_db
def test_the_viewer_sees_everything_but_what_is_not_redacted_and_changes_nothing(django_user_model):
    create_demo_users()
    viewer = django_user_model.objects.get(username="viewer")

    everything = {f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.all()}
    assert viewer.get_all_permissions() == {
        name for name in everything if ".view_" in name and not name.startswith("django_celery_results.")
    }
    assert viewer.is_staff


@pytest.mark.django_db
def test_the_operator_controls_but_administers_no_users(django_user_model):
    create_demo_users()
    operator = django_user_model.objects.get(username="operator")

    assert operator.has_perm("monitoring.view_task")
    assert operator.has_perm("monitoring.view_payload")
    assert not operator.is_superuser
    editing = {
        p.codename for p in operator.user_permissions.all() if p.codename.startswith(("add_", "change_"))
    }
    assert editing == {"add_apitoken"}, "of their own"
    assert not operator.has_perm("monitoring.manage_apitoken")


@pytest.mark.django_db
def test_starting_again_signs_nobody_out(django_user_model, client):
    create_demo_users()
    assert client.login(username="admin", password="admin")
    create_demo_users()

    assert client.get("/admin/").status_code == 200
