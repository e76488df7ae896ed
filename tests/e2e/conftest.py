"""A real browser on a real server, under the strictest Content-Security-Policy that the pages promise to work with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, expect, sync_playwright

from tests.e2e.stack import Stack, WebServer, live_stack
from tests.factories import VIEWER_PERMISSIONS, make_user

CSP = "default-src 'self'"
#: What a browser complains of while there is no server.
LOST = re.compile("net::ERR_|closed before")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
#: The policy comes with pages; what they load is left alone.
PAGES = re.compile(r"https?://[^/]+/admin/")
#: Playwright presses what nobody has seen yet: before the style sheets have come, a button moves away between the press
#: and the release, and is never clicked. So nothing can be pressed before the page has loaded.
UNTIL_LOADED = """
const untouchable = new CSSStyleSheet();
untouchable.replaceSync("* { pointer-events: none !important }");
document.adoptedStyleSheets = [untouchable];
addEventListener("load", () => { document.adoptedStyleSheets = []; });
"""
#: For Playwright's own waiting, in milliseconds: far beyond what a busy machine needs.
PATIENCE_MS = 60_000


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch:
        # Playwright's synchronous interface runs an event loop in this thread, which Django takes for async code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            expect.set_options(timeout=PATIENCE_MS)
            started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            yield started
            started.close()


def with_policy(route: Route) -> None:
    response = route.fetch(max_redirects=0, timeout=PATIENCE_MS)
    route.fulfill(response=response, headers={**response.headers, "content-security-policy": CSP})


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, live_server: Any) -> Iterator[OpenPage]:
    """``open_page("monitoring/task/", width=390, theme="dark")``: a page of the admin, signed in as the viewer.

    The test fails at its end where the browser reported an error, such as something that the policy forbids.
    """
    client = Client()
    client.force_login(make_user("viewer", *VIEWER_PERMISSIONS))
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_(
        path: str,
        *,
        width: int = 1440,
        theme: str = "light",
        clipboard: bool = False,
        scripts: bool = True,
    ) -> Page:
        viewport: Any = {"width": width, "height": 900}
        context = browser.new_context(
            viewport=viewport, base_url=live_server.url, java_script_enabled=scripts
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.route(PAGES, with_policy)
        # This server has no sockets: one that accepts and stays silent. Real ones are in the tests of live pages.
        context.route_web_socket(re.compile("/ws/monitoring/"), lambda socket: None)
        if clipboard:
            context.grant_permissions(["clipboard-read", "clipboard-write"])
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        if scripts:
            context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
            context.add_init_script(UNTIL_LOADED)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(f"/admin/{path}")
        return page

    yield open_
    for context in contexts:
        # What a page still asks for at the end of a test is cut off, which is no fault of the next one.
        context.unroute_all(behavior="ignoreErrors")
        context.close()
    assert errors == []


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Stack]:
    """Everything that a live page hears from, once for all tests."""
    with live_stack(tmp_path_factory.mktemp("live")) as running:
        yield running


class Reader:
    """Somebody with a browser: opens live pages, and keeps what their consoles complained of."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: dict[str, BrowserContext] = {}
        self.complaints: list[str] = []
        #: A server that is killed is no fault of the page.
        self.may_lose_the_server = False

    def open(
        self, server: WebServer, path: str = "monitor/", *, user: str = "viewer", **options: Any
    ) -> Page:
        """A page below /admin/monitoring/, as `user`; `options` as `sign_in` takes them."""
        page = self.sign_in(server, user, **options).new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)
        page.goto(f"/admin/monitoring/{path}")
        return page

    def sign_in(
        self, server: WebServer, user: str = "viewer", *, width: int = 1440, theme: str = "light"
    ) -> BrowserContext:
        key = f"{server.address} {user} {width} {theme}"
        if key not in self._contexts:
            viewport: Any = {"width": width, "height": 900}
            context = self._browser.new_context(viewport=viewport, base_url=server.address)
            self._contexts[key] = context
            context.set_default_timeout(PATIENCE_MS)
            context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
            context.add_init_script(UNTIL_LOADED)
            page = context.new_page()
            page.goto("/admin/login/")
            page.fill("#id_username", user)
            page.fill("#id_password", user)
            page.click("[type=submit]")
            page.wait_for_url(re.compile(r"/admin/$"))
            page.close()
        return self._contexts[key]

    def close(self) -> None:
        for context in self._contexts.values():
            context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not (self.may_lose_the_server and LOST.search(message.text)):
            self.complaints.append(message.text)


@pytest.fixture
def reader(browser: Browser) -> Iterator[Reader]:
    """Fails the test at its end where a browser reported an error, such as something that the policy forbids."""
    reading = Reader(browser)
    yield reading
    reading.close()
    assert reading.complaints == []
