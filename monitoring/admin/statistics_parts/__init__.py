"""What the dashboard and the page of one task's statistics are made of: filter, tiles, charts, tables."""
