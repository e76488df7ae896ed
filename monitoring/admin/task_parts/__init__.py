"""The parts of a task's page, one file each: what their templates need."""
