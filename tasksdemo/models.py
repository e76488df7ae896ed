"""What the demo's tasks write."""

from django.db import models


class MessageManager(models.Manager["Message"]):
    def trim(self, keep: int) -> int:
        """Delete all but the newest `keep` messages; return how many went. One index scan and one DELETE."""
        oldest_kept = self.order_by("-pk").values_list("pk", flat=True)[keep - 1 : keep].first()
        if oldest_kept is None:
            return 0
        return self.filter(pk__lt=oldest_kept).delete()[0]


class Message(models.Model):
    """A text that `create_message_task` has stored, so that a demo task has an effect one can look at."""

    text = models.TextField()
    task_id = models.CharField(max_length=255, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MessageManager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.text[:80]
