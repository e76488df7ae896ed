"""``/metrics``: what Prometheus reads. docs/metrics.md lists every name."""
