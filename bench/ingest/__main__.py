"""Runs the parts one after the other, never two loads at a time."""

from __future__ import annotations

import shutil
import sys
import tempfile
from argparse import Namespace
from pathlib import Path

from bench import flower_environment, processes, servers
from bench.ingest import flower, options, ours, preload, reading
from bench.ingest.load import Load, make_load
from bench.ingest.report import Report


class Bench:
    """One run: its loads, its servers' corners, and its report."""

    def __init__(
        self, chosen: Namespace, broker_url: str, databases: servers.Databases, folder: Path
    ) -> None:
        self.options = chosen
        self.broker_url = broker_url
        self.databases = databases
        self.folder = folder
        self.report = Report(vars(chosen))
        self._loads = 0

    def run(self) -> None:
        parts = self.options.only
        if "flower" in parts:
            print(f"Flower {flower_environment.install()}", flush=True)
        for group in self.options.group:
            for shape in self.options.shape:
                if not self.options.no_burst:
                    self._burst(shape, group, parts)
                if "ours" in parts or "two" in parts:
                    self._steady(shape, group)
        if self.options.waiting:
            self._waiting()
        self.report.print_all()
        if self.options.json:
            self.report.save(self.options.json)
        if self.options.markdown:
            self.report.save_markdown(self.options.markdown)

    def load(self, shape: str, group: int, events: int, rate: float) -> Load:
        """A load in a file of its own, with task ids of its own."""
        for old in self.folder.glob("load-*"):
            old.unlink()
        self._loads += 1
        path = self.folder / f"load-{self._loads}"
        return make_load(path, shape=shape, group=group, events=events, rate=rate, seed=path.as_posix())

    def _burst(self, shape: str, group: int, parts: list[str]) -> None:
        load = self.load(shape, group, self.options.events, self.options.burst_rate)
        if "reading" in parts:
            self.report.reading(load.name, reading.measure(load, self.broker_url))
        if "flower" in parts:
            self._flower(load)
            load = self.load(shape, group, self.options.events, self.options.burst_rate)
        if "ours" in parts:
            self._drain(load, "ours", 1)
        if "two" in parts:
            self._drain(load, "ours, two consumers", 2)
        if self.options.sqlite:
            self._sqlite(load)
        if self.options.preload:
            self._preloaded(load)

    def _drain(self, load: Load, what: str, consumers: int) -> None:
        url = self.databases.make()
        try:
            self.report.ours(load.name, what, ours.drain(load, self._setting(url), consumers))
        finally:
            self.databases.drop(url)

    def _steady(self, shape: str, group: int) -> None:
        for rate in self.options.rates:
            load = self.load(shape, group, int(rate * self.options.seconds), rate)
            for what, consumers in (("ours", 1), ("two", 2)):
                if what in self.options.only and (what == "ours" or "ours" not in self.options.only):
                    url = self.databases.make()
                    try:
                        run = ours.keep_up(load, self._setting(url), consumers)
                    finally:
                        self.databases.drop(url)
                    self.report.ours(load.name, f"ours, steady ({consumers})", run, compare=False)

    def _sqlite(self, load: Load) -> None:
        path = self.folder / "bench.sqlite3"
        servers.migrate(f"sqlite:///{path}")
        run = ours.drain(load, self._setting(f"sqlite:///{path}"))
        self.report.ours(load.name, "ours, SQLite", run)
        for file in self.folder.glob("bench.sqlite3*"):
            file.unlink()

    def _preloaded(self, load: Load) -> None:
        url = self.databases.make()
        try:
            seconds = preload.preload(url, self.options.preload)
            print(f"{self.options.preload:,} tasks made in {seconds:.0f} s", flush=True)
            self.report.ours(
                load.name, f"ours, on {self.options.preload:,} tasks", ours.drain(load, self._setting(url))
            )
        finally:
            self.databases.drop(url)

    def _waiting(self) -> None:
        load = self.load("interleaved", self.options.group[0], self.options.waiting, self.options.burst_rate)
        self._drain(load, f"ours, {load.events:,} waiting", 1)

    def _flower(self, load: Load) -> None:
        with flower.flower(self.broker_url, self.folder) as running:
            self.report.flower(load.name, "Flower, burst", running.hear(load, paced=False))
        with flower.flower(self.broker_url, self.folder) as running:

            def trial(rate: float) -> flower.Heard:
                offered = self.load(load.shape, load.group, int(rate * self.options.flower_seconds), rate)
                heard = running.hear(offered, paced=True)
                self.report.flower(load.name, "Flower, steady", heard)
                return heard

            best, trials = flower.highest_lossless(5_000, 80_000, trial, self.options.flower_trials)
            self.report.flower_lossless(load.name, best, max(heard.memory for heard in trials))

    def _setting(self, database_url: str) -> ours.Setting:
        return ours.Setting(self.broker_url, database_url, self.folder, self.options.consumer_options)


def main() -> int:
    chosen = options.parse()
    processes.stop_on_signals()
    servers.VAR.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=servers.VAR))
    try:
        with (
            servers.virtual_host(chosen.rabbitmq) as broker_url,
            servers.databases(chosen.postgres) as databases,
        ):
            bench = Bench(chosen, broker_url, databases, folder)
            bench.run()
            return 0 if bench.report.is_right else 1
    except KeyboardInterrupt:
        print("bench: stopped", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
