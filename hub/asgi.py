"""HTTP through a fixed pool of threads (2 to 3 times Django's own ASGI handler), WebSockets through Channels."""

import asyncio
import os
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")

from a2wsgi import WSGIMiddleware
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.wsgi import get_wsgi_application
from django.urls import path

http_application = get_wsgi_application()

from hub.core import live  # noqa: E402  needs the apps loaded
from hub.members import factors  # noqa: E402
from hub.members.models import Member  # noqa: E402

HTTP_THREADS = int(os.environ.get("HTTP_THREADS", "4"))

sockets = URLRouter([path("ws/", live.LiveConsumer.as_asgi())])


async def noted(scope: Any, receive: Any, send: Any) -> None:
    """A socket knows, as a request does, whether its session gave a second factor (`hub.spaces.access.allowed`)."""
    if isinstance(scope["user"], Member):
        factors.note(scope["user"], scope["session"])
    await sockets(scope, receive, send)


router = ProtocolTypeRouter(
    {
        "http": WSGIMiddleware(cast(Any, http_application), workers=HTTP_THREADS),
        "websocket": AuthMiddlewareStack(noted),
    }
)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """HTTP and sockets of one process; live messages from request threads go to this loop."""
    if scope["type"] == "websocket":
        live.use_loop(asyncio.get_running_loop())
    await router(scope, receive, send)
