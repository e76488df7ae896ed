"""THE table of settings that are known to hurt: what follows, how it shows here, and what to do instead.

Each rule looks at the settings of one app or worker as ``masking.py`` leaves them, and at what was seen of its tasks,
where that is known. The configuration page shows what it finds, and system checks what it finds without evidence.
docs/configuration.md lists the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from .. import formatting
from .defaults import seconds_of

Settings = Mapping[str, Any]

_CELERY = "https://docs.celeryq.dev/en/stable/"
#: Seconds after which a message that was not acknowledged is delivered once more, where nothing else is configured
#: (Celery's pages on Redis and SQS; RabbitMQ's ``consumer_timeout`` since 3.8.17).
REDELIVERY = {"redis": 3_600.0, "sqs": 1_800.0, "amqp": 1_800.0}
#: Seconds from which on a task is long: others that a process keeps wait that much longer.
LONG = 60.0
_PICKLE = frozenset({"pickle", "application/x-python-serialize"})


class Weight(StrEnum):
    """How much it matters."""

    DANGER = "danger"  # somebody can do harm, or nothing works as it seems to
    LOSS = "loss"  # tasks or figures are likely to be lost
    HABIT = "habit"  # others do it otherwise, for a reason


@dataclass(frozen=True)
class Evidence:
    """What was seen of tasks lately. `longest`: seconds of the longest stored run, and `longest_name` which task's.

    `lost_processes`: tasks of the last 24 hours that ended with their process. `sending`: workers of which a task was
    seen in the last hour, although their settings say that they send no events.
    """

    longest: float | None = None
    longest_name: str = ""
    lost_processes: int = 0
    sending: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Found:
    """What a rule finds, as sentences; `evidence` is empty where there is none."""

    fact: str
    reason: str
    remedy: str
    evidence: str = ""
    weight: Weight | None = None


@dataclass(frozen=True)
class Rule:
    """`name` is its anchor in docs/configuration.md, `check` the id of its system check.

    `find(settings, evidence, hostname)`; evidence is None where nothing is known, and the host name empty for the app.
    """

    name: str
    check: str
    weight: Weight
    setting: str
    find: Callable[[Settings, Evidence | None, str], Found | None]
    #: Of Celery's or a broker's documentation, where the setting's own entry says too little.
    url: str = ""
    #: It is about whoever sends tasks, so an app's own settings count beside those of workers.
    of_senders: bool = False


@dataclass(frozen=True)
class Advice:
    """What a rule says of one app or worker."""

    rule: Rule
    found: Found

    @property
    def weight(self) -> Weight:
        return self.found.weight or self.rule.weight


def advise(settings: Settings, evidence: Evidence | None = None, hostname: str = "") -> list[Advice]:
    """What is known to hurt among the settings of one app or worker, worst first. Never raises for a value."""
    found = [
        Advice(rule, said) for rule in RULES if (said := rule.find(settings, evidence, hostname)) is not None
    ]
    return sorted(found, key=lambda advice: list(Weight).index(advice.weight))


def transport_of(settings: Settings) -> str:
    """``redis``, ``sqs``, ``amqp``, another scheme as it is, or empty where it is not known."""
    url = settings.get("broker_url")
    first = url[0] if isinstance(url, list) and url else url
    scheme = first.partition("://")[0].lower() if isinstance(first, str) and "://" in first else ""
    if scheme in ("redis", "rediss", "sentinel", "redis+socket", "valkey", "valkeys"):
        return "redis"
    return "amqp" if scheme in ("amqp", "amqps", "pyamqp", "pyamqps") else scheme


def _pickle(settings: Settings, evidence: Evidence | None, hostname: str) -> Found | None:
    accepted = settings.get("accept_content")
    if not isinstance(accepted, list) or not any(str(kind) in _PICKLE for kind in accepted):
        return None
    return Found(
        _("Pickle is accepted."),
        _("Whoever can write to the broker can run code on the workers."),
        _("Set accept_content = ['json'], and task_serializer with it."),
    )


def _always_eager(settings: Settings, evidence: Evidence | None, hostname: str) -> Found | None:
    if settings.get("task_always_eager") is not True:
        return None
    return Found(
        _("Tasks run where they are called."),
        _(
            "With task_always_eager nothing is sent to a worker: a request waits for its tasks, and none is seen here."
        ),
        _("Take task_always_eager out of the settings that production runs with."),
    )


def _no_sent_event(settings: Settings, evidence: Evidence | None, hostname: str) -> Found | None:
    if settings.get("task_send_sent_event") is not False:
        return None
    return Found(
        _("Sending a task makes no event."),
        _(
            "What waits in a queue is not seen, nor for how long, and nobody can tell whether a schedule was sent."
        ),
        _("Set task_send_sent_event = True wherever tasks are sent from: web processes, workers, beat."),
    )


def _no_events(settings: Settings, evidence: Evidence | None, hostname: str) -> Found | None:
    if settings.get("worker_send_task_events") is not False:
        return None
    if evidence is not None and hostname in evidence.sending:
        return None  # started with -E, which is not among the settings
    return Found(
        _("Workers send no events of their tasks by themselves."),
        _("What they run is not seen here, unless each of them is started with -E."),
        _("Set worker_send_task_events = True, so that nobody has to think of -E."),
        _("No task of it was seen in the last hour.") if evidence is not None and hostname else "",
    )


def _acks_late(settings: Settings, evidence: Evidence | None, hostname: str) -> Found | None:
    transport = transport_of(settings)
    if settings.get("task_acks_late") is not True or transport not in REDELIVERY:
        return None
    options = settings.get("broker_transport_options")
    given = options.get("visibility_timeout") if isinstance(options, dict) and transport != "amqp" else None
    given = _positive(given)
    after = given or REDELIVERY[transport]
    limit = _positive(settings.get("task_time_limit"))
    longest = evidence.longest if evidence is not None else None
    if limit is not None and limit < after:
        return None
    if given is not None and limit is None and (longest is None or longest < after):
        return None
    words = {"after": formatting.duration(after), "limit": formatting.duration(limit or 0)}
    ends = (
        _("task_time_limit lets a task run for %(limit)s.") % words
        if limit is not None
        else _("No time limit ends a task before that.")
    )
    if transport == "amqp":
        reason = _(
            "RabbitMQ takes a message back that is not acknowledged within %(after)s (consumer_timeout), and the task "
            "runs twice."
        )
        remedy = _("Raise consumer_timeout on the broker, or set task_time_limit below it.")
    else:
        reason = _(
            "A message that is not acknowledged within %(after)s (visibility_timeout) is delivered once more, and the "
            "task runs twice."
        )
        remedy = _(
            "Set visibility_timeout in broker_transport_options above the longest task, or task_time_limit below it."
        )
    return Found(
        _("task_acks_late, and nothing keeps tasks shorter than the broker waits."),
        f"{reason % words} {ends}",
        remedy,
        _longest(evidence, after),
    )


def _longest(evidence: Evidence | None, after: float) -> str:
    if evidence is None or evidence.longest is None:
        return ""
    words = {"span": formatting.duration(evidence.longest), "name": evidence.longest_name}
    if evidence.longest < after:
        return _("Longest stored run: %(span)s, of %(name)s, so it has not happened.") % words
    return _("Longest stored run: %(span)s, of %(name)s: long enough.") % words


def _lost_process(settings: Settings, evidence: Evidence | None, hostname: str) -> Found | None:
    if settings.get("task_acks_late") is not True or settings.get("task_reject_on_worker_lost") is True:
        return None
    lost = evidence.lost_processes if evidence is not None else 0
    return Found(
        _("A process that is killed loses its task."),
        _(
            "task_acks_late is on and task_reject_on_worker_lost is not: the message is acknowledged all the same."
        ),
        _(
            "Turn it on for tasks that may run twice. One that always kills its process then goes round for ever."
        ),
        _("%(count)s × WorkerLostError in 24 h.") % {"count": formatting.number(lost)} if lost else "",
        Weight.LOSS if lost else Weight.HABIT,
    )


def _prefetch(settings: Settings, evidence: Evidence | None, hostname: str) -> Found | None:
    multiplier = settings.get("worker_prefetch_multiplier")
    if isinstance(multiplier, bool) or not isinstance(multiplier, int) or multiplier == 1:
        return None
    is_late = settings.get("task_acks_late") is True
    longest = evidence.longest if evidence is not None else None
    is_long = longest is not None and longest >= LONG
    if not (is_late or is_long):
        return None
    shown = formatting.number(multiplier)
    keeps = (
        _("Each process keeps %(count)s tasks to itself.") % {"count": shown}
        if multiplier
        else _("A worker takes every task that there is.")
    )
    return Found(
        keeps,
        _("They wait behind a long one while other workers have nothing to do.")
        + (" " + _("With late acknowledgement 1 is usual.") if is_late else ""),
        _("Set worker_prefetch_multiplier = 1, or give long tasks a worker of their own."),
        _("Longest stored run: %(span)s, of %(name)s.")
        % {"span": formatting.duration(longest), "name": evidence.longest_name}
        if is_long and longest is not None and evidence is not None
        else "",
    )


def _no_time_limit(settings: Settings, evidence: Evidence | None, hostname: str) -> Found | None:
    names = ("task_time_limit", "task_soft_time_limit")
    if any(name not in settings or _positive(settings[name]) is not None for name in names):
        return None
    longest = evidence.longest if evidence is not None else None
    return Found(
        _("Nothing ends a task that hangs."),
        _("Without task_time_limit a call that never returns keeps its process until the worker restarts."),
        _("Set task_time_limit well above the longest task, and task_soft_time_limit a little below it."),
        _("Longest stored run: %(span)s, of %(name)s.")
        % {"span": formatting.duration(longest), "name": evidence.longest_name}
        if longest is not None and evidence is not None
        else "",
    )


def _no_expiry(settings: Settings, evidence: Evidence | None, hostname: str) -> Found | None:
    backend = settings.get("result_backend")
    has_backend = isinstance(backend, str) and backend and not backend.startswith(("disabled", "rpc"))
    if not has_backend or settings.get("task_ignore_result") is True or "result_expires" not in settings:
        return None
    expires = settings["result_expires"]
    if expires is not None and seconds_of(expires) != 0:
        return None
    return Found(
        _("Results never expire."),
        _("The result backend grows with every task until it is full."),
        _("Set result_expires, in seconds. Databases also need beat, which cleans them up once a day."),
    )


def _positive(value: Any) -> float | None:
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None
    )


RULES: Sequence[Rule] = (
    Rule("pickle", "monitoring.W020", Weight.DANGER, "accept_content", _pickle, f"{_CELERY}userguide/security.html"),
    Rule("always-eager", "monitoring.W021", Weight.DANGER, "task_always_eager", _always_eager,
         of_senders=True),
    Rule("no-sent-event", "monitoring.W022", Weight.LOSS, "task_send_sent_event", _no_sent_event,
         of_senders=True),
    Rule("no-events", "monitoring.I023", Weight.LOSS, "worker_send_task_events", _no_events),
    Rule("acks-late", "monitoring.W024", Weight.LOSS, "task_acks_late", _acks_late),
    Rule("no-expiry", "monitoring.W025", Weight.LOSS, "result_expires", _no_expiry),
    Rule("lost-process", "monitoring.I026", Weight.HABIT, "task_reject_on_worker_lost", _lost_process),
    Rule("prefetch", "monitoring.I027", Weight.HABIT, "worker_prefetch_multiplier", _prefetch,
         f"{_CELERY}userguide/optimizing.html#prefetch-limits"),
    Rule("no-time-limit", "monitoring.I028", Weight.HABIT, "task_time_limit", _no_time_limit,
         f"{_CELERY}userguide/workers.html#time-limits"),
)  # fmt: skip
