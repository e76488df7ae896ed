"""The demo's schedules: one table, and the function that puts it into django-celery-beat."""

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

TASKS = "tasksdemo.tasks"


@dataclass(frozen=True)
class Every:
    """An interval in seconds."""

    seconds: int

    def fields(self) -> dict[str, object]:
        interval = {"every": self.seconds, "period": IntervalSchedule.SECONDS}
        # Not get_or_create: nothing keeps django-celery-beat's own admin from making the same interval twice.
        found = IntervalSchedule.objects.filter(**interval).first()
        return {"interval": found or IntervalSchedule.objects.create(**interval)}


@dataclass(frozen=True)
class Cron:
    """Minute, hour and day of the week as crontab(5) writes them, in Celery's time zone."""

    minute: str
    hour: str = "*"
    day_of_week: str = "*"

    def fields(self) -> dict[str, object]:
        crontab = {
            "minute": self.minute,
            "hour": self.hour,
            "day_of_week": self.day_of_week,
            "timezone": settings.CELERY_TIMEZONE,
        }
        found = CrontabSchedule.objects.filter(**crontab, day_of_month="*", month_of_year="*").first()
        return {"crontab": found or CrontabSchedule.objects.create(**crontab)}


@dataclass(frozen=True)
class Schedule:
    """A row of django-celery-beat's PeriodicTask; `task` is relative to tasksdemo.tasks."""

    name: str
    task: str
    when: Every | Cron
    enabled: bool = True


SCHEDULES = (
    Schedule("Warm price cache", "catalogue.warm_prices", Every(15)),
    Schedule("Release unpaid orders", "orders.release_unpaid", Every(60)),
    Schedule("Cart reminders", "mailing.send_abandoned", Cron("*/30", hour="8-21")),
    Schedule("Sync payouts", "payments.sync_payouts", Cron("0")),
    Schedule("Clean up carts", "orders.clean_carts", Cron("0", hour="4")),
    Schedule("Nightly sales export", "reports.export_sales", Cron("30", hour="5")),
    Schedule("Rebuild sitemap", "search.rebuild_sitemap", Cron("0", hour="3", day_of_week="1")),
    Schedule(
        "Import supplier stock", "catalogue.import_stock", Cron("15", hour="6", day_of_week="1-5"), False
    ),
)


@transaction.atomic
def create_schedules() -> list[str]:
    """Create what is not there yet, by name, and return those names.

    A schedule that somebody has switched off or edited since stays as it is.
    """
    existing = set(PeriodicTask.objects.values_list("name", flat=True))
    missing = [schedule for schedule in SCHEDULES if schedule.name not in existing]
    for schedule in missing:
        PeriodicTask.objects.create(
            name=schedule.name,
            task=f"{TASKS}.{schedule.task}",
            enabled=schedule.enabled,
            description="Created by the demo (tasksdemo_schedule).",
            **schedule.when.fields(),
        )
    return [schedule.name for schedule in missing]


def remove_schedules() -> int:
    """Delete the demo's schedules, edited or not; return how many there were."""
    names = [schedule.name for schedule in SCHEDULES]
    # One by one, as the admin does: only save() and delete() of a row tell beat that something has changed.
    rows = list(PeriodicTask.objects.filter(name__in=names))
    for row in rows:
        row.delete()
    return len(rows)
