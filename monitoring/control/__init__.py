"""The way back: what users do to tasks and workers, each with permission, result and audit entry."""
