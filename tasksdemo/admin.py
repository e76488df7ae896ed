from django.contrib import admin
from django.http import HttpRequest

from tasksdemo.models import Message


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    """Read only: messages come from tasks, and tasks bound their number."""

    list_display = ["__str__", "task_id", "created_at"]
    search_fields = ["text", "=task_id"]
    fields = ["text", "task_id", "created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False
