"""Passwords and tokens in the authority of URLs, wherever they stand in a text. Pure."""

from __future__ import annotations

import re

from .redaction_patterns import MARK

# One run of characters that a URL can have, from the authority on, wherever it is quoted.
_RUN = re.compile(r"""[^\s"'<>`\\]*+""")
_PORT = re.compile(r"[0-9]{0,5}+(?:(?P<path>[/?#])|[;,.]|\Z)")
_ELLIPSES = ("...", "…")
_HTTP = ("http://", "https://")
#: What stands for the password where the user is a token.
_NO_PASSWORDS = frozenset({"", "x-oauth-basic"})
_TOKEN = re.compile(r"([\w.~%+=-]++)(?::(?:x-oauth-basic)?)?@")
_NO_TOKENS = frozenset({"git"})


def mask_userinfo(text: str, *, whole: bool = False) -> str:
    """`text` without the passwords in the authority of URLs: ``amqp://user:[redacted]@host``.

    What stands before the host of an http(s) URL without a password is a token: ``https://[redacted]@host``.

    Takes several URLs joined by ``;`` or ``,`` as Celery does (``sentinel://:p@a;sentinel://:p@b``), passwords in which
    ``@``, ``/``, ``?`` or ``#`` were not percent-encoded, and a URL that was cut within its password at the end of the
    text or before an ellipsis. With `whole`, the text is known to be URLs and nothing else, and complete, and so a
    password may also have white space and quotes.
    """
    kept: list[str] = []
    done = run_end = 0
    start = text.find("://")
    while start >= 0:
        start += len("://")
        following = text.find("://", start)
        if run_end <= start:
            run_end = len(text) if whole else _end_of_run(text, start)
        is_last = following < 0 or following >= run_end
        span = _password(text, start, run_end if is_last else following, is_last and not whole)
        if span is not None:
            kept += (text[done : span[0]], MARK)
            done = span[1]
        start = following
    kept.append(text[done:])
    return "".join(kept)


def _end_of_run(text: str, start: int) -> int:
    match = _RUN.match(text, start)
    return match.end() if match else start


def _password(text: str, start: int, end: int, may_be_cut: bool) -> tuple[int, int] | None:
    """Where the password is in the URL whose authority starts at `start` and that ends before `end` (RFC 3986, 3.2)."""
    colon = text.find(":", start, end)
    if colon < 0 or any(text.find(other, start, colon) >= 0 for other in "/?#@["):
        return _token(text, start, end)
    port = _PORT.match(text, colon + 1, end)
    if port and port["path"]:
        return None
    # The last one: nothing says where a password with `@` and `/` in it ends, and a path seldom has an `@`.
    at = text.rfind("@", colon, end)
    if at < 0 and may_be_cut and not port and (end == len(text) or text.endswith(_ELLIPSES, start, end)):
        at = end
    if at >= 0 and text[colon + 1 : at] in _NO_PASSWORDS:
        return _token(text, start, end)
    return (colon + 1, at) if at > colon + 1 else None


def _token(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Where a token stands in place of user and password: ``https://token@host``, ``https://token:@host``."""
    token = _TOKEN.match(text, start, end)
    if token is None or token[1] in _NO_TOKENS or not text.endswith(_HTTP, 0, start):
        return None
    return start, token.end() - 1
