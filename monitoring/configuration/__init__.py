"""What Celery's settings mean: their groups, defaults and documentation, what of them is shown, and which ones hurt."""
