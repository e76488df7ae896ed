"""Verbs on groups of failures: what people decide about them. Nothing is sent to a worker."""
