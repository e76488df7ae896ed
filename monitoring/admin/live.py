"""What a page needs in order to be live: the status strip, and where its socket is."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from ..live.address import socket_path
from ..live.fetched import FETCHED, found_at
from ..queries.status import status
from ..queries.visibility import visibility_of


def live_context(request: HttpRequest, site_name: str, page: str) -> dict[str, Any]:
    """For the template: ``status``, and ``live`` with `url` (None without Channels), `page`, `site` and `cursor`.

    Ask before the page's own queries, so that the cursor is not newer than what they find. `page`: see docs/live.md;
    for one of FETCHED there is `found_at` too, as its frames have it.
    """
    found = status(visibility_of(request.user))
    live = {"url": socket_path(), "page": page, "site": site_name, "cursor": found.cursor}
    if page in FETCHED:
        live["found_at"] = found_at(page, found)
    return {"status": found, "live": live}
