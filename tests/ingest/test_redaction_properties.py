"""No secret survives redaction, whatever it is, whatever is around it, and wherever the text was cut."""

import json
import pprint
import time
from collections.abc import Callable
from dataclasses import make_dataclass
from typing import Any

import pytest
from celery.utils.saferepr import saferepr
from hypothesis import example, given
from hypothesis import strategies as st

from monitoring.ingest.redaction import Redactor
from monitoring.ingest.redaction_values import MAX_ESCAPES


def _fail(error: Exception) -> None:
    raise error


# An error is one: what is replaced as a whole would pass every test here.
redactor = Redactor(on_error=_fail)

#: Letters that nothing but secrets is made of here, so that any of them in a redacted text is a piece of a secret.
LETTERS = "QZXJ\u017b\u6f22\u00df"
SEPARATORS = "'\"\\()[]{}<>,:;=&@ \n\t.|+%#-_/?!"
KEYS = st.sampled_from(
    [
        "password",
        "api_key",
        "API Key",
        "Authorization",
        "token",
        "client-secret",
        "dbPassword",
        "session_id",
        "cvv",
        "cookies",
    ]
)
OTHER_KEYS = st.sampled_from(["user", "n", "author", "items", "x1", "max_tokens"])

secrets = st.text(st.sampled_from(LETTERS + SEPARATORS), min_size=6, max_size=14)
harmless = st.sampled_from([1, None, True, 2.5, "abc", "it's", b"x", '"', "\\"]) | st.text(
    st.sampled_from("abc" + SEPARATORS), max_size=8
)


def _structures(parts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Arguments of tasks with secrets under sensitive names; a secret is a text, or a list or dict of `parts`."""
    values = secrets | st.recursive(
        parts,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3)
            | st.tuples(inner, inner)
            | st.dictionaries(OTHER_KEYS, inner, min_size=1, max_size=2)
        ),
        max_leaves=4,
    )
    pairs = st.tuples(KEYS, values)
    return st.recursive(
        harmless,
        lambda inner: st.one_of(
            st.builds(
                lambda secret, other: {**other, **secret},
                st.dictionaries(KEYS, values, max_size=2),
                st.dictionaries(OTHER_KEYS, inner, max_size=2),
            ),
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=3).map(tuple),
            pairs,
            st.lists(pairs, min_size=1, max_size=2),
        ),
        max_leaves=6,
    )


structures = _structures(secrets)
#: saferepr writes the end of a text that ends with a backslash as it writes a quote within a text. For one text the
#: longer reading is safe; of a list or dict of such texts nobody can tell where it ends.
structures_for_saferepr = _structures(secrets.map(lambda secret: secret.replace("\\", "/")))

Config = make_dataclass("Config", ["user", "password", "n"])


def _json(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


#: How the arguments, results and exceptions of tasks become text, on the way through Celery and user code.
FORMS: dict[str, Callable[[Any], str]] = {
    "repr": repr,
    "str": str,
    "saferepr, cut early": lambda value: saferepr(value, 40),
    "saferepr, cut late": lambda value: saferepr(value, 200),
    "saferepr": lambda value: saferepr(value, 1_024),
    "pprint": lambda value: pprint.pformat(value, width=30),
    "JSON": _json,
    "JSON in repr": lambda value: repr([_json(value)]),
    "JSON in saferepr": lambda value: saferepr([_json(value), 1], 1_024),
    "JSON in JSON": lambda value: _json({"body": _json(value)}),
    "repr in repr": lambda value: repr([repr(value), 1]),
    "repr in repr in repr": lambda value: repr([repr([repr(value)])]),
    "repr in saferepr": lambda value: saferepr((repr(value), 2), 500),
    "saferepr in saferepr": lambda value: saferepr([saferepr(value, 400)], 1_024),
    "exception": lambda value: repr(ValueError(f"bad: {value!r}", 1)),
    "dataclass": lambda value: repr(Config("bob", value if isinstance(value, str) else [value], [value])),
    "dataclass in saferepr": lambda value: saferepr([Config("bob", "abc", [value])], 300),
    "traceback": lambda value: (
        'Traceback (most recent call last):\n  File "a.py", line 3, in f\n'
        f'    connect(user="x", password={value!r}, n=1)\n  File "b.py", line 4, in g\n'
        f"    self.token = {value!r} or {value!r}\nValueError: {value!r}\n"
    ),
    "keyword arguments": lambda value: f"f(api_key={value!r}, token={value!r}, n=1)",
}


def _assert_hidden(text: str) -> None:
    redacted = redactor.text(text)
    assert not set(LETTERS) & set(redacted)
    assert redactor.text(redacted) == redacted


@pytest.mark.parametrize("form", [form for form in FORMS if "saferepr" not in form])
@given(value=structures, at=st.floats(0, 1))
@example(value={"session_id": ["Q\\", "&Q'", "J"], "x1": "b"}, at=1)
@example(value=[("token", 'Q" Z'), ("api_key", "Q' \\'Z")], at=0.9)
def test_secret_under_a_sensitive_name_never_survives(form: str, value: Any, at: float) -> None:
    text = FORMS[form](value)
    _assert_hidden(text)
    _assert_hidden(text[: int(at * len(text))])


@pytest.mark.parametrize("form", [form for form in FORMS if "saferepr" in form])
@given(value=structures_for_saferepr, at=st.floats(0, 1))
@example(value={"token": ("%Q]|\\", {"author": "(XX-[J", "user": "Z#"}, ("J\tZZ",)), "x1": ")"}, at=1)
@example(value={"token": "ZQ\\', 'n': Z\\", "cvv": "\\'Z', 'Q", "n": "\\"}, at=1)
def test_secret_under_a_sensitive_name_never_survives_saferepr(form: str, value: Any, at: float) -> None:
    text = FORMS[form](value)
    _assert_hidden(text)
    _assert_hidden(text[: int(at * len(text))])


@given(secrets)
def test_secret_in_bytes_never_survives_repr(secret: str) -> None:
    _assert_hidden(repr({"password": secret.encode("utf-16"), "n": 1}))
    _assert_hidden(repr([("token", secret.encode("latin-1", "replace"))]))


@given(st.text(st.sampled_from(LETTERS + "'\"\\[]{}:;=&@."), min_size=6), structures)
def test_secret_in_bytes_never_survives_saferepr(secret: str, value: Any) -> None:
    # saferepr writes bytes without any escape: with ", " or brackets in them nobody can tell where they end.
    secret = "".join(letter for letter in secret if letter not in ")]}")
    _assert_hidden(saferepr({"password": secret.encode(), "n": value}, 1_024))


@given(st.text(st.sampled_from(LETTERS), min_size=6), st.integers(0, 200))
def test_secret_without_quotes_never_survives(secret: str, at: int) -> None:
    for text in (
        f"host=db password={secret} user=bob",
        f"ValueError('wrong token: {secret}', 5)",
        f"Authorization: Basic {secret}\r\nHost: x",
        f"GET /x?user=bob&token={secret}&n=1",
        f"PASSWORD={secret}\nHOME=/root",
        f"connect to amqp://bob:{secret}@mq:5672//x",
        f"<a><password>{secret}</password></a>",
        f"run --api-key {secret} --n 5",
        f"Key (token)=({secret}) already exists.",
        f"the API key: {secret}",
        f"Wrong password '{secret}' for bob",
        f"password:\n  {secret}\nuser:\n  bob",
        f'connect(\n    password=\n        "{secret}",\n    n=1)',
        f'<w:Password Type="PasswordText">{secret}</w:Password>',
        f'<form><input name="password" value="{secret}"></form>',
        f"null value in column\nDETAIL:  Failing row contains (7, bob, {secret}, null).\n",
        f"https://x.blob.example/a?sv=1&sig={secret}&se=2",
        f"next=%2Flogin%3Ftoken%3D{secret}&n=1",
        f"{{&quot;password&quot;: &quot;{secret}&quot;, &quot;n&quot;: 1}}",
    ):
        _assert_hidden(text)
        _assert_hidden(text[:at])


@given(structures)
def test_value_hides_what_its_text_hides(value: Any) -> None:
    redacted = redactor.value(value)
    assert not set(LETTERS) & set(repr(redacted))
    assert redactor.value(redacted) == redacted


PIECES = st.sampled_from([
    *"'\"\\:=, ()[]{}<>@\n/?&;.+|\0é", "password", "token", "auth", "abc123", "--", "b'", "'''", "\\n", "://", "amqp",
    "[redacted]", "'[redacted]'", "Bearer ", "Basic ", "eyJabcdefgh.x", '  File "', "(token)=(", "4111111111111111",
    "-----BEGIN PRIVATE KEY", "-----END PRIVATE KEY-----", "ghp_abcdefghij", "… [cut: 5 characters]",
    "API key", " ", "&quot;", "%22", "%3D", "<password a='b'>", "<input name='token' ", "value=", "https", "|\n",
    "Failing row contains (", "<![CDATA[", "pw", "?sig=",
])  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join) | st.text(st.characters(codec=None, exclude_categories=())))
def test_any_text_is_redacted_once_and_for_all(text: str) -> None:
    once = redactor.text(text)
    assert redactor.text(once) == once
    assert isinstance(redactor.url(text), str)


@given(st.text(st.sampled_from("abcxyz159 " + SEPARATORS.replace(":", "").replace("@", ""))))
def test_text_without_names_and_shapes_of_secrets_is_unchanged(text: str) -> None:
    assert redactor.text(text) == text


HOSTILE = [
    *"a \\'\"([{)-4:", "password", "password ", "password: ", "password='", "password='x\\\\' ", 'password="\\\\" ',
    "\\'", "password=(", "auth={'auth':", "token: 'a ", "token = 'a' \"b", "password='a' ", "'password': 'x', ",
    "password=<", "password=a,bbbbbbbbbbbbbbbb", "<password>", "--password ", "(token", "(token)=(", "://", "://a:", "://a:b/",
    "://a:b@", "@://", "bearer ", "bearer            ", "eyJ", ".eyJaaaaaaaa", "-----BEGIN PRIVATE KEY", "4111 ",
    "ghp_", 'password=(\n  File "a"\n', "password=['x\\\\' ", '{"a": "\\\\\\"token\\\\\\": 5", ', "\\npassword: \\' ",
    "token='" + "\\" * MAX_ESCAPES + "' ", "api key ", "api key: ", "' key': ", "'a password ': ", "{'b (key)': ",
    '"x">', '<password a="b">', '<password a="b"> ', "<password><![CDATA[", "password:\n", "password=\n  ", "token 'a'",
    " value=", "<input value=", "&quot;token&quot;:&quot;", "&quot;token&quot;:&quot;\\", "%22token%22%3A",
    "%3Ftoken%3D", "Failing row contains (", "Failing row contains (a).", "&sig=", "https://a", "https://a@",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_text_takes_time_in_proportion_to_its_length(unit: str) -> None:
    def seconds(size: int) -> float:
        # What follows the units makes each of them look for an end that is far away.
        text = "token=1 " + unit * (size // len(unit)) + "'" + "[" * (size // 4) + "]" * (size // 4)
        best = float("inf")
        for _ in range(3):
            started = time.process_time()
            redactor.text(text)
            best = min(best, time.process_time() - started)
        return best

    fastest = dict.fromkeys((20_000, 160_000), float("inf"))

    def is_in_proportion() -> bool:
        for size in fastest:
            fastest[size] = min(fastest[size], seconds(size))
        # Eight times the length: quadratic time would be 64 times as long.
        return fastest[160_000] < 24 * max(fastest[20_000], 0.000_5)

    # Other processes and the garbage of other tests take time, too, but not each time.
    assert any(is_in_proportion() for _ in range(5)), fastest
