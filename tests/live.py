"""A page's end of the socket, without a browser. (channels.testing's own needs daphne, which we do not use.)"""

import json
from typing import Any

from asgiref.testing import ApplicationCommunicator
from django.conf import settings

from hub.asgi import router

HOST = b"hub.example"
OURS = ((b"host", HOST), (b"origin", b"https://" + HOST))


class Page(ApplicationCommunicator):
    """``Page(session key)`` is a page of that session; other ``headers`` for a page of somebody else's."""

    def __init__(self, key: str | None = None, headers: Any = OURS) -> None:
        cookie = f"{settings.SESSION_COOKIE_NAME}={key}".encode()
        scope = {
            "type": "websocket",
            "path": "/ws/",
            "headers": [*headers, *([(b"cookie", cookie)] if key else [])],
        }
        super().__init__(router, scope)

    async def knock(self) -> tuple[str, int | None]:
        """Connect; the first answer: ``("accept", None)`` or ``("close", code)``."""
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(timeout=5)
        return answer["type"].removeprefix("websocket."), answer.get("code")

    async def enter(self) -> "Page":
        """Connect as somebody who is signed in."""
        assert await self.knock() == ("accept", None)
        assert await self.hear() == {"kind": "hello"}
        return self

    async def join(self, *groups: str) -> list[str]:
        """Ask for groups; returns those that let the page in. The last must: its answer tells that all are through."""
        for group in groups:
            await self.send_json({"join": group})
        joined: list[str] = []
        while groups[-1] not in joined:
            message = await self.hear(timeout=5)
            assert message["kind"] == "joined", message
            joined.append(message["group"])
        return joined

    async def send_text(self, text: str | None, data: bytes | None = None) -> None:
        await self.send_input({"type": "websocket.receive", "text": text, "bytes": data})

    async def send_json(self, content: Any) -> None:
        await self.send_text(json.dumps(content))

    async def hear(self, timeout: float = 2) -> Any:  # noqa: ASYNC109  a deadline of the test
        """The next message as a dict; ``{"closed": code}`` when the socket was closed instead."""
        answer = await self.receive_output(timeout=timeout)
        return (
            {"closed": answer["code"]} if answer["type"] == "websocket.close" else json.loads(answer["text"])
        )

    async def leave(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=5)
