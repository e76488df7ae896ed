"""Which code is the project's own and which a library's. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

_PACKAGES = re.compile(r".*(?:^|/)(?:site|dist)-packages/(?P<rest>.*)\Z", re.DOTALL)
# Unix: lib/python3.12/, lib64/python3/; Windows: Python312/Lib/.
_STANDARD = re.compile(
    r".*?(?:^|/)(?:lib(?:32|64)?/(?:python|pypy)[\d.]*|python[\d.]*/lib)/(?P<rest>.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
#: What the standard library's frames are grouped under.
PYTHON = "Python"


def is_own(path: str, own_code: Sequence[str] = ()) -> bool:
    """Whether the file of a frame is the project's own code.

    `own_code`: ``MONITORING["OWN_CODE"]``, patterns of whole paths with wildcards (``fnmatch``). Empty: everything that
    is not installed (``site-packages``, ``dist-packages``), part of Python, or made up (``<frozen importlib>``).
    """
    path = _slashes(path)
    if own_code:
        return any(_pattern(pattern)(path) for pattern in own_code)
    return not path.startswith("<") and not _PACKAGES.match(path) and not _STANDARD.match(path)


def package_of(path: str) -> str:
    """The package that a library's frame is in: ``celery``, ``Python``; for other paths the name of their folder."""
    path = _slashes(path)
    packages = _PACKAGES.match(path)
    if packages:
        first = packages["rest"].partition("/")[0]
        return first.removesuffix(".py") or PYTHON
    if path.startswith("<") or _STANDARD.match(path):
        return PYTHON
    folder = path.rpartition("/")[0].rpartition("/")[2]
    return folder or path


def short_path(path: str) -> str:
    """A path as people know it: within its package, or its last folder and name."""
    path = _slashes(path)
    packages = _PACKAGES.match(path)
    if packages:
        return packages["rest"]
    standard = _STANDARD.match(path)
    if standard:
        return standard["rest"]
    return "/".join(path.split("/")[-2:])


def _slashes(path: str) -> str:
    return path.replace("\\", "/")


@lru_cache(maxsize=128)
def _pattern(pattern: str) -> Callable[[str], object]:
    return re.compile(fnmatch.translate(_slashes(pattern))).match
