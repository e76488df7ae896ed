"""Answers that are sent while they are made, with bounded memory, by WSGI and by ASGI servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse


def stream(
    request: HttpRequest, parts: Iterator[bytes], content_type: str, file_name: str = ""
) -> StreamingHttpResponse:
    """An answer of `parts`, each made when the one before it was sent; with a `file_name`, a download.

    Django gathers a plain iterator in memory before an ASGI server sends it, and an asynchronous one before a WSGI
    server does (StreamingHttpResponse, "Handling of iterators"), so each gets its own kind. A reader who leaves closes
    `parts`.
    """
    return StreamingHttpResponse(
        _asynchronous(parts) if isinstance(request, ASGIRequest) else parts,
        content_type=content_type,
        headers={
            # A proxy that gathers the answer would undo it all (nginx).
            "X-Accel-Buffering": "no",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **({"Content-Disposition": f'attachment; filename="{file_name}"'} if file_name else {}),
        },
    )


async def _asynchronous(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """`parts`, each made in the thread of this request, where its database connection is."""
    following = sync_to_async(lambda: next(parts, None))
    try:
        while (part := await following()) is not None:
            yield part
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            await sync_to_async(close)()
