"""The demo's lines on the terminal, each with the name of the process that wrote it."""

import os
import sys

COLOURS = (36, 32, 33, 35, 34, 96, 92, 93)
WIDTH = len("consumer")


class Terminal:
    """Writes prefixed lines to standard output; in colour only where a person reads them."""

    def __init__(self) -> None:
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._colours: dict[str, int] = {}

    def write(self, name: str, line: str) -> None:
        """One line of the process `name`."""
        prefix = f"{name:<{WIDTH}} |"
        if self._coloured:
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
            prefix = f"\033[{colour}m{prefix}\033[0m"
        try:
            print(prefix, line, flush=True)
        except BrokenPipeError:
            # Whoever read the output is gone; the demo goes on, and no later line may fail again.
            sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
