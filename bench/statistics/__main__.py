"""Fills a database with statistics and asks it everything that pages ask; then consumes with and without statistics.

Both databases of each comparison are made in this run, and what is compared takes turns.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import processes, servers

#: Seconds of p95, and the share of the consumer's rate, that part 8 of the plan asks for.
TARGET_DASHBOARD, TARGET_SERIES, TARGET_COST = 0.300, 0.100, 0.10


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.statistics", description=__doc__)
    parser.add_argument("--days", type=int, default=30, metavar="N", help="days of statistics (30)")
    parser.add_argument(
        "--fine-days", type=int, metavar="N",
        help="days that have minutes; those before begin with hours, which takes less time to make (all)",
    )  # fmt: skip
    parser.add_argument("--names", type=int, default=200, metavar="N", help="task names (200)")
    parser.add_argument(
        "--tasks", type=int, default=10_000_000, metavar="N", help="tasks counted (10,000,000)"
    )
    parser.add_argument(
        "--rounds", type=int, default=10, metavar="N", help="times that each question is asked (10)"
    )
    parser.add_argument(
        "--events", type=int, default=400_000, metavar="N",
        help="events that are consumed in each turn (400,000); 0: the cost is not measured",
    )  # fmt: skip
    parser.add_argument("--turns", type=int, default=3, metavar="N", help="turns with and without (3)")
    parser.add_argument("--rate", type=float, default=20_000, metavar="N", help="events/s of their times")
    parser.add_argument("--database", metavar="URL", help="ask a database that is filled already")
    parser.add_argument("--explain", action="store_true", help="print the plan of the slowest statements")
    parser.add_argument("--postgres", default=servers.POSTGRES_URL, metavar="URL")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there as well")
    return parser.parse_args(arguments)


def main() -> int:
    options = parse()
    processes.stop_on_signals()
    try:
        with servers.databases(options.postgres) as databases:
            url = options.database
            if url is None:
                url = databases.make()
                _run(
                    url,
                    "filling",
                    options.days,
                    options.names,
                    options.tasks,
                    options.fine_days or options.days,
                )
            figures: dict[str, Any] = {
                "questions": _run(url, "measuring", options.days, options.rounds, int(options.explain))
            }
            if options.events:
                figures["cost"] = _cost(databases, options)
    except KeyboardInterrupt:
        print("bench: stopped", file=sys.stderr)
        return 130
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))
    return 0 if _report(figures) else 1


def _run(url: str, module: str, *arguments: object) -> Any:
    """What a module of this package prints as JSON, in a process of its own: Django's settings are read once."""
    done = subprocess.run(
        [sys.executable, "-m", f"bench.statistics.{module}", *map(str, arguments)],
        cwd=servers.ROOT,
        env=servers.project_environment(url, servers.RABBITMQ_URL),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def _cost(databases: servers.Databases, options: argparse.Namespace) -> dict[str, list[float]]:
    """Events per second of every turn, ``with`` and ``without``."""
    rates: dict[str, list[float]] = {"without": [], "with": []}
    for turn in range(options.turns):
        for how in sorted(rates, reverse=bool(turn % 2)):
            url = databases.make()
            found = _run(url, "consuming", how, options.events, options.rate)
            print(f"{how:<8} {found['rate']:>10,.0f} events/s; {found['outcome']}", flush=True)
            rates[how].append(found["rate"])
            databases.drop(url)
    return rates


def _report(figures: dict[str, Any]) -> bool:
    """Print everything; whether every target was met."""
    met = True
    print(f"\n{'':<44}{'questions':>10}{'p50 ms':>9}{'p95 ms':>9}{'worst':>8}{'queries':>9}")
    for group, each in figures["questions"].items():
        target = TARGET_DASHBOARD if group.startswith("dashboard") else TARGET_SERIES
        missed = each["p95"] > target
        met &= not missed
        print(
            f"{group:<44}{each['questions']:>10}{each['p50'] * 1000:>9.1f}{each['p95'] * 1000:>9.1f}"
            f"{each['worst'] * 1000:>8.1f}{each['queries']:>9}{'  missed' if missed else ''}"
        )
    print(
        f"Target: p95 of a page of the dashboard's under {TARGET_DASHBOARD * 1000:.0f} ms, of any other under "
        f"{TARGET_SERIES * 1000:.0f} ms. worst: p95 of the slowest question."
    )
    if "cost" in figures:
        best = {how: max(rates) for how, rates in figures["cost"].items()}
        cost = 1 - best["with"] / best["without"]
        met &= cost < TARGET_COST
        print(
            f"Consumer without statistics {best['without']:,.0f} events/s, with {best['with']:,.0f} events/s (best of "
            f"{len(figures['cost']['with'])}): they cost {cost:.1%}; target under {TARGET_COST:.0%}."
        )
    return met


if __name__ == "__main__":
    sys.exit(main())
