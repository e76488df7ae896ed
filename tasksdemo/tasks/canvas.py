"""Small tasks to build chains, groups and chords from: their sums show that every part ran, once."""

from celery import shared_task

from tasksdemo.shop.pace import work


@shared_task
def add_task(x: float, y: float) -> float:
    """x + y, after a moment of thought."""
    work(0.3, longest=2.0)
    return x + y


@shared_task
def sum_task(numbers: list[float]) -> float:
    """The sum of what a chord's header returned."""
    work(0.1, longest=1.0)
    return sum(numbers)
