"""The consumer beside reading alone and beside Flower, on the same realistic events: `python -m bench.ingest`."""
