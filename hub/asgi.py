"""HTTP through a fixed pool of threads (2 to 3 times Django's own ASGI handler), WebSockets through Channels."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")

from a2wsgi import WSGIMiddleware  # noqa: E402
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402

http_application = get_wsgi_application()

from hub.core.live import LiveConsumer  # noqa: E402  needs the apps loaded

HTTP_THREADS = int(os.environ.get("HTTP_THREADS", "4"))

application = ProtocolTypeRouter(
    {
        "http": WSGIMiddleware(http_application, workers=HTTP_THREADS),
        "websocket": AuthMiddlewareStack(URLRouter([path("ws/", LiveConsumer.as_asgi())])),
    }
)
