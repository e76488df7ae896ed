"""See and steer Celery from the Django admin: every event stored, nothing lost, nothing counted twice."""

__version__ = "0.1.0"
