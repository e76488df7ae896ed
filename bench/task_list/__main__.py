"""Fills a database with tasks, asks the task list every kind of question again and again, and prints the times.

The same is asked of a small database, so that the ratio says whether the cost grows with the number of tasks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from bench import processes, servers
from bench.task_list.filling import fill
from bench.task_list.report import print_report

#: Seconds of p95 and the ratio of large to small that part 4 of the plan asks for.
TARGET, TARGET_SEARCH, TARGET_RATIO = 0.150, 1.0, 2.0


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.task_list",
        description="Measure the task list: filters, orders, deep pages, searches, facets and histogram.",
    )
    parser.add_argument("--tasks", type=int, default=2_000_000, metavar="N", help="tasks (2,000,000)")
    parser.add_argument(
        "--events", type=int, default=0, metavar="N", help="events beside them, such as 8,000,000"
    )
    parser.add_argument(
        "--small", type=int, default=20_000, metavar="N", help="tasks to compare with (20,000); 0: none"
    )
    parser.add_argument(
        "--rounds", type=int, default=20, metavar="N", help="times that each question is asked (20)"
    )
    parser.add_argument("--no-index", action="store_true", help="leave the search index out")
    parser.add_argument(
        "--database", metavar="URL", help="measure a database that is filled already, as it is"
    )
    parser.add_argument("--postgres", default=servers.POSTGRES_URL, metavar="URL")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there as well")
    return parser.parse_args(arguments)


def main() -> int:
    options = parse()
    processes.stop_on_signals()
    try:
        with servers.databases(options.postgres) as databases:
            small = _filled(databases, options.small, 0, options) if options.small else None
            large = None
            if options.database is None:
                large = _filled(databases, options.tasks, options.events, options)
            figures = {"large": measure(large or options.database, options)}
            if small is not None:
                figures["small"] = measure(small, options)
    except KeyboardInterrupt:
        print("bench: stopped", file=sys.stderr)
        return 130
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))
    return 0 if print_report(figures, TARGET, TARGET_SEARCH, TARGET_RATIO) else 1


def measure(url: str, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Figures by question. In a process of its own: Django's settings are read once."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.task_list.measuring", str(options.rounds)],
        cwd=servers.ROOT,
        env=_environment(url, search_index=not options.no_index),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return dict(json.loads(done.stdout))


def _filled(databases: servers.Databases, tasks: int, events: int, options: argparse.Namespace) -> str:
    url = databases.make()
    seconds = fill(url, tasks, events)
    print(f"{tasks:,} tasks and {events:,} events made in {seconds:.0f} s", flush=True)
    if not options.no_index:
        subprocess.run(
            [sys.executable, "manage.py", "monitoring_search_index"],
            cwd=servers.ROOT,
            env=_environment(url, search_index=True),
            check=True,
        )
    return url


def _environment(url: str, *, search_index: bool) -> dict[str, str]:
    environment = servers.project_environment(url, servers.RABBITMQ_URL)
    return {
        **environment,
        "BENCH_SEARCH_INDEX": "1" if search_index else "",
        "PYTHONHASHSEED": "0",
        **_locale(),
    }


def _locale() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("LC_")}


if __name__ == "__main__":
    sys.exit(main())
