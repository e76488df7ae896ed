"""Everybody who may stand before a page: the columns of the permission matrix."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission, User

from monitoring.queries.visibility import Visibility

ANONYMOUS, PLAIN, STAFF = "anonymous", "plain user", "staff"
VIEWER, NO_PAYLOAD, LIMITED = "viewer", "viewer without payload", "limited"
OPERATOR, SUPERUSER = "operator", "superuser"
#: `PLAIN` has every permission and no access to the admin, `STAFF` access and no permission; `LIMITED` may do
#: everything to what is in two queues.
PEOPLE = (ANONYMOUS, PLAIN, STAFF, VIEWER, NO_PAYLOAD, LIMITED, OPERATOR, SUPERUSER)
#: Who is let into the admin at all.
INSIDE = (STAFF, VIEWER, NO_PAYLOAD, LIMITED, OPERATOR, SUPERUSER)
QUEUES = ("mail", "media")


def visibility_of_person(user: Any) -> Visibility:
    """For ``MONITORING["VISIBILITY"]``."""
    return Visibility(queues=QUEUES) if user.get_username() == LIMITED else Visibility.everything()


def make_person(name: str) -> User | None:
    """The user of one of :data:`PEOPLE`; None for who has not signed in."""
    if name == ANONYMOUS:
        return None
    user = User.objects.create_user(name, is_staff=name != PLAIN, is_superuser=name == SUPERUSER)
    user.user_permissions.set(
        permission
        for permission in Permission.objects.filter(content_type__app_label="monitoring")
        if _has(name, permission.codename)
    )
    return user


def may(name: str, *permissions: str) -> bool:
    """Whether one of :data:`PEOPLE` is inside the admin and has all of ``view_task``, ``revoke_task``, ..."""
    return name in INSIDE and all(name == SUPERUSER or _has(name, permission) for permission in permissions)


def _has(name: str, codename: str) -> bool:
    if name in (PLAIN, LIMITED, OPERATOR):
        return True
    if name in (VIEWER, NO_PAYLOAD):
        return codename.startswith("view_") and (name == VIEWER or codename != "view_payload")
    return False
