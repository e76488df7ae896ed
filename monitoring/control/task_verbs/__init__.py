"""Verbs on tasks that reach workers: what is sent, what is seen of it, and what is said before."""
