"""Statistics: minutes counted from the tasks, and longer steps added up from them. The job is jobs/statistics.py."""
