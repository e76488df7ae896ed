"""What answers where there is no address: a problem, as every other error of the API is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponseBase, HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve
from django.utils.http import escape_leading_slashes
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from .views import MonitoringView


class UnknownAddressView(MonitoringView):
    """404 to each method, to who has signed in; nobody else is told which addresses there are.

    Django takes an address that this view answers for one that there is, so that it no longer leads on those who left
    out a slash: that is done here. Only for what reads, since a redirect loses the body of everything else.
    """

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method in ("GET", "HEAD") and (address := _with_slash(request)):
            return HttpResponsePermanentRedirect(address)
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if address := _with_slash(request._request):
            raise NotFound(_("There is no such address; there is %(address)s") % {"address": address})
        raise NotFound(_("There is no such address"))


def _with_slash(request: Any) -> str:
    """The address of this request with a slash at its end, where there is one; or nothing."""
    if not settings.APPEND_SLASH or request.path_info.endswith("/"):
        return ""
    try:
        match = resolve(f"{request.path_info}/", getattr(request, "urlconf", None))
    except Resolver404:
        return ""
    if getattr(match.func, "view_class", None) is UnknownAddressView:
        return ""
    return escape_leading_slashes(request.get_full_path(force_append_slash=True))
