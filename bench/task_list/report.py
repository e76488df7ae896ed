"""Prints the figures side by side, and what missed its target. Pure."""

from __future__ import annotations

Figures = dict[str, dict[str, dict[str, float]]]

#: Reads as many rows as hold the words, of which a small database has few: no target of the ratio.
_SEARCH = "search in texts"
#: Groups without a target of 150 ms: the limit of time ends them, or they stand beside the list.
_WITHOUT_TARGET = ("facets alone", "histogram alone", "limit of time", "exclude each other")


def print_report(figures: Figures, target: float, target_search: float, target_ratio: float) -> bool:
    """Whether every target was met. All figures in seconds."""
    large, small = figures["large"], figures.get("small", {})
    print(
        f"\n{'':48}{'asked':>6}{'p50 ms':>8}{'p95 ms':>8}{'worst':>7}{'computed':>10}{'queries':>9}"
        f"{'partial':>9}{'ratio':>7}"
    )
    met = True
    for group, each in large.items():
        # Of medians: a p95 of 20 rounds on a busy machine says more of the machine.
        ratio = each["p50"] / small[group]["p50"] if group in small else None
        limit = _limit(group, target, target_search)
        missed = limit is not None and (
            each["p95"] > limit
            or (group != _SEARCH and ratio is not None and ratio > target_ratio and each["p50"] > 0.01)
        )
        met = met and not missed
        print(
            f"{group:48}{each['questions']:6.0f}{each['p50'] * 1000:8.1f}{each['p95'] * 1000:8.1f}"
            f"{each['worst'] * 1000:7.0f}{each['computed'] * 1000:10.1f}{each['queries']:9.0f}{each['partial']:9.0f}"
            f"{'' if ratio is None else f'{ratio:7.2f}'}{'  missed' if missed else ''}"
        )
    print(
        f"\nTarget: p95 under {target * 1000:.0f} ms, of searches in texts under {target_search * 1000:.0f} ms; ratio "
        f"to the small database under {target_ratio:.0f} where a\npage takes over 10 ms. worst: p95 of the slowest "
        "question of the line. computed: median of what this process computed, in ms. partial: questions that the\n"
        "limit of time ended."
    )
    return met


def _limit(group: str, target: float, target_search: float) -> float | None:
    if any(word in group for word in _WITHOUT_TARGET):
        return None
    return target_search if group == _SEARCH else target
