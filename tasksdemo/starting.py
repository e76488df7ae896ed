"""Start what an address of the demo API stands for."""

from typing import Any

from celery import current_app
from celery.result import GroupResult
from django.db import Error as DatabaseError

from tasksdemo.broker import broker_connection
from tasksdemo.errors import NotWithThisResultBackend, ResultBackendUnavailable
from tasksdemo.outcome import ask_result_backend
from tasksdemo.starts import Address


def start(address: Address, parameters: dict[str, Any]) -> dict[str, Any]:
    """Publish the task and return {"task_id", "status": "PENDING"}.

    Several tasks add "task_ids", in the order in which they were built, and a group its "group_id". `task_id` is
    the last of a chain, the body of a chord and the first of a group: the one whose result to wait for.
    Raises BrokerUnavailable, ResultBackendUnavailable, NotWithThisResultBackend.
    """
    signature = address.signature(**parameters)
    # A backend of its own kind has its own errors; those of a database come through Django.
    backend_failures = (DatabaseError, *getattr(current_app.backend, "connection_errors", ()))
    # The connection comes first because it is bounded in time, which those of Celery's pool are not on Redis.
    with broker_connection() as connection:
        ask_result_backend()
        try:
            result = signature.apply_async(**address.options)
        except NotImplementedError as error:
            raise NotWithThisResultBackend(str(error)) from error
        except backend_failures as error:
            raise ResultBackendUnavailable(str(error)) from error
        if address.revoke:
            current_app.control.revoke(result.id, connection=connection)
    return {**_ids(result), "status": "PENDING"}


def _ids(result: Any) -> dict[str, Any]:
    """The ids of an AsyncResult (with the results before it in a chain, or a chord's header) or a GroupResult."""
    if isinstance(result, GroupResult):
        members = [member.id for member in result.results or []]
        return {"task_id": members[0], "task_ids": members, "group_id": result.id}
    ids, group_id, before = [result.id], None, result.parent
    while before is not None:
        if isinstance(before, GroupResult):
            group_id = before.id
            ids[:0] = [member.id for member in before.results or []]
        else:
            ids.insert(0, before.id)
        before = before.parent
    answer: dict[str, Any] = {"task_id": result.id}
    if len(ids) > 1:
        answer["task_ids"] = ids
    if group_id:
        answer["group_id"] = group_id
    return answer
