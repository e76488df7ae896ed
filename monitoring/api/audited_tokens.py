"""Making and revoking API tokens, each written into the audit log; the token itself is in no entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..control import audit
from ..control.actor import Actor
from ..control.contract import Outcome, Result
from ..models import ApiToken
from . import tokens

KIND, MAKE, REVOKE = "apitoken", "apitoken_make", "apitoken_revoke"


def target_of(name: str, owner: str) -> str:
    """How an entry names a token: ``nightly (ann)``."""
    return f"{name} ({owner})"


def make(actor: Actor, name: str, scopes: Sequence[str], expires_at: datetime | None) -> tuple[ApiToken, str]:
    """A new token of the actor, and its text, which cannot be had again. Raises InvalidScopes."""
    target = target_of(name, actor.user_name)
    told = {"scopes": list(scopes), "expires_at": expires_at.isoformat() if expires_at else None}
    watch, entry = audit.Stopwatch(), audit.begin(actor, MAKE, KIND, [target], parameters=told)
    try:
        token, text = tokens.create(actor.user, name, scopes, expires_at)
    except Exception as error:
        audit.finish(entry, type(error).__name__, stopped=True)
        raise
    audit.add_results(entry, [Result(target, Outcome.DONE, token.prefix)], watch.seconds)
    audit.finish(entry)
    return token, text


def revoke(actor: Actor, token: ApiToken) -> None:
    """From now on `token` is refused."""
    target = target_of(token.name, token.user.get_username())
    watch, entry = audit.Stopwatch(), audit.begin(actor, REVOKE, KIND, [target])
    try:
        tokens.revoke(token)
    except Exception as error:
        audit.finish(entry, type(error).__name__, stopped=True)
        raise
    audit.add_results(entry, [Result(target, Outcome.DONE, token.prefix)], watch.seconds)
    audit.finish(entry)


def refused(actor: Actor, verb: str, words: str, target: str = "") -> None:
    """Write that making or revoking was refused, and why."""
    audit.refused(actor, verb, KIND, words, [target] if target else [])
