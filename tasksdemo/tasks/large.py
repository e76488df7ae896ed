"""Tasks with results that are longer than an event carries (Celery cuts them at 1,024 characters)."""

from typing import Any

from celery import shared_task

MAX_ROWS, MAX_CHARACTERS = 50_000, 10_000_000


@shared_task
def large_result_task(rows: int = 2000) -> list[dict[str, Any]]:
    """A structured result: `rows` (1 to MAX_ROWS) order lines of about 80 characters each."""
    if not 1 <= rows <= MAX_ROWS:
        raise ValueError(f"rows must be between 1 and {MAX_ROWS}, not {rows}")
    return [
        {
            "line": number,
            "sku": f"SKU-{number % 97:04d}",
            "quantity": number % 7 + 1,
            "price": f"{number % 50}.90",
        }
        for number in range(1, rows + 1)
    ]


@shared_task
def long_text_task(characters: int = 20_000) -> str:
    """A result that is one text of `characters` (0 to MAX_CHARACTERS), its end marked by "(end)"."""
    if not 0 <= characters <= MAX_CHARACTERS:
        raise ValueError(f"characters must be between 0 and {MAX_CHARACTERS}, not {characters}")
    sentence, end = "All work and no play makes a long report. ", "(end)"
    return (sentence * (characters // len(sentence) + 1))[: max(0, characters - len(end))] + end[:characters]
