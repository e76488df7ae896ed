"""Both formats say what was said to them, to the parsers that Prometheus' own client library has for them."""

from __future__ import annotations

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitoring.metrics.exposition import Exposition, Format, label

PARSERS = {Format.TEXT: parse_text, Format.OPENMETRICS: parse_openmetrics}
CREATED = 1_795_348_800.25


@pytest.mark.parametrize("format_", Format)
def test_what_was_added_is_what_is_read(format_):
    page = Exposition(format_)
    gauge = page.gauge("up", "Whether\nit is \\ up.")
    counter = page.counter("events", "Events.")
    histogram = page.histogram("seconds", "Durations.", (0.5, 1.0))
    # Families take turns, as tasks come.
    for name in ("a", 'b "quoted" \\ and\nbroken', "ünï{cod},e"):
        labels = label("name", name)
        gauge.add(labels, 1)
        counter.add(labels, 3, CREATED)
        histogram.add(labels, [1, 0, 2], 7.25, CREATED)
    gauge.add("", 2)
    families = {family.name: family for family in PARSERS[format_](b"".join(page.parts()).decode())}
    page.close()
    assert families["up"].documentation == "Whether\nit is \\ up."
    assert [sample.labels.get("name") for sample in families["up"].samples] == [
        "a", 'b "quoted" \\ and\nbroken', "ünï{cod},e", None,
    ]  # fmt: skip
    samples = {
        (sample.name, sample.labels.get("le")): sample.value
        for family in families.values()
        for sample in family.samples
        if sample.labels.get("name") == "a"
    }
    assert samples == {
        ("up", None): 1,
        ("events_total", None): 3,
        ("events_created", None): CREATED,
        ("seconds_bucket", "0.5"): 1,
        ("seconds_bucket", "1.0"): 1,
        ("seconds_bucket", "+Inf"): 3,
        ("seconds_count", None): 3,
        ("seconds_sum", None): 7.25,
        ("seconds_created", None): CREATED,
    }
    assert {name: families[name].type for name in ("up", "events", "seconds")} == {
        "up": "gauge",
        "events": "counter",
        "seconds": "histogram",
    }


def test_a_large_family_goes_to_a_file_and_comes_back_whole():
    page = Exposition(Format.TEXT)
    first, second = page.gauge("first", "First."), page.gauge("second", "Second.")
    for number in range(20_000):
        first.add(label("number", str(number)), number)
        second.add(label("number", str(number)), -number)
    text = b"".join(page.parts()).decode()
    page.close()
    values = {family.name: [sample.value for sample in family.samples] for family in parse_text(text)}
    assert values == {"first": list(range(20_000)), "second": [-number for number in range(20_000)]}


@pytest.mark.parametrize(
    ("accept", "format_"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", Format.TEXT),
        ("application/openmetrics-text", Format.OPENMETRICS),
        # What Prometheus 2 and 3 send.
        (("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
          "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"), Format.OPENMETRICS),
        ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4",
         Format.OPENMETRICS),
        ("text/plain;version=0.0.4;q=0.9, application/openmetrics-text;q=0.8", Format.TEXT),
        ("application/openmetrics-text;version=2.0.0, text/plain;q=0.1", Format.TEXT),
        ("application/openmetrics-text;q=nonsense", Format.TEXT),
        ("application/json", Format.TEXT),
    ],
)  # fmt: skip
def test_the_accept_header_chooses(accept, format_):
    assert Format.accepted(accept) is format_
