"""The three users of the demo. They exist nowhere else: their passwords are their names."""

from django.contrib.auth.models import Permission, User
from django.db.models import Q, QuerySet


def create_demo_users() -> None:
    """Make admin, viewer and operator as they should be; what is so already is left alone."""
    _user("admin", is_superuser=True)
    _user("viewer").user_permissions.set(_viewing())
    _user("operator").user_permissions.set(_viewing() | _controlling())


def _user(name: str, *, is_superuser: bool = False) -> User:
    user, _ = User.objects.update_or_create(
        username=name, defaults={"is_staff": True, "is_superuser": is_superuser, "is_active": True}
    )
    # Setting the same password again would sign everybody out.
    if not user.check_password(name):
        user.set_password(name)
        user.save()
    return user


def _viewing() -> QuerySet[Permission]:
    """Every view permission there is, of `view_payload` too, but of django-celery-results.

    It shows what tasks returned and raised as it was, secrets included.
    """
    views = Permission.objects.filter(codename__startswith="view_")
    return views.exclude(content_type__app_label="django_celery_results")


def _controlling() -> QuerySet[Permission]:
    """The app's own verbs (revoke, rerun, purge ...), deleting a task's record, and making API tokens of their own."""
    editing = (
        Q(codename__startswith="add_") | Q(codename__startswith="change_") | Q(codename__startswith="delete_")
    )
    return Permission.objects.filter(content_type__app_label="monitoring").filter(
        ~editing & ~Q(codename="manage_apitoken") | Q(codename__in=["delete_task", "add_apitoken"])
    )
