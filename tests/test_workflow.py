"""What the plug-in told of a workflow, read back, whatever it is."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from monitoring.workflow import Workflow

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["group", "chord", "chain", "callbacks", "other"]), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


def test_what_the_plug_in_tells_is_read() -> None:
    told = {"group": "g1", "chord": "shop.sum", "chain": ["shop.a", "shop.b"], "callbacks": ["shop.c"]}
    found = Workflow.read(json.dumps(told))
    assert found == Workflow("g1", "shop.sum", ("shop.a", "shop.b"), ("shop.c",))


@given(st.one_of(st.none(), st.text(), ANY_JSON.map(json.dumps)))
def test_any_text_is_read(text: str | None) -> None:
    found = Workflow.read(text)
    assert all(isinstance(name, str) for name in (found.group, found.chord, *found.chain, *found.callbacks))


def test_names_that_may_not_be_read_are_left_out_and_so_is_what_comes_behind_them() -> None:
    told = Workflow("g1", "bank.sum", ("shop.a", "bank.b", "shop.c"), ("bank.d", "shop.e"))
    found = told.only(lambda name: name.startswith("shop."))
    assert found == Workflow("g1", "", ("shop.a",), ("shop.e",))
