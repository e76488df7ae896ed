"""Verbs on schedules: switch them on and off, and run them now."""
