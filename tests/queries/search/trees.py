"""Trees as hypothesis draws them: all that the grammar can write, and nothing else."""

from __future__ import annotations

from hypothesis import strategies as st

from monitoring.queries.search.fields import FIELDS, STATES, Kind
from monitoring.queries.search.tree import And, Bound, Missing, Node, Not, Or, Pattern, Range, Term, Value

#: Few letters, so that patterns meet texts, and all that mean something somewhere.
LETTERS = "abAB*?[]%_\\\"' (),:.->=é\n-"
PIECES = st.text(alphabet=LETTERS, max_size=4)
DURATIONS = st.sampled_from(["0", "2s", "85ms", "1m30s", "0.5", "1h", "3d"])
COUNTS = st.sampled_from(["0", "1", "2", "5", "999999999"])
TIMES = st.sampled_from(
    ["2026-11-22", "2026-11-22T14:18", "2026-11-22 14:18:02.5", "2026-11-22T14:18:00Z", "2026-11-22T15:18:00+01:00",
     "14:18", "-2h", "+1d", "now"]
)  # fmt: skip


def _pattern(pieces: list[str]) -> Pattern:
    """With the stars that reading would leave: none beside another."""
    first, *rest = pieces
    middle = [piece for piece in rest[:-1] if piece]
    return Pattern((first, *middle, *rest[-1:]))


patterns = (
    st.lists(PIECES, min_size=1, max_size=3).map(_pattern).filter(lambda pattern: pattern.pieces != ("",))
)
#: Bare words have something to look for.
word_patterns = patterns.filter(lambda pattern: any(pattern.pieces))


@st.composite
def ranges(draw: st.DrawFn, kind: Kind) -> Range:
    texts = {Kind.DURATION: DURATIONS, Kind.COUNT: COUNTS, Kind.TIME: TIMES}[kind]
    form = draw(st.sampled_from(("one", "low", "high", "both")))
    low, high = Bound(draw(texts)), Bound(draw(texts))
    if form == "both":
        return Range(low, high)
    if form == "one":
        return Range(low, low)
    inclusive = draw(st.booleans())
    return Range(low=Bound(low.text, inclusive)) if form == "low" else Range(high=Bound(high.text, inclusive))


def values(kind: Kind) -> st.SearchStrategy[Value]:
    if kind is Kind.STATE:
        return st.sampled_from(STATES).map(lambda state: Pattern((state,)))
    if kind in (Kind.NAME, Kind.ID, Kind.TEXT):
        return st.one_of(patterns, st.just(Missing()))
    return st.one_of(ranges(kind), st.just(Missing()))


@st.composite
def terms(draw: st.DrawFn) -> Term:
    name = draw(st.sampled_from(["", *FIELDS]))
    if not name:
        return Term("", (draw(word_patterns),))
    kind = FIELDS[name].kind
    most = 1 if kind is Kind.TEXT else 3
    drawn = draw(st.lists(values(kind), min_size=1, max_size=most, unique=True))
    return Term(name, tuple(drawn))


trees: st.SearchStrategy[Node] = st.recursive(
    terms(),
    lambda children: st.one_of(
        children.map(Not),
        st.lists(children, min_size=2, max_size=3).map(lambda nodes: And(tuple(nodes))),
        st.lists(children, min_size=2, max_size=3).map(lambda nodes: Or(tuple(nodes))),
    ),
    max_leaves=6,
)
