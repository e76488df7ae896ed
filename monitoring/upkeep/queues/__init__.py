"""What the job `queues` does: which queues there are, who consumes them, and what becomes of what was read."""
