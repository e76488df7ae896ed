"""Addresses of the demo API, each with and without trailing slash."""

from django.urls import re_path

from tasksdemo.starts import ADDRESSES
from tasksdemo.views import StartView, TasksView, TaskView

app_name = "tasksdemo"

urlpatterns = [
    re_path(r"^\Z", TasksView.as_view(), name="tasks"),
    *(
        re_path(rf"^{name}/?\Z", StartView.as_view(address=address), name=name)
        for name, address in ADDRESSES.items()
    ),
    # Celery's ids need not be UUIDs: anything goes but NUL, which PostgreSQL does not take.
    re_path(r"^(?P<task_id>[^\x00]+?)/?\Z", TaskView.as_view(), name="task"),
]
