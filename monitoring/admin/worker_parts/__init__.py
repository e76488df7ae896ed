"""The tabs of a worker's page, one file each: what they read out of the worker's answers, and which verbs they have."""
