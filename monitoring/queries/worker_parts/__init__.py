"""Answers of workers as typed values. Pure functions of `Snapshot.content`, which may have any shape: what is not as
Celery says it is left out, and nothing raises.
"""
