"""HTTP through a fixed pool of threads (2 to 3 times Django's own ASGI handler), WebSockets through Channels."""

import asyncio
import io
import os
from collections.abc import Iterable
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

SMALL = 64 * 1024  # bytes: a body up to this is read before a thread is asked for
BODY = "hidamari.body"


def with_body(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The site, with the body that `application` has read; without it every read is a hop to the loop and back."""
    body = environ["asgi.scope"].get(BODY)
    if body is not None:
        environ["wsgi.input"] = io.BytesIO(body)
    return cast(Iterable[bytes], http_application(environ, start_response))


router = ProtocolTypeRouter(
    {
        "http": WSGIMiddleware(cast(Any, with_body), workers=HTTP_THREADS),
        # The consumer reads session and member itself, each time anew.
        "websocket": CookieMiddleware(URLRouter([path("ws/", sockets.LiveConsumer.as_asgi())])),
    }
)


async def small_body(scope: Any, receive: Any) -> bytes | None:
    """A body that says it is small, whole; None: there is none, it is long, or whoever sent it has gone.

    It is read here, so that a slow line keeps no thread waiting.
    """
    length = dict(scope.get("headers", ())).get(b"content-length", b"")
    if not length.isdigit() or not 0 < int(length) <= SMALL:
        return None
    body: bytes = b""
    while True:
        message: dict[str, Any] = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def application(scope: Any, receive: Any, send: Any) -> None:
    """HTTP and sockets of one process; live messages from request threads go to this loop."""
    live.use_loop(asyncio.get_running_loop())
    if scope["type"] != "http":
        await router(scope, receive, send)
        return
    body = await small_body(scope, receive)
    with live.after_the_answer():
        await router(scope if body is None else {**scope, BODY: body}, receive, send)
