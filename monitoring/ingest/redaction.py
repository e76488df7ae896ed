"""Secrets are taken out of what tasks say before anything is stored (docs/architecture.md, Security). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from .redaction_hints import hint_expression
from .redaction_names import DEFAULT_KEYS, SensitiveNames, fold
from .redaction_patterns import DEFAULT_PATTERNS, MARK, SecretPattern
from .redaction_scanner import find_secrets
from .redaction_urls import mask_userinfo
from .text import CUT_MARK, MAX_MARK_LENGTH

__all__ = ["DEFAULT_KEYS", "DEFAULT_PATTERNS", "MARK", "UNREADABLE", "Redactor", "SecretPattern"]

#: Stands for a whole text that could not be searched for secrets.
UNREADABLE = "[redacted: not readable]"
#: Levels of nesting that :meth:`Redactor.value` goes into; what is deeper is replaced.
MAX_DEPTH = 64
#: What may part the words of a name, other than what JSON has between values.
_WITHIN_NAMES = dict.fromkeys(map(ord, " .:;/+*~|#@$%&=?!()<>^`'"))


class Redactor:
    """Replaces the values of sensitive names, and what looks like a secret, by ``[redacted]``.

    `keys` are names (see :data:`DEFAULT_KEYS` for how they are compared), `patterns` regular expressions: what one
    matches is replaced, or its group ``secret`` where it has one. Both replace the defaults; a project that adds to
    them passes ``(*DEFAULT_KEYS, *own)``. Raises ValueError for a key without a letter or digit, re.error for a
    pattern that is none.

    Nothing that is given to a redactor makes it raise, and what it returns it returns unchanged when given it again.
    `on_error` is called with an exception that it met, which says nothing of the text, for the caller to log.
    """

    def __init__(
        self,
        keys: Iterable[str] = DEFAULT_KEYS,
        patterns: Iterable[str | re.Pattern[str] | SecretPattern] = DEFAULT_PATTERNS,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        self._names = SensitiveNames(keys)
        self._patterns = tuple(
            pattern if isinstance(pattern, SecretPattern) else SecretPattern(re.compile(pattern))
            for pattern in patterns
        )
        self._on_error = on_error
        hints = [*self._names.hints, *chain.from_iterable(pattern.hints for pattern in self._patterns)]
        self._may_hold_secret = hint_expression(hints).search
        self._searches = tuple(pattern.regex.search for pattern in self._patterns if not pattern.hints)

    def is_sensitive(self, name: str) -> bool:
        """Whether the value of `name` must not be stored."""
        return name in self._names

    def is_clean(self, json_text: str) -> bool:
        """Whether :meth:`value` certainly finds no secret in what this JSON says; False where that takes a closer look.

        Cost: three searches at the speed of memchr, or nearly.
        """
        if self._searches or "\\" in json_text or "://" in json_text:
            return False
        folded = fold(json_text)
        # Keys are names however they are written, {"api key": ...}; what is joined by mistake gets the closer look.
        return not self._may_hold_secret(folded) and not self._may_hold_secret(
            folded.translate(_WITHIN_NAMES)
        )

    def text(self, text: str) -> str:
        """`text` without secrets: a repr, JSON, a traceback, a header, whole or cut anywhere.

        Nearly every text has none, so one search over the folded text decides whether it is looked at closely; that
        costs 2 µs for 60 characters. A closer look is linear in the length: cut long texts first.
        """
        try:
            redact: Callable[[str], str] = mask_userinfo
            if self._may_hold_secret(fold(text)) or (
                self._searches and any(find(text) for find in self._searches)
            ):
                redact = self._redact
            elif "://" not in text:
                return text
            cut = CUT_MARK.search(text, max(0, len(text) - MAX_MARK_LENGTH))
            if cut:  # keep the mark, although a secret that was cut goes to the end of the text
                return redact(text[: cut.start()]) + cut.group()
            return redact(text)
        except Exception as error:
            return self._give_up(error)

    def value(self, value: Any) -> Any:
        """A JSON-like value (dict, list, tuple, scalar) without secrets; its texts go through :meth:`text` as well.

        In a list, what follows the name of a secret is replaced: ``["password", "hunter2"]``.
        """
        try:
            return self._value(value, MAX_DEPTH)
        except Exception as error:
            return self._give_up(error)

    def url(self, url: str) -> str:
        """A broker, result or database URL, or several joined by ``;``, without passwords and other secrets."""
        try:
            return self.text(mask_userinfo(url, whole=True))
        except Exception as error:
            return self._give_up(error)

    def _redact(self, text: str) -> str:
        named = self._hide_named(text)
        masked = self._hide_patterns(named)
        # A mark may part what was one word before it, ghp_0123456789--token, and the other part may be a name.
        return masked if masked == named else self._hide_named(masked)

    def _hide_named(self, text: str) -> str:
        kept: list[str] = []
        done = 0
        for start, end, replacement in find_secrets(text, self._names):
            kept += (text[done:start], replacement)
            done = end
        kept.append(text[done:])
        return "".join(kept)

    def _hide_patterns(self, text: str) -> str:
        for pattern in self._patterns:
            # A project's own pattern could match the mark itself, and again when the text comes back.
            text = pattern.redact(text) if pattern.hints else MARK.join(map(pattern.redact, text.split(MARK)))
        return mask_userinfo(text)

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth <= 0:
            return MARK
        if isinstance(value, dict):
            return {
                self._value(key, 0) if isinstance(key, str) else key: (
                    MARK if isinstance(key, str) and key in self._names else self._value(item, depth - 1)
                )
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            items = self._items(value, depth)
            return items if isinstance(value, list) else tuple(items)
        try:
            text = repr(value)
        except Exception:  # whose message may be a secret itself
            return self._give_up(TypeError(f"{type(value).__name__} has no repr"))
        return self.text(text)

    def _items(self, values: Iterable[Any], depth: int) -> list[Any]:
        items: list[Any] = []
        named = False
        for value in values:
            items.append(MARK if named else self._value(value, depth - 1))
            named = isinstance(value, str) and len(value) <= 64 and value in self._names
        return items

    def _give_up(self, error: Exception) -> str:
        if self._on_error is not None:
            self._on_error(error)
        return UNREADABLE
