"""How fast statistics answer over 30 days of millions of tasks, and what they cost the consumer."""
