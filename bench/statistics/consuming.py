"""One turn of the consumer's work, without a broker: `python -m bench.statistics.consuming with|without EVENTS RATE`.

Messages are decoded and written in batches, as the consumer does. "with" is the product as it is, with the upkeep job
in a process of its own, as where another consumer holds the lease; "without" takes the marks out of the merge and runs
no job. What the product does beside it is the same in both.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

from bench import servers
from bench.ingest.load import GROUP, Load, make_load
from bench.processes import running
from bench.profile import bodies, today

BATCH = 5_000


def main() -> None:
    how, events, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    import django

    django.setup()
    servers.VAR.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="statistics-", dir=servers.VAR))
    try:
        load = make_load(
            folder / "load", shape="interleaved", group=GROUP, events=events, rate=rate, seed="statistics"
        )
        with ExitStack() as stack:
            if how == "with":
                command = [sys.executable, "manage.py", "monitoring_upkeep", "--only", "statistics"]
                stack.enter_context(running(command, folder / "upkeep.log"))
            else:
                _leave_marks_out(stack)
            seconds = _consume(load)
        outcome = _outcome(how)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps({"rate": events / seconds, "outcome": outcome}))


def _consume(load: Load) -> float:
    """Decode and write everything; the seconds that it took."""
    from monitoring.conf import monitoring_settings
    from monitoring.ingest.decoding import Decoder
    from monitoring.ingest.redaction_settings import configured_redactor
    from monitoring.ingest.stores import store_for
    from monitoring.ingest.stores.contract import Batch
    from monitoring.models.partitions import DayPartitions

    decoder = Decoder(
        configured_redactor(), monitoring_settings.MAX_TEXT_LENGTH, monitoring_settings.OWN_CODE
    )
    store = store_for("default")
    messages = bodies(load)
    DayPartitions("default").ensure(today())
    begun = time.monotonic()
    batch, count = Batch(), 0
    for body, events in messages:
        batch.tasks += decoder.decode(body, "application/json").tasks
        count += events
        if count >= BATCH:
            store.write(batch)
            batch, count = Batch(), 0
    store.write(batch)
    return time.monotonic() - begun


def _leave_marks_out(stack: ExitStack) -> None:
    """Write as if there were no statistics: the plain merge, and no marks."""
    from monitoring.ingest.stores import postgresql

    plain = f"WITH merged AS ({{merge}}) {postgresql._MERGED}"
    stack.enter_context(mock.patch.object(postgresql, "_MERGE_AND_MARK", plain))
    stack.enter_context(mock.patch.object(postgresql, "write_marks"))


def _outcome(how: str) -> str:
    """What the job has done meanwhile."""
    from monitoring.models import StatisticMark, UpkeepJob

    if how == "without":
        return "no marks, no job"
    job = UpkeepJob.objects.get(pk="statistics")
    return (
        f"{StatisticMark.objects.count()} marks left; the last run took {job.duration:.2f} s: {job.outcome}"
    )


if __name__ == "__main__":
    main()
