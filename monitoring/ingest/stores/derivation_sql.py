"""The state and what follows from it, once more in SQL, for rows that are merged inside PostgreSQL.

The same function as ``states.py``, step by step; the store contract compares the two on every generated set of events.
"""

from __future__ import annotations

from monitoring.ingest.states import CLOCK_TOLERANCE, DERIVED_COLUMNS
from monitoring.tracebacks.fingerprint import LENGTH


def _is_newest(name: str, others: tuple[str, ...]) -> str:
    """Whether a register is written and has the greatest key of all named."""
    later = " AND ".join(
        f"({name}_ts, {name}_tie) >= (coalesce({other}_ts, 0), coalesce({other}_tie, 0))" for other in others
    )
    return f"({name}_ts IS NOT NULL AND {later})"


def _is_after(name: str) -> str:
    """Whether a receipt or start really came after the end, with an allowance for the clocks of two hosts."""
    allowance = f"CASE WHEN {name}_worker = end_worker THEN 0 ELSE {CLOCK_TOLERANCE} END"
    return f"coalesce({name}_ts > end_ts + {allowance}, false)"


#: SELECT of DERIVED_COLUMNS from a row ``m`` of all rule columns. Each step is fenced off by OFFSET 0: flattened into
#: one expression, the planner would compute the inner steps once for each time that they are named.
DERIVE_FROM = f"""
  (SELECT m.*,
     CASE WHEN {_is_newest("success", ("failure", "revoke"))} THEN 'SUCCESS'
          WHEN {_is_newest("failure", ("success", "revoke"))} THEN 'FAILURE'
          WHEN revoke_ts IS NOT NULL THEN 'REVOKED'
          WHEN reject_ts IS NOT NULL THEN 'REJECTED' END AS ended
   FROM m OFFSET 0) AS ends,
  LATERAL (SELECT
     CASE ended WHEN 'SUCCESS' THEN success_ts WHEN 'FAILURE' THEN failure_ts
                WHEN 'REVOKED' THEN revoke_ts WHEN 'REJECTED' THEN reject_ts END AS end_ts,
     CASE ended WHEN 'SUCCESS' THEN success_worker WHEN 'FAILURE' THEN failure_worker
                WHEN 'REVOKED' THEN revoke_worker WHEN 'REJECTED' THEN reject_worker END AS end_worker
   OFFSET 0) AS finish,
  LATERAL (SELECT ended IS NOT NULL AND NOT ({_is_after("start")} OR {_is_after("received")}) AS is_over
   OFFSET 0) AS verdict,
  LATERAL (SELECT
     CASE WHEN start_ts > coalesce(end_ts, 0) THEN start_ts END AS live_start_ts, start_tie AS live_start_tie,
     CASE WHEN retry_ts > coalesce(end_ts, 0) THEN retry_ts END AS live_retry_ts, retry_tie AS live_retry_tie,
     CASE WHEN requeue_ts > coalesce(end_ts, 0) THEN requeue_ts END AS live_requeue_ts,
     requeue_tie AS live_requeue_tie
   OFFSET 0) AS live,
  LATERAL (SELECT
     CASE WHEN is_over THEN ended
          WHEN {_is_newest("live_start", ("live_retry", "live_requeue"))} THEN 'STARTED'
          WHEN {_is_newest("live_retry", ("live_start", "live_requeue"))} THEN 'RETRY'
          WHEN live_requeue_ts IS NOT NULL THEN 'PENDING'
          WHEN received_ts IS NOT NULL THEN 'RECEIVED'
          ELSE 'PENDING' END AS state
   OFFSET 0) AS result
"""


def _source(column: str) -> str:
    return f"CASE state WHEN 'FAILURE' THEN failure_{column} WHEN 'RETRY' THEN retry_{column} END"


_SINCE_START = "CASE WHEN {end} >= start_ts THEN ({end} - start_ts) / 1000000.0::float8 END"
_GIVEN_UP = " OR ".join(
    f"coalesce({name}_ts > start_ts AND {name}_ts <= end_ts, false)" for name in ("retry", "requeue")
)

#: Expressions of DERIVED_COLUMNS over DERIVE_FROM; times in microseconds since the epoch.
EXPRESSIONS = {
    "state": "state",
    "worker": (
        "CASE state WHEN 'STARTED' THEN start_worker WHEN 'RETRY' THEN retry_worker"
        " WHEN 'RECEIVED' THEN received_worker WHEN 'PENDING' THEN NULL ELSE end_worker END"
    ),
    "exception": _source("exception"),
    "exception_type": _source("exception_type"),
    "traceback": _source("traceback"),
    "runtime": (
        "CASE WHEN state = 'SUCCESS' AND success_runtime IS NOT NULL THEN success_runtime"
        f" WHEN is_over THEN CASE WHEN NOT ({_GIVEN_UP}) THEN {_SINCE_START.format(end='end_ts')} END"
        f" WHEN state = 'RETRY' THEN {_SINCE_START.format(end='retry_ts')} END"
    ),
    "finished_at": "CASE WHEN is_over THEN end_ts END",
    "attempt_started_at": "start_ts",
    "wait": (
        "CASE WHEN sent_ts IS NOT NULL AND start_ts IS NOT NULL AND state NOT IN ('PENDING', 'RECEIVED', 'RETRY')"
        " THEN greatest(0, start_ts - greatest(sent_ts, (extract(epoch FROM eta) * 1000000)::bigint))"
        " / 1000000.0::float8 END"
    ),
    "fingerprint": (
        "CASE state WHEN 'FAILURE' THEN left(encode(sha256(convert_to("
        f"coalesce(name, '') || E'\\n' || coalesce(failure_place, ''), 'UTF8')), 'hex'), {LENGTH}) END"
    ),
}
assert tuple(EXPRESSIONS) == DERIVED_COLUMNS
