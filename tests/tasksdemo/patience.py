"""Included by workers: a machine that stands still for a moment is no broker that does not answer."""

from monitoring import progress

progress.LONGEST_REPORT = 60.0
