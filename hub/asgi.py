"""HTTP through a fixed pool of threads (2 to 3 times Django's own ASGI handler), WebSockets through Channels."""

import asyncio
import os
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")

from a2wsgi import WSGIMiddleware
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import CookieMiddleware
from django.core.wsgi import get_wsgi_application
from django.urls import path

http_application = get_wsgi_application()

from hub.core import live, sockets  # noqa: E402  needs the apps loaded

HTTP_THREADS = int(os.environ.get("HTTP_THREADS", "4"))

router = ProtocolTypeRouter(
    {
        "http": WSGIMiddleware(cast(Any, http_application), workers=HTTP_THREADS),
        # The consumer reads session and member itself, each time anew.
        "websocket": CookieMiddleware(URLRouter([path("ws/", sockets.LiveConsumer.as_asgi())])),
    }
)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """HTTP and sockets of one process; live messages from request threads go to this loop."""
    live.use_loop(asyncio.get_running_loop())
    if scope["type"] != "http":
        await router(scope, receive, send)
        return
    with live.after_the_answer():
        await router(scope, receive, send)
