"""Every template compiles, also those that no other test happens to show."""

import pytest
from django.template.loader import get_template

from tests.project.compose import CHECKOUT

TEMPLATES = sorted(
    str(path.relative_to(folder))
    for folder in CHECKOUT.glob("*/templates")
    for path in folder.rglob("*")
    if path.is_file()
)


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_compiles(name):
    assert get_template(name)
