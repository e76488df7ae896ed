"""A Celery app whose results stand in the table of django-celery-results."""

import celery

app = celery.Celery("watched", backend="django-db", set_as_current=False)
