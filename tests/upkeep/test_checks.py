"""monitoring.W001: the database user may not make partitions."""

import pytest
from django.core import checks
from django.db import connections

from monitoring.checks import check_partitions

pytestmark = pytest.mark.django_db(transaction=True, databases=["postgresql"])


@pytest.fixture(autouse=True)
def _stored_in_postgresql(settings):
    settings.MONITORING = {**settings.MONITORING, "DATABASE": "postgresql"}


def found(databases=("postgresql",)):
    return [
        message.id
        for message in checks.run_checks(databases=list(databases))
        if message.id == "monitoring.W001"
    ]


def test_an_owner_of_the_schema_is_not_warned():
    assert found() == []


def test_a_user_without_the_right_to_make_tables_is_warned(role_without_rights):
    with connections["postgresql"].cursor() as cursor:
        cursor.execute(f"SET ROLE {role_without_rights}")
        try:
            assert found() == ["monitoring.W001"]
            (warning,) = check_partitions(None, databases=["postgresql"])
        finally:
            cursor.execute("RESET ROLE")
    assert warning == checks.Warning(
        "The user of database 'postgresql' may not make tables beside the event log, so that all events go to its "
        "default partition, and expire by slow deletes.",
        hint="Grant it CREATE on the schema and ownership of monitoring_taskevent. See docs/operations.md#partitions.",
        id="monitoring.W001",
    )


def test_a_user_who_may_make_tables_but_does_not_own_the_log_is_warned(role_without_rights):
    with connections["postgresql"].cursor() as cursor:
        cursor.execute(f"GRANT CREATE ON SCHEMA public TO {role_without_rights}")
        cursor.execute(f"SET ROLE {role_without_rights}")
        try:
            assert found() == ["monitoring.W001"]
        finally:
            cursor.execute("RESET ROLE")


def test_the_server_is_asked_only_when_databases_are_checked(role_without_rights):
    with connections["postgresql"].cursor() as cursor:
        cursor.execute(f"SET ROLE {role_without_rights}")
        try:
            assert found(databases=()) == []
        finally:
            cursor.execute("RESET ROLE")
