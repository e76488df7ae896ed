"""The bundled project's settings with an OpenTelemetry SDK that writes spans, a JSON object each, to SPANS."""

import os
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from project.settings import *  # noqa: F403

_provider = TracerProvider()
_provider.add_span_processor(
    SimpleSpanProcessor(
        ConsoleSpanExporter(
            out=Path(os.environ["SPANS"]).open("a"),  # noqa: SIM115  open as long as the process lives
            formatter=lambda span: span.to_json(indent=None) + "\n",
        )
    )
)
trace.set_tracer_provider(_provider)
