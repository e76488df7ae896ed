"""Where a list is: the question, the order, the columns and the view, as one address, and addresses beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict

from ...queries.keyset import Place
from ...queries.search.question import Question
from ...queries.search.tree import Node
from ...queries.sorting import NEWEST_FIRST, Sort
from .form import Pairs, asked_pairs

#: Longest address that is put in order by leading to another; servers and proxies refuse much longer ones.
LONGEST = 2_000
#: How often a reader can ask to go on looking; see queries/reading.py.
MOST_PATIENCE = 3
MAX_COLUMNS, MAX_NAME = 40, 60


@dataclass(frozen=True)
class ListAddress:
    """`columns`: those that the address itself names (none: the reader's own). `view`: key of the view it came from."""

    question: Question
    sort: Sort = NEWEST_FIRST
    view: str = ""
    columns: tuple[str, ...] = ()
    place: Place | None = None
    patience: int = 0

    @classmethod
    def of(cls, query: QueryDict) -> ListAddress:
        """From a query string, which may hold anything. Never raises."""
        sort = Sort.parse(query.get("sort"))
        look = query.get("look", "")
        return cls(
            question=Question.read(asked_pairs(query)),
            sort=sort,
            view=query.get("view", "")[:MAX_NAME].replace("\0", ""),
            columns=tuple(name[:MAX_NAME] for name in query.getlist("column")[:MAX_COLUMNS] if name),
            place=Place.parse(query.get("place"), sort),
            patience=int(look) if look in ("1", "2", "3") else 0,
        )

    @property
    def sort_text(self) -> str:
        """For the URL; empty for the order that needs no saying."""
        return "" if self.sort == NEWEST_FIRST else str(self.sort)

    def pairs(self) -> Pairs:
        """Without the place in the list: what a saved view keeps, and what the live page follows."""
        sort = [("sort", self.sort_text)] if self.sort_text else []
        columns = [("column", name) for name in self.columns]
        return [*self.question.parameters(), *sort, *columns]

    def url(self, *, place: Place | None = None, patience: int = 0) -> str:
        """Of this list, its first page unless told otherwise."""
        pairs = self.pairs()
        if self.view:
            pairs.append(("view", self.view))
        if place is not None:
            pairs.append(("place", str(place)))
        if patience:
            pairs.append(("look", str(patience)))
        return f"?{urlencode(pairs)}"

    def with_tree(self, tree: Node | None) -> ListAddress:
        """The list with another filter, from its first row."""
        return replace(self, question=self.question.with_tree(tree), place=None, patience=0)

    def sorted(self, sort: Sort) -> ListAddress:
        return replace(self, sort=sort, place=None, patience=0)


def canonical(request: HttpRequest) -> str | None:
    """The address that says the same in the one form that links and people share; None: this one does already."""
    given = [(name, text) for name, texts in request.GET.lists() for text in texts]
    address = ListAddress.of(request.GET)
    if address.question.mistakes:
        # What cannot be read stays as it was written, so that it can be mended.
        url = f"?{urlencode(asked_pairs(request.GET))}"
    else:
        url = address.url(place=address.place, patience=address.patience)
    wanted = [(name, text) for name, texts in QueryDict(url[1:]).lists() for text in texts]
    if sorted(wanted) == sorted(given) or len(url) > LONGEST:
        return None
    return f"{request.path}{url}"
