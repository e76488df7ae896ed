"""Browser libraries are what their list says: the file of the registry, unchanged."""

import hashlib

import pytest

from tests.project.serving import CHECKOUT

VENDOR = CHECKOUT / "monitoring" / "static" / "monitoring" / "vendor"
ROWS = [
    line.split()
    for line in (VENDOR / "LIST").read_text().splitlines()
    if line.strip() and not line.startswith("#")
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_listed_file_has_its_checksum_version_and_licence(row):
    file, package, version, licence, sha256, path = row
    assert hashlib.sha256((VENDOR / file).read_bytes()).hexdigest() == sha256, f"run `make vendor` for {file}"
    assert all((package, version, licence, path))


def test_no_file_is_there_that_the_list_does_not_name():
    files = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert files - {"LIST"} == {row[0] for row in ROWS}
