"""The bundled project as it would be without the monitor."""

from project.settings import *  # noqa: F403
from project.settings import INSTALLED_APPS

INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "monitoring"]
DATABASE_ROUTERS: list[str] = []
# Its addresses need the app.
ROOT_URLCONF = "tasksdemo.urls"
