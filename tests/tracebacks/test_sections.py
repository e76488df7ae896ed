"""What a reader sees of a traceback: the end first, own code open, libraries folded."""

from __future__ import annotations

import pytest

from monitoring.tracebacks.contents import Relation
from monitoring.tracebacks.ownership import is_own, package_of, short_path
from monitoring.tracebacks.parsing import parse
from monitoring.tracebacks.sections import MAX_SHOWN, sections

LIBRARY = "/srv/venv/lib/python3.11/site-packages/celery/app/trace.py"
TEXT = f"""Traceback (most recent call last):
  File "/srv/venv/lib/python3.11/site-packages/requests/api.py", line 1, in get
    x
requests.exceptions.ReadTimeout: slow

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "{LIBRARY}", line 734, in __protected_call__
    return self.run(*args, **kwargs)
  File "{LIBRARY}", line 735, in other
    return self.run(*args, **kwargs)
  File "/srv/payments/tasks.py", line 64, in capture_payment
    gateway.capture()
  File "/usr/lib/python3.11/contextlib.py", line 81, in inner
    return func(*args, **kwds)
  File "/srv/payments/gateway.py", line 118, in capture
    raise GatewayTimeout
payments.gateway.GatewayTimeout: no answer
"""


@pytest.mark.parametrize(
    ("path", "own", "package", "short"),
    [
        ("/srv/payments/tasks.py", True, "payments", "payments/tasks.py"),
        (LIBRARY, False, "celery", "celery/app/trace.py"),
        ("/usr/lib/python3/dist-packages/six.py", False, "six", "six.py"),
        ("/usr/lib/python3.11/asyncio/base_events.py", False, "Python", "asyncio/base_events.py"),
        (r"C:\Python312\Lib\json\decoder.py", False, "Python", "json/decoder.py"),
        (r"C:\shop\.venv\Lib\site-packages\kombu\x.py", False, "kombu", "kombu/x.py"),
        ("<frozen importlib._bootstrap>", False, "Python", "<frozen importlib._bootstrap>"),
        ("/srv/lib/shop/tasks.py", True, "shop", "shop/tasks.py"),
        ("tasks.py", True, "tasks.py", "tasks.py"),
    ],
)
def test_own_code_is_what_is_not_installed(path: str, own: bool, package: str, short: str) -> None:
    assert is_own(path) is own
    assert package_of(path) == package
    assert short_path(path) == short


def test_own_code_can_be_named() -> None:
    assert is_own(LIBRARY, ["*/site-packages/celery/*"])
    assert not is_own("/srv/payments/tasks.py", ["/srv/shop/*"])
    assert is_own(r"C:\shop\tasks.py", ["C:/shop/*"])


def test_the_last_exception_and_its_innermost_frame_come_first() -> None:
    last, cause = sections(parse(TEXT))
    assert last.raised.type == "payments.gateway.GatewayTimeout"
    assert [(run.own, run.package, run.depth) for run in last.runs] == [
        (True, "", 1),
        (False, "Python", 1),
        (True, "", 1),
        (False, "celery", 2),
    ]
    assert last.runs[0].frames[0].path == "payments/gateway.py"
    assert (last.joined, cause.joined) == (Relation.NOTHING, Relation.CAUSE)
    assert cause.raised.message == "slow"


def test_only_the_innermost_of_many_frames_are_shown() -> None:
    frames = "".join(f'  File "/srv/a.py", line {line}, in f\n' for line in range(1, 500))
    (section,) = sections(parse(f"Traceback (most recent call last):\n{frames}E: x"))
    assert sum(len(run.frames) for run in section.runs) == MAX_SHOWN
    assert section.hidden == 499 - MAX_SHOWN
    assert section.runs[0].frames[0].frame.line == 499


def test_a_thousand_causes_are_bounded() -> None:
    one = 'Traceback (most recent call last):\n  File "/a.py", line 1, in f\nE: x\n'
    joined = "\nDuring handling of the above exception, another exception occurred:\n\n"
    assert len(sections(parse(joined.join([one] * 1000)))) == 40
