"""A task whose name, arguments and result are not ASCII."""

from celery import shared_task

NAME = "tasksdemo.日本語のタスク"


@shared_task(name=NAME)
def japanese_task(本文: str = "こんにちは、世界 🌏", **kwargs: str) -> dict[str, str]:  # noqa: N803  # noqa: N803
    """Give back what came in, right-to-left, combining and astral characters included."""
    return {"本文": 本文, **kwargs}
