"""Frames as pure data: whoever applies all that it is sent shows what is there, within the bytes of a frame."""

import json

from hypothesis import given
from hypothesis import strategies as st

from monitoring.live.frames import MAX_BYTES, Frames


class Shown:
    """A page that applies frames as docs/live.md says."""

    def __init__(self) -> None:
        self.base = 0
        self.rows: dict[str, str] = {}
        self.order: list[str] = []

    def apply(self, frames: Frames) -> dict | None:
        text = frames.frame(self.base)
        self.base = frames.seq
        if text is None:
            return None
        assert len(text.encode()) <= MAX_BYTES
        frame = json.loads(text)
        for sent in frame.get("lists", {}).values():
            rows = {**self.rows, **sent["rows"]}
            self.order = sent["order"]
            self.rows = {key: rows[key] for key in self.order if key in rows}
        return frame


#: What a list holds after each step, as key -> version, and which of three pages look at it then.
contents = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 3), max_size=8)
steps = st.lists(st.tuples(contents, st.sets(st.integers(0, 2))), min_size=1, max_size=12)


@given(steps, st.integers(1, 30_000))
def test_a_page_that_was_left_out_for_a_while_catches_up_with_one_frame(steps, length):
    frames, pages = Frames(["tasks"]), [Shown(), Shown(), Shown()]
    for seq, (content, looking) in enumerate(steps, 1):
        known = frames.known("tasks")
        rendered = {
            key: (version, f"{key}{version}" + "x" * length)
            for key, version in content.items()
            if key not in known or known[key].version != version
        }
        frames.begin(seq, {"cursor": seq})
        frames.listings["tasks"].update(seq, list(content), rendered, {"left_out": 0})
        for number in looking:
            pages[number].apply(frames)
    for extra in range(1, 12):  # rows that had no room come with the next frames
        frames.begin(len(steps) + extra, {"cursor": 0})
        for page in pages:
            page.apply(frames)
    for page in pages:
        assert page.order == list(steps[-1][0])
        assert {key: html[: len(key) + 1] for key, html in page.rows.items()} == {
            key: f"{key}{version}" for key, version in steps[-1][0].items()
        }


def test_the_longest_ids_fit_and_what_is_cut_is_counted():
    frames = Frames(["tasks"])
    frames.begin(1, {"cursor": 1})
    keys = [f"{number:03}" + "\x01" * 252 for number in range(100)]
    frames.listings["tasks"].update(1, keys, dict.fromkeys(keys, (0, "<tr>")), {"left_out": 7})
    text = frames.frame(0)
    assert text is not None
    assert len(text.encode()) <= MAX_BYTES
    sent = json.loads(text)["lists"]["tasks"]
    assert 0 < len(sent["order"]) < 100
    assert sent["left_out"] == 7 + 100 - len(sent["order"])


def test_nothing_new_is_no_frame():
    frames = Frames([])
    frames.begin(1, {"cursor": 1})
    frames.put("strip", {"form": "receiving"})
    assert json.loads(frames.frame(0) or "")["strip"] == {"form": "receiving"}
    frames.begin(2, {"cursor": 2})
    frames.put("strip", {"form": "receiving"})
    assert frames.frame(1) is None
    assert frames.frame(0) is not None


def test_pages_that_are_up_to_date_share_one_text():
    frames = Frames(["tasks"])
    frames.begin(1, {})
    frames.listings["tasks"].update(1, ["a"], {"a": (0, "<tr>")}, {})
    assert frames.frame(0) is frames.frame(0)
