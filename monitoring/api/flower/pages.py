"""Flower's pages, which people have in their fingers and in their links, lead to ours. Needs no REST framework."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse

#: Filters of Flower's list of tasks, and ours.
_FILTERS = {"state": "state", "type": "name", "taskname": "name", "worker": "worker", "workername": "worker"}
DASHBOARD = "admin:app_list"


def to_page(*names: str) -> Callable[[HttpRequest], HttpResponseRedirect]:
    """A redirect to the first of these pages that this project has."""

    def view(request: HttpRequest) -> HttpResponseRedirect:
        return HttpResponseRedirect(_address(*names))

    return view


def to_tasks(request: HttpRequest) -> HttpResponseRedirect:
    """The list, with the filters that Flower's address had."""
    found = {
        ours: value
        for theirs, ours in _FILTERS.items()
        if (value := request.GET.get(theirs, "")) and value != "All"
    }
    query = f"?{urlencode(found)}" if found else ""
    return HttpResponseRedirect(_address("admin:monitoring_task_changelist") + query)


def to_object(page: str) -> Callable[..., HttpResponseRedirect]:
    """A redirect to the page of one task or worker."""

    def view(request: HttpRequest, name: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse(page, args=[quote(name)]))

    return view


def _address(*names: str) -> str:
    for name in names:
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return reverse(DASHBOARD, kwargs={"app_label": "monitoring"})
