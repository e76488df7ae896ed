"""The jobs, one module each: ``run(lease)`` does it and answers one line on what it did."""
