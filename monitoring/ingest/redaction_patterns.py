"""What secrets look like where no name says that they are one: tokens, keys, card numbers, passwords in URLs. Pure.

Each expression runs in linear time on any text: it starts at a literal or behind a lookbehind that fails inside a run,
its runs are possessive, its gaps are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

MARK = "[redacted]"


@dataclass(frozen=True, slots=True)
class SecretPattern:
    """A regular expression for a secret, or for a text around one: then the group ``secret`` is what is replaced."""

    regex: re.Pattern[str]
    #: Sources of regexes, one of which finds something in each text that the pattern matches, once
    #: ``redaction_names.fold`` has been through it: in small letters, without ``-`` and ``_``. They start with a
    #: literal and have no ``|`` outside brackets (``redaction_hints``). Empty: the pattern is tried on every text.
    hints: tuple[str, ...] = ()
    #: A further test of the match.
    accepts: Callable[[str], bool] | None = None

    def redact(self, text: str) -> str:
        return self.regex.sub(self._replacement, text)

    def _replacement(self, match: re.Match[str]) -> str:
        if self.accepts is not None and not self.accepts(match.group()):
            return match.group()
        start, end = match.span("secret" if "secret" in self.regex.groupindex else 0)
        if start < 0:  # the group took no part in the match
            start, end = match.span()
        return match.string[match.start() : start] + MARK + match.string[end : match.end()]


def passes_luhn(number: str) -> bool:
    """Whether the digits of `number` have the check digit of a payment card (ISO/IEC 7812-1, annex B)."""
    digits = [int(digit) for digit in number if digit.isdecimal()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _pattern(regex: str, *hints: str, accepts: Callable[[str], bool] | None = None) -> SecretPattern:
    return SecretPattern(re.compile(regex, re.ASCII), hints, accepts)


_START = r"(?<![A-Za-z0-9_])"
#: What people write behind the word "bearer" when they mean the scheme and not a token.
_PROSE = (
    r"(?!(?:tokens?|auth\w*|scheme|format|headers?|types?|credentials?|realm"
    r"|of|the|is|and|or|in|for|to|with|was|has|not)\b)"
)
#: Payment cards by their issuers' first digits and lengths. A time in microseconds starts with 1, so it is none.
_CARD = (
    r"(?<![\w.-])"
    r"(?:(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6(?:011|5\d\d)|35\d\d)(?:[ -]?\d{4}){3}|3[47]\d\d[ -]?\d{6}[ -]?\d{5})"
    r"(?![\w-]|\.\d)"
)

#: A block of several lines. One that was cut goes to the end of the text.
PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY"
    r"(?s:.*?)(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)"
)

DEFAULT_PATTERNS: tuple[SecretPattern, ...] = (
    # First: it may stand inside anything else.
    SecretPattern(PRIVATE_KEY, ("private key",)),
    # PostgreSQL's detail of a violated NOT NULL or CHECK. One that was cut goes to the next frame, or to the end.
    _pattern(
        r"Failing row contains (?P<secret>\((?s:.*?)(?:\)(?=\.(?:[\s\\\"',)]|\Z))|(?=\n  File \")|\Z))",
        "failing row contains",
    ),
    # Signatures in URLs: Azure's (shared access), Google's, CloudFront's.
    _pattern(
        r"[?&;](?i:sig|signature)=(?P<secret>[^&\s\"'<>\\\[]++)",
        r"sig\=",
        r"signature\=",
    ),
    # RFC 6750 and RFC 7617. "Basic" is also an English word, so what follows it must not look like another one.
    _pattern(rf"(?i:\bbearer)\s{{1,8}}(?i:{_PROSE})(?P<secret>[\w.~+/=-]{{3,}}+)", r"bearer\s"),
    _pattern(
        r"(?i:\bbasic)\s{1,8}(?![A-Z]?[a-z]+(?![A-Za-z0-9+/=]))(?P<secret>[A-Za-z0-9+/_-]{3,}+={0,2})",
        r"basic\s",
    ),
    # JSON Web Tokens (RFC 7519): the header is an object, so its base64 starts with eyJ.
    _pattern(r"(?<![\w-])eyJ[\w-]{6,}+\.[\w.-]*+", "eyj"),
    # AWS access key ids, also cut ones (IAM User Guide, "Unique identifiers").
    _pattern(
        _START + r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{8,16}(?![A-Za-z0-9])",
        *(f"{kind}[a-z0-9]{{8}}" for kind in ("akia", "asia", "abia", "acca")),
    ),
    # GitHub and GitLab
    _pattern(_START + r"gh[pousr]_[A-Za-z0-9]{6,}+", "gh[opsru][a-z0-9]{6}"),
    _pattern(_START + r"github_pat_\w{6,}+", "githubpat"),
    _pattern(_START + r"glpat-[\w.-]{6,}+", "glpat"),
    # Slack
    _pattern(_START + r"(?:xox[a-z]|xapp)-[\w.-]{6,}+", "xox[a-z]", "xapp"),
    _pattern(r"hooks\.slack\.com/[a-z]{1,20}/(?P<secret>[\w/-]++)", r"hooks\.slack"),
    # Stripe
    _pattern(
        _START + r"(?:[sr]k_(?:live|test)|whsec)_[\w-]{6,}+", "sklive", "sktest", "rklive", "rktest", "whsec"
    ),
    # OpenAI and Anthropic
    _pattern(
        _START + r"sk-(?:(?:proj|ant|svcacct|or)-[\w-]{6,}+|[A-Za-z0-9]{20,}+)",
        "sk(?:proj|ant|svcacct|or)[a-z0-9]{4}",
        "sk[a-z0-9]{20}",
    ),
    # Google, SendGrid
    _pattern(_START + r"(?:AIza[\w-]{20,}+|ya29\.[\w-]{10,}+)", "aiza", "ya29"),
    _pattern(_START + r"SG\.[\w-]{16,}+\.[\w-]*+", r"sg\.[a-z0-9]{4}"),
    # npm, PyPI, Hugging Face
    _pattern(
        _START + r"(?:npm_[A-Za-z0-9]{20,}+|pypi-[\w-]{20,}+|hf_[A-Za-z0-9]{20,}+)",
        "npm[a-z0-9]{20}",
        "pypi[a-z0-9]{4}",
        "hf[a-z0-9]{20}",
    ),
    # Shopify, Twilio
    _pattern(
        _START + r"(?:shp(?:at|ca|pa|ss)_[0-9a-f]{16,}+|SK[0-9a-f]{32})",
        "shp[acps][ast][0-9a-f]{16}",
        "sk[0-9a-f]{32}",
    ),
    _pattern(
        _CARD,
        *(f"{first}[0-9]{{3}}(?: ?[0-9]{{4}}){{3}}" for first in "23456"),
        "3[47][0-9]{2} ?[0-9]{6} ?[0-9]{5}",
        accepts=passes_luhn,
    ),
)
