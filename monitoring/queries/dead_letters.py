"""What could not be decoded or stored."""

from __future__ import annotations

from ..models import DeadLetter
from .estimates import Estimate, estimate
from .paging import Cursor, Page, page
from .visibility import Visibility


def dead_letters(visibility: Visibility, cursor: Cursor | None) -> tuple[Page[DeadLetter], Estimate]:
    """A page of dead letters and how many there are; none for a limited user, since nobody knows whose they are.

    Cost: the index on the time for the page; :func:`.estimates.estimate` for the number.
    """
    letters = DeadLetter.objects.all() if visibility.is_everything else DeadLetter.objects.none()
    return page(letters, "received_at", cursor), estimate(letters)
