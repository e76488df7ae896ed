"""Python's formatted tracebacks, read back into exceptions and frames. Pure: neither Django nor Celery."""
