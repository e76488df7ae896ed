from .api_token import ApiToken
from .audit_entry import AuditEntry
from .bulk_run import BulkChunk, BulkRun
from .config import Config
from .consumer import Consumer
from .dead_letter import DeadLetter
from .deploy_mark import DeployMark
from .event import TaskEvent
from .event_count import EventDelta, EventTotal
from .failure_group import FailureGroup, FailureSighting, FailureTriage
from .failures import Failures
from .feed_entry import FeedEntry
from .gap import Gap
from .idempotency_key import IdempotencyKey
from .lease import Lease
from .monitor import Monitor
from .queue import Broker, Queue, QueueSample
from .rerun import Rerun
from .saved_view import SavedView
from .schedule import MissedRuns, Schedule, ScheduleWatch
from .statistic import Grain, Statistic
from .statistic_deletion import StatisticDeletion
from .statistic_failure import StatisticFailure
from .statistic_mark import StatisticMark
from .task import Task
from .task_list_choice import TaskListChoice
from .upkeep_job import UpkeepJob
from .worker import Worker
from .worker_event import WorkerEvent
from .worker_rollup import WorkerRollup, WorkerRollupMark
from .worker_sample import WorkerSample
from .worker_snapshot import Problem, WorkerSnapshot

__all__ = [
    "ApiToken",
    "AuditEntry",
    "Broker",
    "BulkChunk",
    "BulkRun",
    "Config",
    "Consumer",
    "DeadLetter",
    "DeployMark",
    "EventDelta",
    "EventTotal",
    "FailureGroup",
    "FailureSighting",
    "FailureTriage",
    "Failures",
    "FeedEntry",
    "Gap",
    "Grain",
    "IdempotencyKey",
    "Lease",
    "MissedRuns",
    "Monitor",
    "Problem",
    "Queue",
    "QueueSample",
    "Rerun",
    "SavedView",
    "Schedule",
    "ScheduleWatch",
    "Statistic",
    "StatisticDeletion",
    "StatisticFailure",
    "StatisticMark",
    "Task",
    "TaskEvent",
    "TaskListChoice",
    "UpkeepJob",
    "Worker",
    "WorkerEvent",
    "WorkerRollup",
    "WorkerRollupMark",
    "WorkerSample",
    "WorkerSnapshot",
]
