"""Where the consumer's time goes: each stage of its way by itself, in this process, without a broker.

`python -m bench.profile` prints microseconds of each stage for one event; `--functions` what cProfile says of it.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import processes, servers
from bench.ingest.load import GROUP, SHAPES, Load, make_load, read_messages


class Stages:
    """Adds up wall time and this thread's processor time by stage."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = defaultdict(float)
        self.cpu: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            yield
        finally:
            self.wall[name] += time.perf_counter() - wall
            self.cpu[name] += time.thread_time() - cpu

    def watch(self, owner: Any, method: str, name: Callable[..., str]) -> None:
        """Count each call of one method as a stage, which `name` tells from its arguments."""
        plain: Callable[..., Any] = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name(*args)):
                return plain(*args, **kwargs)

        setattr(owner, method, timed)

    def print(self, events: int) -> None:
        print(f"{'stage':<32}{'us/event':>10}{'processor':>11}")
        for name, seconds in self.wall.items():
            print(f"{name:<32}{seconds / events * 1e6:>10.2f}{self.cpu[name] / events * 1e6:>11.2f}")


def bodies(load: Load) -> list[tuple[bytes, int]]:
    """Each message's body with times of now, and how many events it holds."""
    base, step = time.time() - load.seconds, 1 / load.rate
    return [
        (
            message.template % tuple([base + position * step for position in message.positions]),
            len(message.positions),
        )
        for message in read_messages(load.path)
    ]


def consume(messages: list[tuple[bytes, int]], batch_size: int, stages: Stages) -> None:
    """What the consumer does with them, one stage after the other."""
    from monitoring.conf import monitoring_settings
    from monitoring.ingest.decoding import Decoder
    from monitoring.ingest.redaction_settings import configured_redactor
    from monitoring.ingest.stores import store_for
    from monitoring.ingest.stores.contract import Batch
    from monitoring.models.partitions import DayPartitions

    decoder = Decoder(
        configured_redactor(), monitoring_settings.MAX_TEXT_LENGTH, monitoring_settings.OWN_CODE
    )
    store: Any = store_for("default")
    DayPartitions("default").ensure(today())
    _watch_store(store, stages)
    batch, count = Batch(), 0
    for body, events in messages:
        with stages.stage("decode"):
            batch.tasks += decoder.decode(body, "application/json").tasks
        count += events
        if count >= batch_size:
            with stages.stage("write"):
                store.write(batch)
            batch, count = Batch(), 0
    with stages.stage("write"):
        store.write(batch)


def today() -> set[Any]:
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    return {now.date(), (now - timedelta(hours=1)).date()}


def _watch_store(store: Any, stages: Stages) -> None:
    """The parts of a write, where the store has them."""
    from django.db import connections

    from monitoring.ingest.stores import postgresql
    from monitoring.ingest.stores.columns import TASK_COLUMNS

    stages.watch(TASK_COLUMNS.fold, "fold", lambda *_: ". fold")
    if isinstance(store, postgresql.PostgresStore):
        stages.watch(postgresql, "_copy", lambda cursor, table, *_: f". COPY {table}")
        stages.watch(postgresql, "count_events", lambda *_: ". count")
    connection = connections["default"]
    connection.ensure_connection()

    def name_statement(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        words = sql.split()
        with stages.stage(f". {' '.join(words[:3])[:20]}"):
            return execute(sql, params, many, context)

    connection.execute_wrappers.append(name_statement)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--shape", choices=SHAPES, default=SHAPES[0])
    parser.add_argument("--group", type=int, default=GROUP)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=10_000)
    parser.add_argument("--batch-size", type=int, default=4_000)
    parser.add_argument(
        "--functions", action="store_true", help="cProfile's view, which slows everything down"
    )
    parser.add_argument("--postgres", default=servers.POSTGRES_URL, metavar="URL")
    options = parser.parse_args()
    processes.stop_on_signals()
    servers.VAR.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=servers.VAR))
    try:
        with servers.databases(options.postgres) as databases:
            load = make_load(
                folder / "load", shape=options.shape, group=options.group, events=options.events,
                rate=options.rate, seed=str(folder),
            )  # fmt: skip
            _run(databases.make(), load, options)
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _run(database_url: str, load: Load, options: argparse.Namespace) -> None:
    import os

    os.environ.update(servers.project_environment(database_url, servers.RABBITMQ_URL))
    import django
    from django.db import connections

    django.setup()
    messages, stages = bodies(load), Stages()
    profile = cProfile.Profile()
    try:
        if options.functions:
            profile.enable()
        consume(messages, options.batch_size, stages)
    finally:
        profile.disable()
        connections.close_all()
    print(f"{load.name}, {load.events:,} events, batches of {options.batch_size:,}")
    stages.print(load.events)
    if options.functions:
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)


if __name__ == "__main__":
    sys.exit(main())
