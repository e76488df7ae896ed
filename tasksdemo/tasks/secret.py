"""A task that is careless with secrets in every place a task can be: what is stored of it must not show them."""

from typing import Any

from celery import shared_task


class LoginRefused(Exception):
    """The partner's API did not take the credentials."""


# The result backend keeps what it is given as it is, so it is given nothing.
@shared_task(ignore_result=True)
def secret_task(
    username: str,
    password: str,
    headers: dict[str, str] | None = None,
    card: dict[str, Any] | None = None,
    fail: bool = False,
) -> dict[str, Any]:
    """Sign in at a partner's API: {"username", "api_key", "session": {"access_token"}}.

    With `fail`, raises LoginRefused with the password in its text (so in the traceback too).
    """
    if fail:
        raise LoginRefused(f"login refused for username={username!r}, password={password!r}")
    return {
        "username": username,
        "api_key": f"key-{password}",
        "session": {"access_token": f"tok-{password}"},
    }
