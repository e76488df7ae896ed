"""The size of a worker's pool, and its processes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from .. import looking, workers
from ..commands import sees, sends
from ..parameters import Parameters, ParametersForm
from ..phrases import told
from .pattern import Phrases, worker_verb

#: Most processes that one command adds or takes away.
MOST = 100

#: Pools that have a size which can change (celery/concurrency: `grow` and `shrink`).
SIZED = frozenset({"prefork", "gevent", "eventlet"})
_FIXED = _("it keeps the size that it was started with")
_LASTS_SIZE = _("Lasts until the worker restarts. Set worker_concurrency to keep it.")


class SizeForm(ParametersForm):
    n = forms.IntegerField(label=_("How many"), min_value=1, max_value=MOST, initial=1, help_text=_LASTS_SIZE)


class AutoscaleForm(ParametersForm):
    min = forms.IntegerField(label=_("At least"), min_value=0, max_value=10_000)
    max = forms.IntegerField(
        label=_("At most"),
        min_value=1,
        max_value=10_000,
        help_text=_("Lasts until the worker restarts. Start it with --autoscale=max,min to keep it."),
    )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        least, most = values.get("min"), values.get("max")
        if least is not None and most is not None and least > most:
            raise forms.ValidationError(_("The least is greater than the most"))
        return values


def _size_words(size: int) -> str:
    return _now("the pool is now %(size)s") % {"size": size}


def _has_grown(before: int | None, now: int, parameters: Parameters) -> bool:
    return before is not None and now == before + parameters["n"]


def _has_shrunk(before: int | None, now: int, parameters: Parameters) -> bool:
    return before is not None and now == before - parameters["n"]


def _nothing_left(size: int, parameters: Parameters) -> str:
    if parameters["n"] < size:
        return ""
    return _now("That would leave nothing of its pool, which is %(size)s") % {"size": size}


GROW = worker_verb(
    Phrases(
        question=_("Grow the pool of %(targets)s?"),
        question_so=_("Grow the pool of %(targets)s by %(n)s?"),
        consequence=_(
            "It takes as many tasks more at a time, with the memory and the connections they need."
        ),
        button=_("Grow the pool of %(targets)s"),
        button_so=_("Grow the pool by %(n)s"),
        safe_button=_("Leave it as it is"),
    ),
    name="pool_grow",
    label=_("Grow pool"),
    did=_("grew the pool"),
    did_so=told(_("grew the pool by %(n)s")),
    lasts=_LASTS_SIZE,
    pools=SIZED,
    form=SizeForm,
    why_not=workers.unless_pool(SIZED, _FIXED, workers.scales_by_itself),
    act=sends("pool_grow", remember=looking.pool_size),
    observe=sees(looking.pool_size, _has_grown, _size_words, ["stats"]),
)

SHRINK = worker_verb(
    Phrases(
        question=_("Shrink the pool of %(targets)s?"),
        question_so=_("Shrink the pool of %(targets)s by %(n)s?"),
        consequence=_(
            "It takes fewer tasks at a time. Only processes that are idle are taken away: no running task ends."
        ),
        button=_("Shrink the pool of %(targets)s"),
        button_so=_("Shrink the pool by %(n)s"),
        safe_button=_("Leave it as it is"),
    ),
    name="pool_shrink",
    label=_("Shrink pool"),
    did=_("shrank the pool"),
    did_so=told(_("shrank the pool by %(n)s")),
    lasts=_LASTS_SIZE,
    pools=SIZED,
    form=SizeForm,
    why_not=workers.unless_pool(SIZED, _FIXED, workers.scales_by_itself),
    act=sends("pool_shrink", remember=looking.pool_size, refuse=_nothing_left),
    observe=sees(looking.pool_size, _has_shrunk, _size_words, ["stats"]),
)

AUTOSCALE = worker_verb(
    Phrases(
        question=_("Let the pool of %(targets)s scale by itself?"),
        question_so=_("Let the pool of %(targets)s scale between %(min)s and %(max)s?"),
        consequence=_(
            "The pool grows with what waits in the worker, and shrinks after a while without tasks."
        ),
        button=_("Let it scale"),
        button_so=_("Scale between %(min)s and %(max)s"),
        safe_button=_("Leave it as it is"),
    ),
    name="autoscale",
    label=_("Autoscale"),
    did=_("let the pool scale by itself"),
    did_so=told(_("let the pool scale between %(min)s and %(max)s")),
    lasts=_("Lasts until the worker restarts. Start it with --autoscale=max,min to keep it."),
    pools=SIZED,
    form=AutoscaleForm,
    why_not=workers.unless_pool(SIZED, _FIXED, workers.keeps_its_size),
    act=sends("autoscale"),
    observe=sees(
        looking.autoscale,
        lambda before, now, parameters: now == (parameters["min"], parameters["max"]),
        lambda now: _now("it scales between %(min)s and %(max)s") % {"min": now[0], "max": now[1]},
        ["stats"],
    ),
)

RESTART = worker_verb(
    Phrases(
        question=_("Restart the pool of %(targets)s?"),
        consequence=_(
            "Each process is replaced by a new one after the next task that it runs. New code on disk needs a restart "
            "of the worker itself."
        ),
        button=_("Restart the pool of %(targets)s"),
        safe_button=_("Leave it as it is"),
        facts=lambda targets, parameters, visibility: [
            (
                _now("Only the pool"),
                _now("the worker itself goes on: only its process manager restarts that"),
            ),
        ],
    ),
    name="pool_restart",
    label=_("Restart pool"),
    did=_("restarted the pool"),
    pools=frozenset({"prefork"}),
    # Others acknowledge it and do nothing.
    why_not=workers.unless_pool({"prefork"}, _("it has no processes to replace"), workers.restarts_no_pools),
    act=sends("pool_restart", lambda parameters: {"reload": False}, remember=looking.processes),
    observe=sees(
        looking.processes,
        lambda before, now, parameters: bool(before and now) and not set(before) & set(now),
        lambda now: _now("all %(count)s processes are new") % {"count": len(now)},
        ["stats"],
        # An idle one waits for a task before it looks (billiard/pool.py, ``Worker.workloop``).
        otherwise=lambda now: _now("a process is replaced after the next task that it runs"),
    ),
)
