"""Benchmarks: `python -m bench`. Each runs on loopback, in corners of the servers that it removes again."""
