"""What has changed, for the live pages: the feed that consumers write after their commits."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class FeedEntry(models.Model):
    """A fraction of a second of one consumer's commits. Kept for about ten minutes (``upkeep/jobs/trim.py``).

    Ids grow in the order of the commits (``live/feed.py``): who has read up to an id never misses a smaller one. With
    `many` only some tasks that ended last are listed, with `resync` (a consumer has started) nothing is known of what
    changed before.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("time"), db_index=True, help_text=_("By the database's clock."))
    resync = models.BooleanField(_("resync"), default=False)
    many = models.BooleanField(_("many"), default=False, help_text=_("More tasks than are listed."))
    tasks = models.JSONField(_("task ids"), default=list)
    workers = models.JSONField(_("worker host names"), default=list)
    events = models.PositiveIntegerField(_("events"), default=0, help_text=_("Of tasks and of workers."))
    changes = models.PositiveIntegerField(_("task events"), default=0)
    succeeded = models.PositiveIntegerField(_("succeeded"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    retried = models.PositiveIntegerField(_("retried"), default=0)
    ended = models.PositiveIntegerField(_("ended otherwise"), default=0, help_text=_("Revoked or rejected."))

    class Meta:
        verbose_name = _("feed entry")
        verbose_name_plural = _("feed entries")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.pk}: {'many' if self.many else len(self.tasks)} tasks"
