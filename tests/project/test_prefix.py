"""URL_PREFIX: pages, static files and sockets below a prefix, whatever the proxy does with it."""

import pytest

from project.prefix import Scope, UrlPrefix


async def passed_on(path: str, prefix: str | None, settings, kind: str = "http") -> Scope:
    """The scope that the wrapped application sees."""
    settings.FORCE_SCRIPT_NAME = prefix
    seen: list[Scope] = []

    async def application(scope, receive, send):
        seen.append(scope)

    scope = {"type": kind, "path": path, "raw_path": path.encode(), "root_path": ""}
    await UrlPrefix(application)(scope, None, None)
    return seen[0]


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("path", "full"),
    [
        ("/celery/admin/", "/celery/admin/"),  # the proxy passes the prefix through
        ("/admin/", "/celery/admin/"),  # the proxy strips it
        ("/celery", "/celery/"),
        ("/celerybeat/", "/celery/celerybeat/"),  # begins like the prefix, but is another path
    ],
)
async def test_path_and_root_path_are_the_same_whatever_the_proxy_does(settings, kind, path, full):
    scope = await passed_on(path, "/celery", settings, kind)

    assert (scope["path"], scope["raw_path"], scope["root_path"]) == (full, full.encode(), "/celery")


async def test_without_a_prefix_nothing_changes(settings):
    scope = await passed_on("/admin/", None, settings)

    assert (scope["path"], scope["root_path"]) == ("/admin/", "")


async def test_lifespan_has_no_path_and_passes(settings):
    settings.FORCE_SCRIPT_NAME = "/celery"
    seen = []

    async def application(scope, receive, send):
        seen.append(scope)

    await UrlPrefix(application)({"type": "lifespan"}, None, None)

    assert seen == [{"type": "lifespan"}]
