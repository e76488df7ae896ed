"""Which names and texts hold secrets, and what is left of the text around them."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from monitoring.ingest.redaction import DEFAULT_KEYS, DEFAULT_PATTERNS, MARK, UNREADABLE, Redactor
from monitoring.ingest.redaction_names import SensitiveNames
from monitoring.ingest.text import storable

redactor = Redactor()

SENSITIVE = """password Password PASSWORD passwd pwd pass DB_PASS userpass password1 password_hash PGPASSWORD dbPassword
    secret client_secret clientsecret SECRET_KEY AWS_SECRET_ACCESS_KEY secrets token tokens accessToken refresh-token
    csrfmiddlewaretoken oauth_token_secret api_key apikey api-key apiKey X-Api-Key a_p_i_key auth basicAuth http_auth
    HTTP_AUTHORIZATION Authorization Proxy-Authorization credentials private_key privateKey access_key
    session session_id sessionid Cookie Set-Cookie cookies csrf X-CSRFToken card_number cardNumber card-number
    credit_card cvv cvv2 ssn iban dsn SENTRY_DSN connection_string"""

HARMLESS = """author authors authority authored tokenizer tokenizer_name monkey passenger passengers compass bypass
    secretary obsession possession cookiecutter taliban routing_key correlation_id primary_key key keys keyword
    max_tokens prompt_tokens token_type tokenCount session_timeout password_validators PasswordError
    InvalidTokenError AuthenticationFailed description cardinality business_name identity user name"""


@pytest.mark.parametrize("name", SENSITIVE.split())
def test_name_of_a_secret_is_recognised(name: str) -> None:
    assert redactor.is_sensitive(name)
    assert redactor.text(f"{{'{name}': 'hunter2'}}") == f"{{'{name}': '[redacted]'}}"


@pytest.mark.parametrize("name", HARMLESS.split())
def test_name_that_only_looks_like_one_of_a_secret_is_not(name: str) -> None:
    assert not redactor.is_sensitive(name)
    assert redactor.text(f"{{'{name}': 'hunter2'}}") == f"{{'{name}': 'hunter2'}}"


def test_own_key_is_compared_without_case_dashes_and_underscores() -> None:
    own = Redactor(keys=[*DEFAULT_KEYS, "Customer-Type", "max_tokens", "größe"])
    text = "f(customerType='a1', MAX_TOKENS=5, customer=2, Größe=3, password='b2')"
    assert own.text(text) == (
        "f(customerType='[redacted]', MAX_TOKENS=[redacted], customer=2, Größe=[redacted], password='[redacted]')"
    )


def test_key_without_a_letter_is_refused() -> None:
    with pytest.raises(ValueError, match="names nothing"):
        SensitiveNames(["--"])


def test_overlong_name_counts_as_sensitive_when_a_key_is_in_it() -> None:
    name = "x" * 200 + "_author"
    assert redactor.is_sensitive(name)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        # What workers send as args, kwargs and result
        ("{'password': 'hunter2', 'n': 1}", "{'password': '[redacted]', 'n': 1}"),
        ("('bob', {'a': [{'Password': ('x', [1])}], 'n': 1})", "('bob', {'a': [{'Password': '[redacted]'}], 'n': 1})"),
        ("('password', 'hunter2')", "('password', '[redacted]')"),
        ("[('password', 'x'), ('n', 1)]", "[('password', '[redacted]'), ('n', 1)]"),
        ("{'token': 123456, 'n': 1}", "{'token': '[redacted]', 'n': 1}"),
        ("{'token': <Token at 0x7f: it's, 1>, 'n': 1}", "{'token': '[redacted]', 'n': 1}"),
        ("{'token': Decimal('5'), 'n': 1}", "{'token': '[redacted]', 'n': 1}"),
        ("{'password': b'hunter2', 'n': 1}", "{'password': '[redacted]', 'n': 1}"),
        ("{'password': b'it's 'x', 'n': 1}", "{'password': '[redacted]', 'n': 1}"),  # saferepr escapes no bytes
        ("{'password': \"it's\", 'n': 1}", "{'password': \"[redacted]\", 'n': 1}"),
        ("{'password': 'it\\'s \"x\"', 'n': 1}", "{'password': '[redacted]', 'n': 1}"),
        ("{'password': 'one ' 'two', 'n': 1}", "{'password': '[redacted]', 'n': 1}"),
        ("Config(user='x', password='hunter2', n=1)", "Config(user='x', password='[redacted]', n=1)"),
        ("f(x,password='y',n=5)", "f(x,password='[redacted]',n=5)"),
        ('f(x, password="""a\n"b" c""", n=5)', 'f(x, password="[redacted]", n=5)'),
        # JSON, and JSON in a repr
        ('{"token":"x","n":1}', '{"token":"[redacted]","n":1}'),
        ('{"api_key": ["x", {"b": 1}], "n": 1}', '{"api_key": "[redacted]", "n": 1}'),
        (r'{"body": "{\"token\": \"a\\\"b\", \"n\": 1}"}', r'{"body": "{\"token\": \"[redacted]\", \"n\": 1}"}'),
        ("""('{"token": "a\\\\"b", "n": 1}',)""", """('{"token": "[redacted]", "n": 1}',)"""),
        # Cut anywhere
        ("{'user': 'bob', 'password': 'hun", "{'user': 'bob', 'password': '[redacted]'"),
        ("{'password': 'hun...', ...}", "{'password': '[redacted]', ...}"),
        ("{'auth': {'user': 'bob', 'x': ['hun", "{'auth': '[redacted]'"),
        ("{'password': ", "{'password': "),
        ("('amqp://bob:hun...',)", "('amqp://bob:[redacted]',)"),
        # Names of several words, as people write them
        ("{'form': {'API Key': 'hunter2'}, 'n': 1}", "{'form': {'API Key': '[redacted]'}, 'n': 1}"),
        ("{'a': 1, 'Secret key ': 'x'}", "{'a': 1, 'Secret key ': '[redacted]'}"),
        ("{'Password:': 'x', 'API Key (prod)': 'y'}", "{'Password:': '[redacted]', 'API Key (prod)': '[redacted]'}"),
        ("{'n': 1,\n 'Password of the user': 'x'}", "{'n': 1,\n 'Password of the user': '[redacted]'}"),
        ("{'user.password.0': 'x', 'n': 1}", "{'user.password.0': '[redacted]', 'n': 1}"),
        (r"""('{\n  "API Key": "x"\n}',)""", r"""('{\n  "API Key": "[redacted]"}',)"""),
        (r'{"body": "{\"n\": 1, \"API Key\": \"x\"}"}', r'{"body": "{\"n\": 1, \"API Key\": \"[redacted]\"}"}'),
        ("('API key', 'x', 1)", "('API key', '[redacted]', 1)"),
        ("the API key: x", "the API key: [redacted]"),
        ("api key=x for it", "api key=[redacted] for it"),
        ("a=1&API+Key=x&n=1", "a=1&API+Key=[redacted]&n=1"),
        ("Secret Access Key: x\nPrivate key: y", "Secret Access Key: [redacted]\nPrivate key: [redacted]"),
        ("Credit card: 1 2", "Credit card: [redacted]"),
        ("{'pw': 'x', 'PW': 'y'} pw=z", "{'pw': '[redacted]', 'PW': '[redacted]'} pw=[redacted]"),
        # A value on the next line
        ('connect(\n    password=\n        "x",\n    n=1)', 'connect(\n    password=\n        "[redacted]",\n    n=1)'),
        ("password:\n  x\nuser:\n  bob", "password:\n  [redacted]\nuser:\n  bob"),
        ("api key:\r\nx y\r\nz", "api key:\r\n[redacted] y\r\nz"),
        ("token: |\n  x\nn: 1", "token: |\n  [redacted]\nn: 1"),
        ("passwords:\n  - x", "passwords:\n  - [redacted]"),
        ("Authorization:\r\n Bearer abcdef\r\nHost: x", "Authorization:\r\n Bearer [redacted]\r\nHost: x"),
        ("k: |\n  -----BEGIN PRIVATE KEY-----\n  MI\n  -----END PRIVATE KEY-----\nn: 1", "k: |\n  [redacted]\nn: 1"),
        ("PRIVATE_KEY=-----BEGIN EC PRIVATE KEY-----\nMII", "PRIVATE_KEY=[redacted]"),
        ("private_key:\n-----BEGIN EC PRIVATE KEY-----\nMII", "private_key:\n[redacted]"),
        ("password:\n  aGVsbG8=\n", "password:\n  [redacted]\n"),
        # Exceptions
        ("ValueError('no user for password=hunter2')", "ValueError('no user for password=[redacted]')"),
        ("ValueError(\"no {'password': 'hunter2'} here\")", "ValueError(\"no {'password': '[redacted]'} here\")"),
        ("ValueError('bad token: abc', 5)", "ValueError('bad token: [redacted]', 5)"),
        ("DETAIL:  Key (token)=(abc) already exists.", "DETAIL:  Key (token)=[redacted] already exists."),
        ("Key (user_id, token)=(5, abc) already exists.", "Key (user_id, token)=[redacted] already exists."),
        ("Failing row contains (7, b) c, null).\n", "Failing row contains [redacted].\n"),
        (r"('DETAIL:  Failing row contains (7, b, null).\n',)", r"('DETAIL:  Failing row contains [redacted].\n',)"),
        ("DETAIL:  Failing row contains (7, bob, hun", "DETAIL:  Failing row contains [redacted]"),
        ("Invalid password 'xyz' for bob", "Invalid password '[redacted]' for bob"),
        (r"E('the API key \'x y\' is wrong')", r"E('the API key \'[redacted]\'')"),
        ("ALTER USER bob PASSWORD 'xyz'; SELECT 1", "ALTER USER bob PASSWORD '[redacted]'; SELECT 1"),
        # Headers, queries, environments, command lines, XML
        ("Authorization: Digest a=b, c\nHost: x", "Authorization: [redacted]\nHost: x"),
        ("Cookie: a=b; c=d\r\nHost: x", "Cookie: [redacted]\r\nHost: x"),
        ("[(b'authorization', b'Basic x'), (b'host', b'y')]", "[(b'authorization', '[redacted]'), (b'host', b'y')]"),
        ("https://x/?token=abc&page=1#top", "https://x/?token=[redacted]&page=1#top"),
        ("user[password]=abc&x=1", "user[password]=[redacted]&x=1"),
        ("PASSWORD=hunter,2\nHOME=/", "PASSWORD=[redacted]\nHOME=/"),
        ("host=db password=hunter2 user=bob", "host=db password=[redacted] user=bob"),
        ("run --password hunter2 --n 5", "run --password [redacted] --n 5"),
        ("['run', '--password', 'hunter2', '-v']", "['run', '--password', '[redacted]', '-v']"),
        ("<a><password>hunter2</password></a>", "<a><password>[redacted]</password></a>"),
        ('<w:Password Type="P">x</w:Password><n>1</n>', '<w:Password Type="P">[redacted]</w:Password><n>1</n>'),
        (r"<Password xmlns=\'u\'>\n x\n</Password>", r"<Password xmlns=\'u\'>[redacted]</Password>"),
        ("<Password xmlns='u' >hun", "<Password xmlns='u' >[redacted]"),
        ('<session token="x" >y</session>', '<session token="[redacted]" >[redacted]</session>'),
        ("<token><![CDATA[a<b]]></token>", "<token><![CDATA[[redacted]]]></token>"),
        ('<input type="text" name="api_key" value="x">', '<input type="text" name="api_key" value="[redacted]">'),
        ("<input value='x' type='password'/>", "<input value='[redacted]' type='password'/>"),
        # Encoded
        ("next=%2Flogin%3Ftoken%3Dhunter2&n=1", "next=%2Flogin%3Ftoken%3D[redacted]&n=1"),
        ("user%5Bpassword%5D=x&n=1", "user%5Bpassword%5D=[redacted]&n=1"),
        ("%7B%22password%22%3A%20%22x%22%7D", "%7B%22password%22%3A%20%22[redacted]%22%7D"),
        ("{&quot;pw&quot;: &quot;x&quot;, n: 1}", "{&quot;pw&quot;: &quot;[redacted]&quot;, n: 1}"),
        ("{&#x27;pin&#x27;: 5, &#x27;token&#x27;: 123}", "{&#x27;pin&#x27;: 5, &#x27;token&#x27;: [redacted]}"),
        # Source lines of a traceback
        ('    connect(user="x", password="hunter2")', '    connect(user="x", password="[redacted]")'),
        ("    d['password'] = 'x' or 'y'", "    d['password'] = '[redacted]'"),
        ("    password: str = 'hunter2'", "    password: [redacted]"),
        ('    token = os.environ.get("T") or "hun" + "ter2"', "    token = [redacted]"),
    ],
)  # fmt: skip
def test_secret_is_taken_out_and_nothing_else(text: str, redacted: str) -> None:
    assert redactor.text(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "cryptography.fernet.InvalidToken: no signature",
        "    if not token:\n        return None",
        'File "/app/auth/token.py", line 5, in check_token',
        "FATAL:  password authentication failed for user",
        "max_tokens=5, author='x', passenger=3",
        "('reset your password', 'now')",
        "a basic training, bearer of news, Basic Authentication, missing bearer token",
        "http://localhost:8000/users/@me, see http://h:80, redis://localhost:6379/0",
        "1732312345678901 and 4111111111111112 and 550e8400-e29b-41d4-a716-446655440000",
        "ghost risk-assessment-of-something-long task-1234567890",
        "[<Session>, <Session>]",
        "Auth service: down, password reset: sent, routing key: a.b, primary key: 5",
        "open '/etc/auth/x.conf': denied, see \"my session notes\": gone",
        "{'a': 'the password ', 'b': 'the token ', 'n': \"your pass\"}",
        "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
        "{'sig': add.s(1), 'design': 2, 'pwd_count': 5, 'power': 3}, signature=5",
        "PASSWORD=\nHOME=/\nCookie:\nHost: x",
        "    for token in tokens:\n        print(token)\n    if not session:\n    ^^^^^\n",
        "bad token:\n\nDuring handling of it",
        "session:\n  timeout: 5",
        "<Session id='5'> was closed, <b>now</b>",
        '<label for="password">Your password</label><a href="x">session</a>',
        '<input name="user" value="bob"><input name="password">',
        "git@host, ssh://git@github.com/x, https://git@github.com/x, mailto:a@b.example, https://x.example/@bob",
        "https://x.example, bob@x.example, https://x.example;bob@x.example, <https://x.example>|bob@x.example",
        "http://h/?sign=1&assign=2, https://a/b?c=d@e, a signal for the design",
    ],
)
def test_text_without_a_secret_is_returned_as_it_is(text: str) -> None:
    assert redactor.text(text) == text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("call with Bearer abc.DEF-123 now", "call with Bearer [redacted] now"),
        ("Basic dXNlcjpwYXNz", "Basic [redacted]"),
        ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3 back", "got [redacted] back"),
        ("id AKIAIOSFODNN7EXAMPLE.", "id [redacted]."),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nok", "[redacted]\nok"),
        ("a -----BEGIN OPENSSH PRIVATE KEY-----\nMII", "a [redacted]"),
        ("push ghp_16C7e42F292c6912E7710c838347Ae178B4a", "push [redacted]"),
        ("github_pat_11AAAA_bbbbcccc, glpat-abc_DEF-123", "[redacted], [redacted]"),
        ("xoxb-1234-5678-abcdef", "[redacted]"),
        ("https://hooks.slack.com/services/T0/B0/XXXX", "https://hooks.slack.com/services/[redacted]"),
        ("sk_live_4eC39HqLyjWDarjtT1 whsec_abcdef12", "[redacted] [redacted]"),
        ("key sk-proj-abcDEF123456 was refused", "key [redacted] was refused"),
        ("paid with 4111 1111 1111 1111, 4111-1111-1111-1111", "paid with [redacted], [redacted]"),
        ("paid with 378282246310005", "paid with [redacted]"),
        ("https://a/b?sv=1&sig=a%2Fb%3D&se=2", "https://a/b?sv=1&sig=[redacted]&se=2"),
        ("SharedAccessSignature sr=a&sig=x&se=2", "SharedAccessSignature sr=a&sig=[redacted]&se=2"),
        ("SharedAccessSignature=a;n=1", "SharedAccessSignature=[redacted];n=1"),
        ("a?X-Goog-Signature=x&amp;Signature=y", "a?X-Goog-Signature=[redacted]&amp;Signature=[redacted]"),
        ("clone https://ghtoken@h/x.git", "clone https://[redacted]@h/x.git"),
        ("git+https://t:x-oauth-basic@h and http://t:@h", "git+https://[redacted]@h and http://[redacted]@h"),
        ("postgres://bob:p@ss:w/rd@db/x", "postgres://bob:[redacted]@db/x"),
        ("('amqp://bob:x@mq//', 'redis://:y@r')", "('amqp://bob:[redacted]@mq//', 'redis://:[redacted]@r')"),
    ],
)
def test_secret_without_a_name_is_known_by_its_shape(text: str, redacted: str) -> None:
    assert redactor.text(text) == redacted


@pytest.mark.parametrize(
    "pattern", ["E-[0-9]+", "badge (?P<secret>E-[0-9]+)", re.compile("e-[0-9]+", re.IGNORECASE)]
)
def test_own_pattern_hides_its_match_or_its_group(pattern: str | re.Pattern[str]) -> None:
    own = Redactor(patterns=[*DEFAULT_PATTERNS, pattern])
    assert own.text("('badge E-4711', 1)") == "('badge [redacted]', 1)"


def test_own_pattern_that_matches_the_mark_leaves_it_alone() -> None:
    own = Redactor(patterns=[r"\w*act\w*"])
    once = own.text("action 1")
    assert once == own.text(once) == "[redacted] 1"


def test_traceback_stays_readable_behind_a_source_line_that_is_left_open() -> None:
    text = (
        'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    connect(password=get(\n'
        '  File "b.py", line 5, in get\n    raise ValueError(user)\nValueError: bob'
    )
    assert redactor.text(text) == text.replace("get(\n", "[redacted]\n", 1)


def test_mark_of_a_cut_text_survives_a_secret_that_was_cut() -> None:
    text = storable("{'password': '" + "x" * 1_000, 100)
    assert redactor.text(text) == "{'password': '[redacted]'… [cut: 1,014 characters]"


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("amqp://bob:x@mq:5672//", "amqp://bob:[redacted]@mq:5672//"),
        ('redis://:it\'s "x" y@r/0', "redis://:[redacted]@r/0"),
        ("sentinel://:a@h1;sentinel://:b@h2", "sentinel://:[redacted]@h1;sentinel://:[redacted]@h2"),
        (
            "db+postgresql://bob@h/x?password=a&sslmode=on",
            "db+postgresql://bob@h/x?password=[redacted]&sslmode=on",
        ),
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("memory://", "memory://"),
        ("", ""),
    ],
)
def test_password_of_a_url_is_masked(url: str, masked: str) -> None:
    assert redactor.url(url) == redactor.url(masked) == masked


def test_value_is_redacted_at_every_level() -> None:
    value = {
        "user": "bob",
        "password": {"old": "x", "new": "y"},
        "headers": [["Authorization", "z"], ["Host", "h"]],
        "pair": ("token", 5),
        "text": "{'password': 'x'}",
        "n": 1.5,
        5: None,
    }
    assert redactor.value(value) == {
        "user": "bob",
        "password": MARK,
        "headers": [["Authorization", MARK], ["Host", "h"]],
        "pair": ("token", MARK),
        "text": "{'password': '[redacted]'}",
        "n": 1.5,
        5: None,
    }


def test_value_of_another_type_is_redacted_as_its_repr() -> None:
    assert redactor.value({"conf": {1: b"password=x"}}) == {"conf": {1: "b'password=[redacted]'"}}


def test_value_of_hostile_depth_is_hidden_from_there_on() -> None:
    value: Any = "deep"
    for _ in range(100_000):
        value = [value]
    assert redactor.value(value) is not None


class Unrepresentable:
    def __repr__(self) -> str:
        raise RuntimeError("hunter2")


@pytest.mark.parametrize(
    ("give", "left"),
    [
        (lambda redactor: redactor.text("password=hunter2"), UNREADABLE),
        (lambda redactor: redactor.value({"a": Unrepresentable(), "n": 1}), {"a": UNREADABLE, "n": 1}),
    ],
)
def test_failure_hides_all_and_is_reported(
    give: Callable[[Redactor], Any], left: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise RecursionError

    monkeypatch.setattr("monitoring.ingest.redaction.find_secrets", fail)
    met: list[Exception] = []
    assert give(Redactor(on_error=met.append)) == left
    assert len(met) == 1
    assert "hunter2" not in repr(met)


def test_mark_of_a_failure_is_left_alone() -> None:
    assert redactor.text(UNREADABLE) == UNREADABLE
