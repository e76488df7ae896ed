"""The web shop behind the demo's tasks: what they call, and what breaks beneath them."""
