"""Every address of the bundled project."""

from django.conf import settings
from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from tasksdemo.views import TasksView

#: Everybody may call it: no sign-in, no CSRF token.
demo_api = [
    path("tasks/", include("tasksdemo.urls")),
    # `curl -X POST .../tasks`: a redirect to the slash would lose the body.
    path("tasks", TasksView.as_view()),
]
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    # The admin names no icon, and a browser that finds none asks here.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("project/icon.svg"))),
    path("admin/", admin.site.urls),
    *(demo_api if settings.DEMO_API else []),
    path("", include("monitoring.urls")),
    # Flower's addresses, where it ran below /flower/.
    path("flower/api/", include("monitoring.api.flower.urls")),
    path("flower/", include("monitoring.api.flower.page_urls")),
    # Behind all others: what is left below these is no address, and programs are told so in JSON.
    path("api/", include("monitoring.api.unknown_address_urls")),
    path("flower/api/", include("monitoring.api.unknown_address_urls")),
]
