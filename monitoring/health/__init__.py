"""What orchestrators ask: whether the web process lives, and whether all that the monitor needs is well."""
