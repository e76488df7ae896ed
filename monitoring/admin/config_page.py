"""The configuration page: what its template needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from .. import formatting
from ..configuration.advice import Weight
from ..configuration.groups import GROUPS
from ..configuration.masking import is_hidden
from ..control.actor import Actor
from ..control.verbs import VERBS
from ..queries.configuration import (
    Configuration,
    SettingAdvice,
    SettingState,
    SettingValue,
    configuration,
)
from ..queries.visibility import Visibility
from .control_actions import here, verb_url
from .url_query import with_parameters
from .worker_parts.configuration import GROUPS as LABELS
from .worker_parts.configuration import MOST, duration_words, short, written

#: What a setting may be, in the order of the facet. Without a choice all but those at their default are shown.
KINDS: dict[str, Callable[[SettingState], bool]] = {
    "changed": lambda setting: setting.is_changed,
    "differs": lambda setting: setting.differs,
    "advice": lambda setting: bool(setting.advice),
    "masked": lambda setting: setting.is_masked,
    "default": lambda setting: not (setting.is_changed or setting.differs),
}
CHOSEN = ("changed", "differs", "advice")
#: Workers that a value names.
NAMED = 3


@dataclass(frozen=True)
class ValueLine:
    """A value as it is written, whole and cut, and who has it; `who` is empty where all do.

    `duration` is that of a value in seconds, in words.
    """

    text: str
    short: str
    duration: str
    who: str
    title: str
    is_changed: bool
    is_odd: bool


@dataclass(frozen=True)
class SettingLine:
    """`edge` is ``warn`` where workers differ, ``changed`` where it is not the default, else empty."""

    setting: SettingState
    values: list[ValueLine]
    default: str
    edge: str
    is_hidden: bool


@dataclass(frozen=True)
class GroupLines:
    """The settings of a group that are shown, the others, and how many of all are changed and differ."""

    label: str
    lines: list[SettingLine]
    others: list[SettingLine]
    changed: int
    differing: int

    @property
    def others_are_default(self) -> bool:
        """Whether each of the others is known to be as Celery has it."""
        return all(line.setting.has_default and not line.setting.is_changed for line in self.others)


@dataclass(frozen=True)
class Wanted:
    """What the page is narrowed to."""

    kinds: tuple[str, ...]
    groups: tuple[str, ...]
    hostnames: tuple[str, ...]
    text: str

    @classmethod
    def of(cls, request: HttpRequest) -> Wanted:
        given = request.GET
        return cls(
            tuple(kind for kind in given.getlist("show") if kind in KINDS),
            tuple(group for group in given.getlist("group") if group in GROUPS),
            tuple(dict.fromkeys(given.getlist("worker")))[:100],
            given.get("q", "").strip()[:255],
        )

    def is_meant(self, setting: SettingState) -> bool:
        """By its group, its name or its value."""
        if self.groups and setting.group not in self.groups:
            return False
        text = self.text.casefold()
        return (
            not text
            or text in setting.name
            or any(text in written(value.value).casefold() for value in setting.values)
        )

    def is_shown(self, setting: SettingState) -> bool:
        """Of those that are meant: at once, and not below "at their default"."""
        kinds = self.kinds or (tuple(KINDS) if self.text else CHOSEN)
        return any(KINDS[kind](setting) for kind in kinds)


def config_page(request: HttpRequest, visibility: Visibility, site_name: str) -> dict[str, Any]:
    """`request.GET`: ``show``, ``group``, ``worker`` (several each) and ``q``. Cost: that of `configuration`."""
    found, wanted = configuration(visibility), Wanted.of(request)
    settings = [_only_of(setting, wanted.hostnames) for setting in found.settings]
    settings = [setting for setting in settings if setting.values]
    may_refresh = Actor.of(request).may(VERBS["refresh"].permission)
    return {
        "found": found,
        "wanted": wanted,
        "is_narrowed": bool(wanted.groups or wanted.hostnames or wanted.text or wanted.kinds),
        "advice": _advice(found, wanted),
        "groups": _groups(settings, wanted),
        "kinds": _kinds(settings, wanted),
        "group_choices": [
            (
                group,
                LABELS[group],
                sum(setting.group == group for setting in settings),
                group in wanted.groups,
            )
            for group in GROUPS
        ],
        "worker_choices": [
            (worker, _differing(found, worker.hostname), worker.hostname in wanted.hostnames)
            for worker in found.workers
        ],
        "read": [worker for worker in found.workers if worker.answered_at is not None],
        "stale": [worker for worker in found.workers if worker.answered_at is None or not worker.online],
        "oldest": min((worker.answered_at for worker in found.workers if worker.answered_at), default=None),
        "refresh_url": verb_url(VERBS["refresh"], site_name) if may_refresh and found.workers else "",
        "online": [worker.hostname for worker in found.workers if worker.online],
        "may_view_workers": request.user.has_perm("monitoring.view_worker"),
        "here": here(request),
        "clear_url": with_parameters(request, show=None, group=None, worker=None, q=None),
    }


def _only_of(setting: SettingState, hostnames: Sequence[str]) -> SettingState:
    """With the values of some workers only, and whether these differ."""
    if not hostnames:
        return setting
    values = []
    for value in setting.values:
        kept = tuple(host for host in value.hostnames if host in hostnames)
        if kept:
            values.append(SettingValue(value.value, kept, False, value.is_default, value.is_masked))
    return SettingState(
        setting.name, setting.group, tuple(values), setting.has_default, setting.default,
        is_changed=any(not value.is_default and not is_hidden(value.value) for value in values),
        differs=sum(not is_hidden(value.value) for value in values) > 1,
        is_masked=any(value.is_masked for value in values),
        docs_url=setting.docs_url,
        advice=setting.advice,
    )  # fmt: skip


def _advice(found: Configuration, wanted: Wanted) -> list[tuple[SettingAdvice, str, str]]:
    """Each with the colour of its edge and with whom it is about."""
    colours = {Weight.DANGER: "bad", Weight.LOSS: "warn", Weight.HABIT: "info"}
    chosen = [
        advice
        for advice in found.advice
        if not wanted.hostnames or set(advice.hostnames) & set(wanted.hostnames)
    ]
    return [(advice, colours[advice.weight], _whom(advice, len(found.workers))) for advice in chosen]


def _whom(advice: SettingAdvice, known: int) -> str:
    if not advice.hostnames:
        return _("This app")
    if len(advice.hostnames) == known and known > 1:
        return _("All workers")
    return _names(advice.hostnames)


def _names(hostnames: Sequence[str]) -> str:
    """``celery@a, celery@b and 4 more``."""
    shown = ", ".join(formatting.cut(host, 60) for host in hostnames[:NAMED])
    if len(hostnames) <= NAMED:
        return shown
    return _("%(names)s and %(count)s more") % {
        "names": shown,
        "count": formatting.number(len(hostnames) - NAMED),
    }


def _groups(settings: Sequence[SettingState], wanted: Wanted) -> list[GroupLines]:
    groups = []
    for name in GROUPS:
        meant = [setting for setting in settings if setting.group == name and wanted.is_meant(setting)]
        if not meant:
            continue
        shown = [setting for setting in meant if wanted.is_shown(setting)]
        groups.append(
            GroupLines(
                str(LABELS[name]),
                [_line(setting) for setting in shown],
                [_line(setting) for setting in meant if setting not in shown],
                sum(setting.is_changed for setting in meant),
                sum(setting.differs for setting in meant),
            )
        )
    return [group for group in groups if group.lines or group.others]


def _line(setting: SettingState) -> SettingLine:
    several = len(setting.values) > 1
    return SettingLine(
        setting,
        [_value(setting.name, value, several, index) for index, value in enumerate(setting.values)],
        written(setting.default) if setting.has_default else "",
        "warn" if setting.differs else "changed" if setting.is_changed else "",
        all(is_hidden(value.value) for value in setting.values),
    )


def _value(name: str, value: SettingValue, several: bool, index: int) -> ValueLine:
    text = written(value.value)
    who = ""
    if several:
        names = [
            *([_("this app")] if value.of_app else []),
            *([_names(value.hostnames)] if value.hostnames else []),
        ]
        who = _("on %(names)s") % {"names": ", ".join(names)}
    return ValueLine(
        formatting.cut(text, MOST),
        short(text),
        duration_words(name, value.value),
        who,
        ", ".join(value.hostnames) if len(value.hostnames) > NAMED else "",
        not value.is_default and not is_hidden(value.value),
        several and index > 0,
    )


def _kinds(settings: Sequence[SettingState], wanted: Wanted) -> list[tuple[str, str, int, bool]]:
    labels: Mapping[str, str] = {
        "changed": _("Changed"),
        "differs": _("Differs between workers"),
        "advice": _("Has advice"),
        "masked": _("Masked"),
        "default": _("At its default"),
    }
    meant = [setting for setting in settings if wanted.is_meant(setting)]
    chosen = wanted.kinds or CHOSEN
    return [(kind, labels[kind], sum(map(fits, meant)), kind in chosen) for kind, fits in KINDS.items()]


def _differing(found: Configuration, hostname: str) -> int:
    """Settings in which a worker has another value than most."""
    return sum(
        hostname in value.hostnames and not is_hidden(value.value)
        for setting in found.settings
        if setting.differs
        for value in setting.values[1:]
    )
