"""Static files in production: collected once, then served under names that change with their content."""

import re

import pytest
from django.core.management import call_command


@pytest.mark.django_db
def test_collected_files_are_hashed_and_may_be_kept_for_ever(tmp_path, client, settings):
    settings.STATIC_ROOT = tmp_path
    settings.WHITENOISE_AUTOREFRESH = False
    # Fails where a stylesheet or script names a file that is not there.
    call_command("collectstatic", interactive=False, verbosity=0)

    page = client.get("/admin/login/").content.decode()
    (address,) = re.findall(r'href="(/static/admin/css/base\.[0-9a-f]{12}\.css)"', page)
    served = client.get(address)

    assert served.status_code == 200
    assert "immutable" in served.headers["Cache-Control"]
    served.close()


def test_a_browser_that_asks_for_an_icon_gets_one(client):
    response = client.get("/favicon.ico", follow=True)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/svg+xml"
    response.close()
