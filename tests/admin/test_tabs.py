"""The tabs on top: each page marks the one that it belongs to."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from monitoring.admin.tabs import TABS
from monitoring.models import Statistic

pytestmark = pytest.mark.django_db

LISTS = {model._meta.model_name: str(label) for model, label, _letter in TABS}


def marked(client: Client, url: str) -> list[str]:
    """Labels of the tabs that are marked as current."""
    html = client.get(url).content.decode()
    [tabs] = re.findall(r'<nav class="mon-tabs".*?</nav>', html, re.S)
    return re.findall(r'aria-current="page">([^<]+)</a>', tabs)


@pytest.mark.parametrize(("model", "label"), LISTS.items())
def test_each_list_marks_its_tab(admin_client: Client, model: str, label: str) -> None:
    assert marked(admin_client, reverse(f"admin:monitoring_{model}_changelist")) == [label]


@pytest.mark.parametrize("query", ["", "?name=shop.tasks.pay"])
def test_statistics_belong_to_tasks(admin_client: Client, query: str) -> None:
    assert marked(admin_client, reverse("admin:monitoring_statistic_changelist") + query) == ["Tasks"]


def test_the_index_of_the_app_is_the_dashboard(admin_client: Client) -> None:
    assert marked(admin_client, reverse("admin:app_list", args=["monitoring"])) == ["Dashboard"]


def test_every_page_of_the_admin_belongs_to_a_tab() -> None:
    pages = {model for model in admin.site._registry if model._meta.app_label == "monitoring"}
    assert pages == {model for model, _label, _letter in TABS} | {Statistic}


def test_no_two_tabs_share_a_key() -> None:
    letters = ["d", *(letter for _model, _label, letter in TABS)]
    assert len(letters) == len(set(letters))
