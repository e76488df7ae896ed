"""Which origins are ours, behind which proxy."""

import pytest

from monitoring.live.origin import is_own_origin


def is_own(origin: str | None, host: str | None = "monitor.example:8000", **headers: str) -> bool:
    """What is said of a handshake with these headers."""
    given = {"host": host, "origin": origin, **headers}
    return is_own_origin(
        {
            "type": "websocket",
            "path": "/ws/monitoring/",
            "query_string": b"q=\xff",
            "headers": [
                (name.replace("_", "-").encode(), value.encode())
                for name, value in given.items()
                if value is not None
            ],
        }
    )


@pytest.fixture(autouse=True)
def every_host(settings):
    """What the setting takes must not matter: most of these would be let in by their host alone."""
    settings.ALLOWED_HOSTS = ["*"]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://monitor.example:8000", "monitor.example:8000"),
        ("http://monitor.example", "monitor.example"),
        ("https://monitor.example", "monitor.example"),  # a proxy terminates TLS
        ("https://monitor.example", "monitor.example:443"),
        ("http://monitor.example:80", "monitor.example"),
        ("https://MONITOR.example:8443", "monitor.EXAMPLE:8443"),
        ("http://monitor.example.", "monitor.example."),
        ("http://monitor.example.:8000", "monitor.example:8000"),
        ("http://xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("http://127.0.0.1:8101", "127.0.0.1:8101"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("http://[2001:DB8::1]", "[2001:db8::1]"),
    ],
)
def test_the_host_and_port_that_were_asked_are_ours(origin, host):
    assert is_own(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:9999", "127.0.0.1:8101"),
        ("http://localhost:8101", "127.0.0.1:8101"),
        ("http://127.0.0.1", "127.0.0.1:8101"),
        ("http://127.0.0.1:8101", "127.0.0.1"),
        ("https://127.0.0.1:8443", "127.0.0.1"),
        ("http://[::1]:9999", "[::1]:8000"),
        ("http://[::1]:8000", "[::2]:8000"),
        ("http://shop.monitor.example", "monitor.example"),
        ("http://monitor.example", "shop.monitor.example"),
        ("http://monitor.example.evil.example", "monitor.example"),
        ("http://monitor.example..", "monitor.example"),
    ],
)
def test_another_port_or_host_is_not(origin, host):
    assert not is_own(origin, host)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "monitor.example:8000",
        "//monitor.example:8000",
        "http:monitor.example:8000",
        "ftp://monitor.example:8000",
        "chrome-extension://monitor.example:8000",
        "http://monitor.example:8000/",
        "http://monitor.example:8000/path",
        "http://monitor.example:8000@evil.example",
        "http://evil.example\\@monitor.example:8000",
        "http://evil.example@monitor.example:8000",
        "http://monitor.example:8000, http://evil.example",
        "http://monitor.example:8000 ",
        "http://monitor.example:eight",
        "http://monitor.example:",
        "http://[::1",
        "http://[monitor.example]:8000",
        "http://mönitor.example:8000",
        "http://",
        "http://" + "m" * 100_000,
    ],
)
def test_what_no_browser_sends_from_a_page_of_ours_is_not(origin):
    assert not is_own(origin)


@pytest.mark.parametrize("host", [None, "", "evil/.example", "monitor.example:8000, evil.example"])
def test_without_a_host_that_can_be_read_no_origin_is_ours(host):
    assert not is_own("http://monitor.example:8000", host)


def test_a_host_that_is_not_allowed_has_no_pages(settings):
    settings.ALLOWED_HOSTS = ["monitor.example"]

    assert is_own("http://monitor.example:8000")
    assert not is_own("http://evil.example", "evil.example")


def test_the_host_that_a_proxy_forwards_counts_only_where_the_project_trusts_it(settings):
    inside, forwarded = "web:8000", {"x_forwarded_host": "monitor.example"}
    assert not is_own("https://monitor.example", inside, **forwarded)
    assert is_own(f"http://{inside}", inside, **forwarded)

    settings.USE_X_FORWARDED_HOST = True

    assert is_own("https://monitor.example", inside, **forwarded)
    assert not is_own(f"http://{inside}", inside, **forwarded)


@pytest.mark.parametrize(
    ("origin", "trusted"),
    [
        ("https://desk.example", True),
        ("https://DESK.example", True),
        ("http://desk.example", False),
        ("https://desk.example:8443", False),
        ("https://a.team.example", True),
        ("https://b.a.team.example", True),
        ("https://team.example", True),  # as Django has it
        ("http://a.team.example", False),
        ("https://a.team.example:8443", False),
        ("https://steam.example", False),
        ("https://a.team.example.evil.example", False),
        ("https://[", False),
        ("null", False),
    ],
)
def test_trusted_origins_are_those_of_django(settings, origin, trusted):
    settings.CSRF_TRUSTED_ORIGINS = ["https://desk.example", "https://*.team.example"]

    assert is_own(origin) is trusted
    settings.ALLOWED_HOSTS = []
    assert is_own(origin) is trusted


def test_what_was_refused_is_logged_with_what_a_proxy_made_of_the_host(caplog):
    is_own("http://monitor.example:8080", "monitor.example")

    assert "'http://monitor.example:8080' was refused: its host is 'monitor.example'" in caplog.text
