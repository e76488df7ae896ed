"""What the demo cannot go on after."""


class DemoError(Exception):
    """The demo cannot run; the text says why and what to do, for the person at the terminal."""
