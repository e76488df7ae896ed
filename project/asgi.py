"""Pages and sockets in one ASGI application, served by Daphne: `daphne project.asgi:application`."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import SessionMiddlewareStack
from django.core.asgi import get_asgi_application
from django.urls import URLPattern, URLResolver, re_path

from project.prefix import UrlPrefix
from project.sockets import NoSuchSocket

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

# First: it sets Django up, and socket consumers import models.
pages = get_asgi_application()

from monitoring import routing  # noqa: E402

websocket_urlpatterns: list[URLPattern | URLResolver] = [
    *routing.websocket_urlpatterns,
    # Last: an address without a socket is refused with 403; URLRouter by itself fails with 500 and a traceback.
    re_path(r"", NoSuchSocket.as_asgi()),
]

application = UrlPrefix(
    ProtocolTypeRouter(
        {
            "http": pages,
            # Not AuthMiddlewareStack: it reads session and user before the handshake is answered, one socket after the
            # other, and Daphne gives up after five seconds. Our socket looks both up itself once it is accepted.
            # Not AllowedHostsOriginValidator: our socket asks for more itself, and that refuses trusted origins.
            "websocket": SessionMiddlewareStack(URLRouter(websocket_urlpatterns)),
        }
    )
)
