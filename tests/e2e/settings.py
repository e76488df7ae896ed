"""The bundled project's settings, with more patience: a worker that is busy, or not scheduled, answers late."""

from project.settings import *  # noqa: F403
from project.settings import MONITORING

MONITORING = {**MONITORING, "CONTROL_TIMEOUT": 10.0}
