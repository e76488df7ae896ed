"""The live monitor as it is first painted; frames take over from there (docs/live.md)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from ..models.task import State
from ..queries.choices import choices
from ..queries.running import FINISHED_STATES, just_finished, running
from ..queries.search.question import Question
from ..queries.task_filter import TaskFilter
from ..queries.task_list import Asked
from ..queries.throughput import throughput
from ..queries.usual import CONSPICUOUS
from ..queries.visibility import Visibility
from ..queries.worker_presence import Presence
from ..queries.workers import workers
from ..sparkline import sparkline
from .arrivals import why_nothing_arrived
from .chips import chips

#: Rows of each list, as the frames have them.
ROWS, WORKERS = 25, 50


def monitor_page(
    request: HttpRequest, visibility: Visibility, judge: Presence, with_payload: bool
) -> dict[str, Any]:
    """What its template needs; `judge` says which workers are online.

    Figures of everybody's tasks are left out where the visibility is limited. What is usual of a task comes with the
    first frame: it would cost the page a statement more.
    """
    wanted = TaskFilter.from_query(request.GET, request.GET.getlist("state"))
    parameters = [(name, value) for name, values in request.GET.lists() for value in values]
    everyone = workers(visibility, judge)
    offered = choices(visibility, everyone)
    asked = Asked(visibility, Question.read(parameters), with_payload, names=lambda: offered.every_name)
    now_running = running(asked, size=ROWS)
    finished = just_finished(asked, size=ROWS)
    context: dict[str, Any] = {
        "wanted": wanted,
        "with_payload": with_payload,
        "with_figures": visibility.is_everything,
        "running": now_running,
        "conspicuous": CONSPICUOUS,
        "running_more": now_running.total - len(now_running.rows),
        "finished": finished,
        "workers": everyone[:WORKERS],
        "workers_more": len(everyone) - WORKERS if len(everyone) > WORKERS else 0,
        "chips": chips(request, wanted),
        "clear_url": "?",
        "states": [(state, state in wanted.states) for state in State.values if state in SHOWN_STATES],
        "names": offered.names,
        "hosts": offered.hosts,
        "queues": offered.queues,
    }
    if visibility.is_everything:
        figures = throughput(timezone.now()).figures(timezone.now())
        line, area = sparkline(figures.series)
        context |= {"figures": figures, "line": line, "area": area}
    if not (now_running.rows or finished or wanted):
        context["nothing_arrived"] = True
        context |= why_nothing_arrived(visibility)
    return context


#: What the two lists can hold.
SHOWN_STATES = frozenset({"STARTED", *FINISHED_STATES})
