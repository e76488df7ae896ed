"""The filters that ``tasks`` and ``tail`` share, as a question to the task list."""

from __future__ import annotations

import re
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ..queries.search.question import Question
from ..queries.task_list import Asked
from ..queries.visibility import Visibility

#: Exit code of what was asked wrongly, as argparse has it.
MISUSED = 2
_SPAN = re.compile(r"\d+(\.\d+)?[a-z]+([\d.]+[a-z]+)*")


def add_filters(parser: CommandParser) -> None:
    parser.add_argument(
        "--state", action="append", default=[], metavar="STATE", help="such as FAILURE; may be repeated"
    )
    parser.add_argument(
        "--name", action="append", default=[], help="name of the task, with wildcards: shop.*"
    )
    parser.add_argument("--worker", action="append", default=[], help="host name, with wildcards")
    parser.add_argument("--queue", action="append", default=[], help="queue, with wildcards")
    parser.add_argument(
        "--search", default="", metavar="TEXT", help="a search as on the page: 'runtime:>10s -queue:mail'"
    )


def asked(options: dict[str, Any]) -> Asked:
    """Everything may be seen from a terminal, as it is stored: redacted. Raises CommandError with MISUSED."""
    pairs = [(field, value) for field in ("state", "name", "worker", "queue") for value in options[field]]
    since, until = _time(options.get("since") or ""), _time(options.get("until") or "")
    if since or until:
        pairs.append(("first_seen", f"{since}..{until}"))
    question = Question.read([*pairs, ("q", options["search"])])
    found = Asked(Visibility.everything(), question, with_payload=True)
    if found.mistakes:
        mistake = found.mistakes[0]
        raise CommandError(f"{mistake.parameter}: {mistake.message}", returncode=MISUSED)
    return found


def _time(text: str) -> str:
    """``2h`` is two hours ago."""
    return f"-{text}" if _SPAN.fullmatch(text) else text
