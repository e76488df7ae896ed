"""Asks workers what they are and what they do, and keeps their answers (`WorkerSnapshot`)."""
