"""A task whose arguments, result and exception attack the pages that show them."""

from typing import Any

from celery import shared_task

# Every way out of a page, a spreadsheet, a terminal or a database that a text can try. No NUL in the exception:
# with django-celery-results on PostgreSQL the worker could not store it, which is not what this task is to show.
TEXTS = (
    "<script>document.title = 'hijacked'</script>",
    '"><img src=x onerror="document.title = 1">',
    "'; DROP TABLE monitoring_task; --",
    "{{ 7 * 7 }} {% load static %} ${7*7}",
    "=cmd|' /C calc'!A0",
    "+1+1 @SUM(1+1) -2+3",
    "javascript:alert(1)",
    "line one\r\nSet-Cookie: stolen=1",
    "\x1b[31mred\x1b[0m \x07",
    "\u202egnp.exe\u202c \u200b\ufeff",
    "%s %(name)s %00 ../../etc/passwd",
)
NUL = "before\x00after"


@shared_task
def hostile_task(*texts: str, fail: bool = False, **kwargs: Any) -> dict[str, Any]:
    """Give the texts back, or, with `fail`, raise a ValueError made of them."""
    if fail:
        raise ValueError(" | ".join(text.replace("\x00", "") for text in texts) or TEXTS[0])
    return {"texts": list(texts), **kwargs}
