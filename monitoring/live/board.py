"""What one audience sees: its lists, rendered, and the frames that bring them up to date."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from monitoring.live.audience import Audience
from monitoring.live.fetched import FETCHED, found_at
from monitoring.live.frames import Frames
from monitoring.live.lists import lists_of
from monitoring.live.lists.contract import Content, LiveList
from monitoring.live.moment import Moment
from monitoring.live.news import News
from monitoring.live.rendering import RowCache, inside
from monitoring.queries.newest import tasks_among
from monitoring.queries.tasks import task
from monitoring.queries.throughput import STEP
from monitoring.queries.worker_totals import WorkerTotals
from monitoring.queries.workers import worker

#: Rows of one list that are rendered for one frame: more than eyes can follow, and about what a frame has room for.
MOST_RENDERED = 50


@dataclass
class Update:
    """What has been read and rendered, to be put into the frames.

    `lists`: by name, what :meth:`Listing.update` takes behind the number of the frame: the order, what was rendered
    (version and HTML by key), the tail, and how many rows are not rendered yet.
    """

    cursor: int
    at: str
    parts: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, tuple[list[str], dict[str, tuple[Hashable, str]], dict[str, Any], int]] = field(
        default_factory=dict
    )


class Board:
    """One audience. :meth:`read` runs in the database's thread, everything else in the event loop."""

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self._lists = lists_of(audience)
        self.frames = Frames([each.name for each in self._lists])
        #: Whether nothing has been read yet, or it may not be built upon.
        self.is_stale = True
        self._told = 0
        #: By list, what has rows that are not rendered yet.
        self._late: dict[str, Content] = {}

    def read(self, moment: Moment, news: News) -> Update:
        """Read and render what the news may have changed. Asks ``queries/`` and nothing else."""
        audience = self.audience
        update = Update(moment.cursor, moment.at.isoformat())
        with inside(audience.look):
            update.parts["strip"] = {
                "html": moment.strip(audience.look),
                "form": moment.status(audience.visibility).form,
            }
            for each in self._lists:
                late = self._late.pop(each.name, None)
                content = each.read(moment, news) or late
                if content is not None:
                    update.lists[each.name] = self._render(each, content, moment.rows)
            if audience.page == "monitor":
                update.parts |= self._figures(moment)
            elif audience.page == "task" and (
                news.everything or news.many or audience.object_id in news.tasks
            ):
                update.parts["task"] = self._task(moment, news)
            elif audience.page == "worker" and "view_worker" in audience.look.permissions:
                update.parts["worker"] = self._worker(moment)
            elif audience.page == "workers" and "view_worker" in audience.look.permissions:
                update.parts["totals"] = self._totals(moment)
            elif audience.page in FETCHED and FETCHED[audience.page].permission in audience.look.permissions:
                update.parts["found"] = {"at": found_at(audience.page, moment.status(audience.visibility))}
        return update

    def _render(
        self, each: LiveList, content: Content, rows: RowCache
    ) -> tuple[list[str], dict[str, tuple[Hashable, str]], dict[str, Any], int]:
        """Render what is new or has changed, at most MOST_RENDERED: first what waits longest to be shown."""
        known = self.frames.known(each.name)
        changed = [
            item for item in content.items if item.key not in known or known[item.key].version != item.version
        ]
        if len(changed) > MOST_RENDERED:
            self._late[each.name] = content
            changed.sort(key=lambda item: known[item.key].seq if item.key in known else 0)
        rendered = {
            item.key: (item.version, rows.row(self.audience.look, each.template, item.version, item.context))
            for item in changed[:MOST_RENDERED]
        }
        return [item.key for item in content.items], rendered, content.tail, len(changed) - len(rendered)

    def apply(self, update: Update, seq: int) -> bool:
        """Take an update as the frame `seq`; whether anybody has to be told."""
        frames = self.frames
        had_late_rows = frames.has_late_rows
        frames.begin(seq, {"cursor": update.cursor, "at": update.at})
        for name, value in update.parts.items():
            frames.put(name, value)
        for name, arguments in update.lists.items():
            frames.listings[name].update(seq, *arguments)
        self.is_stale = False
        return had_late_rows or bool(update.parts or update.lists)

    def _figures(self, moment: Moment) -> dict[str, Any]:
        if not self.audience.visibility.is_everything:
            return {"counters": None, "sparkline": None}
        figures = moment.figures
        waiting = moment.status(self.audience.visibility).waiting
        return {
            "counters": {
                "events_per_second": figures.events_per_second,
                "tasks_per_second": figures.tasks_per_second,
                "finished_last_minute": figures.finished_last_minute,
                "failures_last_minute": figures.failures_last_minute,
                "waiting": waiting.number if waiting is not None else None,
                "waiting_at_least": waiting is not None and waiting.at_least,
            },
            "sparkline": {"step": STEP, "until": figures.until.isoformat(), "values": figures.series},
        }

    def _totals(self, moment: Moment) -> dict[str, str]:
        """The foot of the worker list."""
        audience = self.audience
        matching = filter(audience.workers.matches, moment.workers(audience.visibility))
        totals = WorkerTotals.of(matching)
        return {"html": moment.rows.row(audience.look, "worker_totals.html", totals, {"totals": totals})}

    def _worker(self, moment: Moment) -> dict[str, str] | None:
        """The head of one worker's page, by the ids of its parts; None: there is no such worker any more."""
        audience = self.audience
        found = worker(audience.visibility, audience.object_id)
        if found is None:
            return None
        version = repr(sorted((name, value) for name, value in vars(found).items() if name != "_state"))
        return {
            f"mon-worker-{part}": moment.rows.row(
                audience.look, f"worker_{part}.html", (part, version), {"worker": found}
            )
            for part in ("words", "facts")
        }

    def _task(self, moment: Moment, news: News) -> dict[str, Any] | None:
        """What the page of one task needs in order to know whether to fetch itself again."""
        audience = self.audience
        found = task(audience.visibility, audience.object_id)
        rows = tasks_among(audience.asked(), [audience.object_id])
        if found is None or not rows:
            return None
        # An older event may come late and change only the timeline, which the row does not show.
        self._told += audience.object_id in news.tasks
        said = repr(sorted((name, value) for name, value in vars(found).items() if name != "_state"))
        version = f"{hashlib.blake2b(said.encode(), digest_size=8).hexdigest()}-{self._told}"
        return {
            "state": found.state,
            "version": version,
            "progress": found.progress,
            "progress_message": found.progress_message if audience.with_payload else None,
            "html": moment.rows.row(audience.look, "task_row.html", version, {"task": rows[0]}),
        }
