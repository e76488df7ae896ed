"""Every question that pages, API and metrics ask, once, with its cost in the docstring."""
