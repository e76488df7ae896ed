"""Writing down that something was deployed."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import DeployMark


def mark(label: str, at: datetime | None = None) -> DeployMark:
    """Mark a moment, now unless told otherwise, on charts.

    Raises ValueError, with words for people, where `label` is empty, longer than its column or no text of one line.
    """
    label = label.strip()
    most = DeployMark._meta.get_field("label").max_length
    if not label:
        raise ValueError(_("A mark needs a label, such as a version."))
    if most is not None and len(label) > most:
        raise ValueError(_("The label of a mark has at most %(most)s characters.") % {"most": most})
    if not label.isprintable():
        raise ValueError(_("The label of a mark is one line of text."))
    return DeployMark.objects.create(label=label, at=at or timezone.now())
