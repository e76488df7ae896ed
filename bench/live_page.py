"""From commit to pixels: `python -m bench.live_page`. The live monitor in a browser while events come at a steady rate.

For every feed entry, that is every commit, the seconds until a frame that holds it has been painted, weighed by its
events, and what the page's heap does meanwhile; once with a channel layer that crosses processes, once with polling.
PostgreSQL, RabbitMQ and Redis.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg
from playwright.sync_api import Page, sync_playwright

from bench import servers
from bench.ingest import ours
from bench.ingest.load import make_load
from bench.live import REDIS_URL, sign_in, web
from bench.processes import stop_on_signals
from tests.services.found import HOST, free_port

PERMISSIONS = ("view_monitor", "view_task", "view_worker", "view_payload")
BROWSER = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
#: Seconds between two looks at the heap.
LOOK = 10
#: Notes when each frame has been painted: the timer runs after the paint that follows the frame's own handler.
NOTE_PAINTS = """
window.painted = [];
const Plain = WebSocket;
window.WebSocket = class extends Plain {
    constructor(...parameters) {
        super(...parameters);
        this.addEventListener("message", (event) => {
            const { type, cursor } = JSON.parse(event.data);
            if (type === "frame") {
                const bytes = new TextEncoder().encode(event.data).length;
                requestAnimationFrame(() => setTimeout(() => painted.push([cursor, Date.now(), bytes])));
            }
        });
    }
};
"""


@dataclass
class Painted:
    """One run: seconds from commit to paint with their weights, and what the frames were."""

    run: ours.Run
    waits: list[tuple[float, int]]
    frames: int
    largest: int
    #: Bytes of the page's heap, after a collection, at each look.
    heaps: list[int]


def quantile(waits: list[tuple[float, int]], part: float) -> float:
    """The seconds within which `part` of the events were painted."""
    left = part * sum(weight for _, weight in waits)
    for seconds, weight in sorted(waits):
        left -= weight
        if left <= 0:
            return seconds
    return max(waits)[0]


def open_monitor(browser_page: Page, port: int, cookie: str) -> None:
    name, _, value = cookie.partition("=")
    address = f"http://{HOST}:{port}"
    browser_page.context.add_cookies([{"name": name, "value": value, "url": address}])
    browser_page.add_init_script(NOTE_PAINTS)
    browser_page.goto(f"{address}/admin/monitoring/monitor/")


def waits_of(database_url: str, painted: list[list[float]]) -> list[tuple[float, int]]:
    """Seconds until the first frame whose cursor has reached an entry, for each entry that one has reached."""
    with psycopg.connect(database_url) as connection:
        entries = connection.execute(
            "SELECT id, extract(epoch FROM at)::float, events FROM monitoring_feedentry ORDER BY id"
        ).fetchall()
    first = painted[0][0]
    waits = []
    for number, at, events in entries:
        shown = next((moment / 1000 for cursor, moment, _ in painted if cursor >= number), None)
        if number > first and shown is not None:
            waits.append((shown - at, events))
    return waits


def heap_until(done: Future[ours.Run], page: Page) -> list[int]:
    """What the page's scripts hold, looked at every :data:`LOOK` seconds until `done`, and once more at the end.

    Beside the notes of paints, which grow by three numbers for each frame.
    """
    devtools, heaps = page.context.new_cdp_session(page), []
    while True:
        is_last = done.done()
        devtools.send("HeapProfiler.collectGarbage")
        heaps.append(int(devtools.send("Runtime.getHeapUsage")["usedSize"]))
        if is_last:
            return heaps
        page.wait_for_timeout(LOOK * 1_000)


def measure(options: argparse.Namespace, folder: Path, broker: str, database_url: str) -> Painted:
    load = make_load(
        folder / "load",
        shape="interleaved",
        group=24,
        events=options.rate * options.seconds,
        rate=options.rate,
        seed="live page",
    )
    setting = ours.Setting(broker, database_url, folder)
    environment = servers.project_environment(database_url, broker)
    cookie = sign_in(environment, "reader", *PERMISSIONS)
    port = free_port()
    with web(port, setting, environment), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER)
        # Something has to have arrived, or the page has no rows to fill.
        first = make_load(folder / "first", shape="contiguous", group=24, events=240, rate=240, seed="first")
        ours.keep_up(first, setting)
        page = browser.new_page()
        open_monitor(page, port, cookie)
        with ThreadPoolExecutor(1) as beside:
            keeping_up = beside.submit(ours.keep_up, load, setting)
            heaps = heap_until(keeping_up, page)
        run = keeping_up.result()
        page.wait_for_timeout(3_000)
        painted = page.evaluate("window.painted")
        browser.close()
    return Painted(
        run, waits_of(database_url, painted), len(painted), int(max(row[2] for row in painted)), heaps
    )


def report(name: str, seen: Painted) -> None:
    print(
        f"{name:>8}: commit to pixels p50 {quantile(seen.waits, 0.5):.2f} s, p95 {quantile(seen.waits, 0.95):.2f} s, "
        f"greatest {max(seen.waits)[0]:.2f} s; {seen.frames} frames, the largest {seen.largest:,} bytes; "
        f"consumer {seen.run.rate:,.0f} events/s; {seen.run.wrong or 'nothing wrong'}",
        flush=True,
    )
    tenth = max(1, len(seen.heaps) // 10)
    first, last = median(seen.heaps[1 : 1 + tenth] or seen.heaps), median(seen.heaps[-tenth:])
    print(
        f"{'':>8}  heap {first / 1e6:.2f} MB at first, {last / 1e6:.2f} MB at last, "
        f"{min(seen.heaps) / 1e6:.2f} to {max(seen.heaps) / 1e6:.2f} MB in {len(seen.heaps)} looks",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=5_000, help="events per second")
    parser.add_argument("--seconds", type=int, default=30, help="an hour shows whether the page's heap grows")
    parser.add_argument("--layer", choices=("Redis", "polling"), action="append", help="this one alone")
    options = parser.parse_args()
    stop_on_signals()
    databases = servers.Databases(servers.POSTGRES_URL)
    servers.VAR.mkdir(parents=True, exist_ok=True)
    try:
        for name, layer in (("Redis", REDIS_URL), ("polling", "")):
            if name not in (options.layer or (name,)):
                continue
            os.environ["CHANNEL_LAYER_URL"] = layer
            with (
                tempfile.TemporaryDirectory(dir=servers.VAR) as folder,
                servers.virtual_host(servers.RABBITMQ_URL) as broker,
            ):
                report(name, measure(options, Path(folder), broker, databases.make()))
    finally:
        databases.drop_all()


if __name__ == "__main__":
    main()
