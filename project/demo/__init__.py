"""`make demo`: everything that production runs, on one machine, with no server installed and nothing left behind."""
