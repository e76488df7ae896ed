"""Pages inside Django's admin, one file per page."""

from django.contrib import admin

from .api_token import ApiTokenAdmin
from .audit import AuditEntryAdmin
from .card import show_on_index
from .config import ConfigAdmin
from .dead_letter import DeadLetterAdmin
from .failures import FailuresAdmin
from .gap import GapAdmin
from .monitor import MonitorAdmin
from .queue import QueueAdmin
from .schedule import ScheduleAdmin
from .statistic import StatisticAdmin
from .task import TaskAdmin
from .worker import WorkerAdmin

__all__ = [
    "ApiTokenAdmin",
    "AuditEntryAdmin",
    "ConfigAdmin",
    "DeadLetterAdmin",
    "FailuresAdmin",
    "GapAdmin",
    "MonitorAdmin",
    "QueueAdmin",
    "ScheduleAdmin",
    "StatisticAdmin",
    "TaskAdmin",
    "WorkerAdmin",
]

show_on_index(admin.site)
