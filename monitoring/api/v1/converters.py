"""Arguments of addresses."""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import StringConverter


class AnyConverter(StringConverter):
    """Any text, slashes and line feeds too: Celery's ids need not be UUIDs."""

    regex = r"[\s\S]+"


register_converter(AnyConverter, "any")
