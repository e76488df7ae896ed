"""How fast the task list answers among millions of tasks."""
