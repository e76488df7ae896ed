"""Which names hold secrets: ``password``, ``X-Api-Key``, ``dbPassword``, and not ``author`` or ``max_tokens``. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .redaction_hints import hint_expression

#: Names whose values are never stored. Case, ``-`` and ``_`` do not matter. A key stands for whole words of a name and
#: their plural: ``auth`` is in ``auth``, ``basicAuth`` and ``HTTP_AUTH``, not in ``author``. With a ``*`` before it
#: it also stands for the end of a word (``*token`` is in ``accesstoken``, not in ``tokenizer``), with one behind it for
#: the beginning; with a ``=`` before it, it is the whole name or nothing. Where a ``-`` parts the words of a key, texts
#: may part them by another sign: ``API key: ...``.
DEFAULT_KEYS: tuple[str, ...] = (
    "*password*", "*passwd*", "*passphrase*", "*passcode*", "pass", "*dbpass", "*userpass", "pwd", "*userpwd", "*dbpwd",
    "=pw", "*secret", "secretkey*", "*token", "otp", "totp", "jwt", "bearer", "*credential", "creds",
    "*api-key*", "*access-key*", "*private-key*", "*encryption-key", "*signing-key", "*shared-key", "*account-key",
    "*ssh-key", "*master-key", "*fernet-key", "*hmac-key", "*client-key", "*service-key",
    "auth", "oauth", "*authorization", "session", "*sessionid", "*sessionkey", "*cookie", "*csrf*", "*xsrf*",
    "dsn", "*connection-string", "conn-string", "conn-str",
    "x-amz-signature", "x-goog-signature", "*shared-access-signature",
    "*card-number", "*credit-card", "cvv", "cvc", "security-code", "ssn", "social-security", "iban",
)  # fmt: skip

#: Last words that make a name tell something about a secret instead of holding it: ``token_type``, ``PasswordError``.
HARMLESS_ENDINGS: tuple[str, ...] = (
    "attempts", "count", "enabled", "error", "errors", "exception", "expired", "expires", "expires-at", "expires-in",
    "expiry", "failed", "failure", "field", "fields", "length", "limit", "policy", "required", "timeout", "ttl", "type",
    "types", "validator", "validators", "warning",
)  # fmt: skip

#: Counts of what language models call tokens. A key that names one of them in full still wins.
HARMLESS_NAMES: frozenset[str] = frozenset({
    "cachedtokens", "completiontokens", "inputtokens", "maxcompletiontokens", "maxnewtokens", "maxoutputtokens",
    "maxtokens", "mintokens", "ntokens", "numtokens", "outputtokens", "prompttokens", "reasoningtokens", "totaltokens",
})  # fmt: skip

#: A name longer than this is no name that somebody wrote; it counts as sensitive if a key is anywhere in it.
MAX_NAME_LENGTH = 128
_MAX_REMEMBERED = 4_096

_CAMEL = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_PART_OF_KEY = re.compile(r"[^\W_]+")


class SensitiveNames:
    """Answers whether a name is one of those whose value must not be stored.

    Raises ValueError for a key without a letter or digit.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._exact: set[str] = set()
        self._remembered: dict[str, bool] = {}
        expressions: list[str] = []
        hints: set[str] = set()
        last_words: set[str] = set()
        for key in keys:
            squashed = squash(key)
            if not squashed:
                raise ValueError(f"{key!r} names nothing that could be redacted")
            self._exact.add(squashed)
            if key.startswith("="):
                # Short ones are within many words: a text is looked at for one only where a word ends with it.
                hints.add(rf"{re.escape(squashed)}\W")
                continue
            expressions.append(_expression(squashed, key.startswith("*"), key.endswith("*")))
            hints.add(re.escape(squashed))
            words = _PART_OF_KEY.findall(_CAMEL.sub("-", key).casefold())
            if len(words) > 1:
                hints.add(r"\W".join(map(re.escape, words)))
                last_words.add(words[-1])
        endings = "|".join(HARMLESS_ENDINGS)
        never = r"(?!)"
        self._words = re.compile(rf"(?:{'|'.join(expressions) or never})(?!-(?:{endings})-\Z)")
        #: One of these is in each text that holds a sensitive name, once :func:`fold` has been through it.
        self.hints: tuple[str, ...] = tuple(sorted(hints))
        self._anywhere = hint_expression(self.hints)
        self._last_words = tuple(last_words)

    def __contains__(self, name: str) -> bool:
        known = self._remembered.get(name)
        if known is None:
            known = self._decide(name)
            if len(name) <= MAX_NAME_LENGTH and len(self._remembered) < _MAX_REMEMBERED:
                self._remembered[name] = known
        return known

    def ends_key(self, word: str) -> bool:
        """Whether `word` may be the last one of a key of several: ``key`` of ``API key``."""
        return word.casefold().startswith(self._last_words)

    def are_key(self, first: str, second: str) -> bool:
        """Whether two words are a name only together: ``API key``, not ``auth service``, which names no secret."""
        return squash(first + second) in self._exact or (first not in self and f"{first}-{second}" in self)

    def _decide(self, name: str) -> bool:
        squashed = squash(name)
        if squashed in self._exact:
            return True
        if len(name) > MAX_NAME_LENGTH:
            return self._anywhere.search(squashed) is not None
        if squashed in HARMLESS_NAMES:
            return False
        words = _WORD.findall(_CAMEL.sub("-", name).casefold())
        return self._words.search(f"-{'-'.join(words)}-") is not None


def squash(name: str) -> str:
    """`name` as keys are compared: folded, letters and digits only."""
    return "".join(filter(str.isalnum, name.casefold()))


def fold(text: str) -> str:
    """`text` in which the names of secrets stand as :func:`squash` writes them."""
    text = text.casefold()
    if "_" in text:
        text = text.replace("_", "")
    if "-" in text:
        text = text.replace("-", "")
    return text


def _expression(squashed: str, ends_word: bool, starts_word: bool) -> str:
    """A regex for one key in a name written as ``-words-between-dashes-``; a key may span several words."""
    core = "-?".join(map(re.escape, squashed))
    return ("" if ends_word else "(?<=-)") + core + ("" if starts_word else "s?(?=-)")
