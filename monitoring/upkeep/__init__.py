"""What runs on a clock, in one process at a time."""
