"""The bundled Django project: the demo and the compose deployment. The product is `monitoring`."""

from project.celery import app as celery_app

# Celery's Django guide: @shared_task binds to the app that is loaded with the project.
__all__ = ("celery_app",)
