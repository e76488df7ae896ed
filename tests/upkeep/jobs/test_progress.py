"""Progress in django-celery-results becomes progress of the task."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_results.models import TaskResult

from monitoring.ingest.decoding import Decoder
from monitoring.ingest.redaction import Redactor
from monitoring.ingest.stores import store_for
from monitoring.ingest.stores.contract import Batch
from monitoring.models import FeedEntry, Task, TaskEvent
from monitoring.upkeep.jobs import progress


@pytest.fixture
def results(using, lease, monkeypatch):
    """Rows of the result backend in the same database as what is watched."""
    from django_celery_results import managers

    monkeypatch.setattr(
        managers.TaskResultManager, "get_queryset", _on(using, managers.TaskResultManager.get_queryset)
    )
    return TaskResult.objects.db_manager(using)


def _on(using, get_queryset):
    return lambda self: get_queryset(self).using(using)


def start(using, task_id, seconds_ago=10):
    at = timezone.now().timestamp() - seconds_ago
    event = {"type": "task-started", "uuid": task_id, "hostname": "celery@w1", "timestamp": at}
    store_for(using).write(
        Batch(tasks=Decoder(Redactor(), 1_000).decode(json.dumps(event), "application/json").tasks)
    )


def report(results, task_id, meta, status="PROGRESS", **fields):
    results.update_or_create(
        task_id=task_id,
        defaults={
            "status": status,
            "result": json.dumps(meta),
            "content_type": "application/json",
            "content_encoding": "utf-8",
            "worker": "celery@w1",
            **fields,
        },
    )


def test_the_newest_progress_of_a_running_task_is_stored_once(using, lease, results):
    start(using, "a")
    report(results, "a", {"current": 41, "total": 100, "message": "password=hunter2 reading"})

    assert progress.run(lease) == "Running tasks with new progress: 1."
    task = Task.objects.using(using).get(pk="a")
    assert (task.progress, task.progress_current, task.progress_total) == (0.41, 41, 100)
    assert "reading" in task.progress_message
    assert "hunter2" not in task.progress_message
    assert task.state == "STARTED"
    assert list(FeedEntry.objects.using(using).values_list("tasks", flat=True)) == [["a"]]

    assert progress.run(lease) == "Running tasks with new progress: 0."
    report(results, "a", {"current": 90, "total": 100})
    assert progress.run(lease) == "Running tasks with new progress: 1."
    assert Task.objects.using(using).get(pk="a").progress == 0.9
    assert TaskEvent.objects.using(using).filter(task_id="a", type="task-progress").count() == 2


@pytest.mark.parametrize("meta", ["text", [1, 2], {}, {"current": "1"}, {"total": 3}, None])
def test_meta_of_another_form_is_left_alone(using, lease, results, meta):
    start(using, "a")
    report(results, "a", meta)
    assert progress.run(lease) == "Running tasks with new progress: 0."


def test_only_running_tasks_are_looked_at(using, lease, results):
    """Neither one that nobody has seen, nor one that has ended, nor a report of long ago."""
    report(results, "unknown", {"current": 1, "total": 2})
    start(using, "a")
    report(results, "a", {"current": 1, "total": 2}, status="SUCCESS")
    start(using, "b")
    report(results, "b", {"current": 1, "total": 2})
    results.filter(task_id="b").update(date_done=timezone.now() - timedelta(hours=1))
    assert progress.run(lease) == "Running tasks with new progress: 0."
    assert not Task.objects.using(using).filter(pk="unknown").exists()


def test_other_result_backends_are_left_alone(using, lease, monkeypatch):
    app = progress.watched_app()
    monkeypatch.setattr(app.conf, "result_backend", "redis://127.0.0.1:1")
    assert progress.run(lease) == "Nothing to do: the results are not in django-celery-results."
