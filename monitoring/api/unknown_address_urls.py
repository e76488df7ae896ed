"""Every address that is none of the others': ``path("api/", include("monitoring.api.unknown_address_urls"))``.

An include of its own, behind all others below the same path: ``monitoring.urls`` may well stand before a project's own
addresses below ``/api/``. Needs Django REST framework.
"""

from __future__ import annotations

from django.urls import re_path

from .unknown_address import UnknownAddressView

urlpatterns = [re_path(r"", UnknownAddressView.as_view())]
