"""The bundled project's settings with changes that a test asks for: TEST_SETTINGS='{"BATCH_SIZE": 5}'."""

import json
import os

from monitoring.conf import MonitoringSettings
from project.settings import *  # noqa: F403
from project.settings import MONITORING

for name, value in json.loads(os.environ["TEST_SETTINGS"]).items():
    if name in MonitoringSettings.types():
        MONITORING[name] = value
    else:
        globals()[name] = value
