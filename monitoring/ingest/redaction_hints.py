"""One search that tells whether a text can hold a secret at all, which nearly none does. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

#: One character of a hint's literal beginning, in which ``\\W`` stands for what parts two words.
_UNIT = r"[^\W_]|\\[^\w\s]|\\W|[ /:]"
_LITERAL_START = re.compile(rf"(?:{_UNIT})*+(?![?*+{{])")
_UNITS = re.compile(_UNIT)
#: Characters by how often they stand in texts, the most frequent first.
_FREQUENCY = "etaoinsr hlducmp0123456789/.:fgybvwkxjqz"


def hint_expression(hints: Iterable[str]) -> re.Pattern[str]:
    """A regex that finds something in each text that one of `hints`, which are regexes themselves, finds something in.

    A regex is tried at each character that it may start with. So each hint starts at the rarest character of its
    literal beginning, with a look back at what stands before it: most of a text is then skipped at the speed of a scan,
    which takes a quarter of the time of a plain alternation. Hints that go on alike from there share that look: all
    that end in "key" are one. A hint that another one is found in is left out.
    """
    split = [_split(hint) for hint in hints]
    whole = {literal for literal, rest in split if not rest}
    by_pivot: dict[str, dict[tuple[str, str], list[str]]] = {}
    for literal, rest in sorted(set(split)):
        if any(other in literal for other in whole if other != literal or rest):
            continue
        units = _UNITS.findall(literal)
        places = [index for index, unit in enumerate(units) if unit != r"\W"]
        at = max(places, key=_rarity(units), default=None)
        if at is None:
            raise ValueError(f"the hint {rest!r} does not start with a literal")
        way = "".join(units[at + 1 :]), rest
        by_pivot.setdefault(units[at], {}).setdefault(way, []).append(literal if at else "")
    if not by_pivot:
        return re.compile(r"(?!)")
    return re.compile("|".join(f"{pivot}(?:{_ways(ways)})" for pivot, ways in sorted(by_pivot.items())))


def _rarity(units: list[str]) -> Callable[[int], int]:
    return lambda index: _FREQUENCY.find(units[index][-1])


def _ways(ways: dict[tuple[str, str], list[str]]) -> str:
    """What may stand behind a pivot, each with the whole literals that it may be the end of."""
    options = []
    for (behind, rest), literals in ways.items():
        look_back = "" if "" in literals else f"(?:{'|'.join(f'(?<={literal})' for literal in literals)})"
        options.append(f"{behind}{look_back}{rest}")
    return "|".join(options)


def _split(hint: str) -> tuple[str, str]:
    """A hint's literal beginning, and the rest of its regex."""
    match = _LITERAL_START.match(hint)
    end = match.end() if match else 0
    return hint[:end], hint[end:]
