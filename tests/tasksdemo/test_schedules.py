"""The demo's schedules, in django-celery-beat."""

import pytest
from celery import current_app
from django.core.management import call_command
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from tasksdemo.schedules import SCHEDULES, create_schedules

pytestmark = pytest.mark.django_db


def test_each_schedule_names_a_task_that_exists_and_can_be_reckoned():
    current_app.loader.import_default_modules()
    create_schedules()

    rows = PeriodicTask.objects.filter(task__startswith="tasksdemo.")
    assert {row.name for row in rows} == {schedule.name for schedule in SCHEDULES}
    for row in rows:
        assert row.task in current_app.tasks
        assert row.schedule.remaining_estimate(row.date_changed) is not None


def test_created_once_however_often_the_command_runs(capsys):
    call_command("tasksdemo_schedule")
    call_command("tasksdemo_schedule")

    assert PeriodicTask.objects.filter(name="Warm price cache").count() == 1
    assert IntervalSchedule.objects.filter(every=15, period="seconds").count() == 1
    assert CrontabSchedule.objects.filter(hour="5", minute="30").count() == 1
    assert "0 schedules created" in capsys.readouterr().out


def test_what_somebody_switched_off_stays_off():
    create_schedules()
    PeriodicTask.objects.filter(name="Warm price cache").update(enabled=False)

    assert create_schedules() == []
    assert not PeriodicTask.objects.get(name="Warm price cache").enabled


def test_removing_leaves_the_schedules_of_others(capsys):
    create_schedules()
    interval = IntervalSchedule.objects.create(every=7, period="days")
    PeriodicTask.objects.create(name="Somebody else's", task="shop.tasks.x", interval=interval)

    call_command("tasksdemo_schedule", remove=True)

    assert list(PeriodicTask.objects.values_list("name", flat=True)) == ["Somebody else's"]
    assert f"{len(SCHEDULES)} schedules removed" in capsys.readouterr().out
