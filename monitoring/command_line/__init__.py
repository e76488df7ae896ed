"""``manage.py monitoring``: tasks and workers in a terminal, from the same queries as the pages. One file per word."""
