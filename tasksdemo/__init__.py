"""Example tasks of a small web shop, the HTTP API that starts them, and traffic for the demo."""
