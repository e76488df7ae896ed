"""Parts of the task list's page, one file each."""
