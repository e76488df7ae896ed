"""From the broker to the database: read, decode, fold, write in one transaction, then acknowledge."""
