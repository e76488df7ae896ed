"""Pages, static files and sockets under a plain Daphne with DEBUG off, at the root and below a prefix."""

import re

import pytest

from tests.project.serving import daphne

PREFIXES = [("", ""), ("celery", "/celery"), ("/tools/celery/", "/tools/celery")]


@pytest.fixture(scope="module", params=PREFIXES, ids=lambda param: param[1] or "root")
def served(request, tmp_path_factory):
    """The site, and the prefix that all of its addresses begin with."""
    setting, prefix = request.param
    with daphne(
        "tests.project.echo:application", tmp_path_factory.mktemp("site"), URL_PREFIX=setting
    ) as site:
        yield site, prefix


def test_a_signed_out_reader_is_sent_to_the_login_below_the_prefix(served):
    site, prefix = served
    response = site.get(f"{prefix}/admin/")

    assert response.status == 302
    assert response.headers["Location"] == f"{prefix}/admin/login/?next={prefix}/admin/"


def test_the_start_page_leads_to_the_admin(served):
    site, prefix = served

    assert site.get(f"{prefix}/").headers["Location"] == f"{prefix}/admin/"


def test_every_static_file_of_a_page_is_served_without_collectstatic(served):
    site, prefix = served
    page = site.get(f"{prefix}/admin/login/").text
    files = re.findall(r'(?:href|src)="([^"]*/static/[^"]+)"', page)

    assert files
    assert all(file.startswith(f"{prefix}/static/") for file in files)
    assert {site.get(file).status for file in files} == {200}


def test_cookies_belong_to_the_prefix(served):
    site, prefix = served
    cookie = site.get(f"{prefix}/admin/login/").headers["Set-Cookie"]

    assert f"Path={prefix}/;" in cookie


def test_sockets_open_below_the_prefix(served):
    site, prefix = served

    assert site.socket(f"{prefix}/ws/echo/") == 101


def test_a_proxy_may_strip_the_prefix(served):
    site, prefix = served

    assert site.get("/admin/").headers["Location"] == f"{prefix}/admin/login/?next={prefix}/admin/"
    assert site.get("/static/admin/css/base.css").status == 200
    assert site.socket("/ws/echo/") == 101


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "http://127.0.0.1:9", None])
def test_sockets_of_another_origin_are_refused(served, origin):
    site, prefix = served

    assert site.socket(f"{prefix}/ws/monitoring/", origin) == 403


def test_what_is_no_socket_or_another_origin_is_refused_quietly_and_the_health_check_passes(tmp_path):
    with daphne("project.asgi:application", tmp_path) as site:
        assert site.socket("/ws/nothing/") == 403
        assert site.socket("/ws/monitoring/", "null") == 403
        assert site.get("/healthz").status == 200
    assert "Traceback" not in (tmp_path / "daphne.log").read_text()


def test_with_https_pages_are_redirected_and_probes_are_not(tmp_path):
    with daphne("project.asgi:application", tmp_path, DJANGO_HTTPS="true", URL_PREFIX="celery") as site:
        page = site.get("/celery/admin/login/")
        assert (page.status, page.headers["Location"][:8]) == (301, "https://")
        assert site.get("/celery/healthz").status == 200
        assert site.get("/celery/healthz", Host="10.0.0.5:8000").status == 200
        assert site.get("/healthz", Host="10.0.0.5:8000").status == 200
        assert site.get("/celery/admin/login/", Host="10.0.0.5:8000").status == 400

        behind_the_proxy = site.get("/celery/admin/login/", X_Forwarded_Proto="https")
        assert "Secure" in behind_the_proxy.headers["Set-Cookie"]
        assert "max-age=" in behind_the_proxy.headers["Strict-Transport-Security"]
