"""Web Push (RFC 8030, 8291, 8292): one sealed message to one browser, and nowhere else.

An endpoint is an address that a browser handed us, so it could be any address. It must be https at one of the vendors'
push services, when it is saved and again when it is used; the name is looked up once, must be public, and the
connection goes to exactly the address that was looked at; redirects are never followed (security.md T30).
"""

import http.client
import ipaddress
import json
import re
import socket
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from pywebpush import WebPusher

from hub.core import clock
from hub.notices import quiet, vapid
from hub.notices.models import Notice, PushSubscription
from hub.notices.topics import Message

#: The push services of Chrome, Firefox, Safari and Edge; a leading dot stands for every name below it.
HOSTS = (
    "fcm.googleapis.com", "android.googleapis.com", "updates.push.services.mozilla.com", ".push.apple.com",
    ".notify.windows.com",
)  # fmt: skip
TIMEOUT = 5.0  # seconds, for each step of the exchange
MOST = 3000  # bytes of a message before it is sealed; services take 4096 sealed
DECLARATIVE = 8030  # the number by which browsers know a message that they can show by themselves
GONE = (404, 410)
_HOST, _PLAIN = re.compile(r"[a-z0-9.-]+"), re.compile(r"[!-~]+")


class Refused(Exception):
    """This endpoint is none that we send to."""


class NotTaken(Exception):
    """The push service did not take the message; it is tried again. Its text says who and why."""


# ---------------------------------------------------------------- where to


def checked(endpoint: str) -> SplitResult:
    """The parts of an endpoint that we may send to. Raises `Refused` for every other address."""
    try:
        parts = urlsplit(endpoint if _PLAIN.fullmatch(endpoint) else "")
        port = parts.port
    except ValueError:
        raise Refused(endpoint) from None
    if f"{parts.scheme}://{parts.netloc}" in settings.PUSH_TEST_ORIGINS:
        return parts
    host = parts.hostname or ""
    known = any(host == name or (name.startswith(".") and host.endswith(name)) for name in HOSTS)
    plain = parts.netloc in (host, f"{host}:443") and port in (
        None,
        443,
    )  # no name or password before the host
    if parts.scheme != "https" or not known or not plain or not _HOST.fullmatch(host) or parts.fragment:
        raise Refused(endpoint)
    return parts


def _public_address(host: str) -> str:
    """An address of ``host``, if all of them are public. Raises `NotTaken`: a name may point into our own network."""
    found = [str(row[4][0]) for row in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]
    if not found or not all(ipaddress.ip_address(address).is_global for address in found):
        raise NotTaken(f"{host} has an address that is not public")
    return found[0]


class _Pinned(http.client.HTTPSConnection):
    """Speaks TLS with the name, but connects to the address that was looked at."""

    def __init__(self, host: str, address: str) -> None:
        self._tls = ssl.create_default_context()
        super().__init__(host, 443, timeout=TIMEOUT, context=self._tls)
        self._address = address

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if f"{parts.scheme}://{parts.netloc}" in settings.PUSH_TEST_ORIGINS:
        return http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT)
    return _Pinned(host, _public_address(host))


# ---------------------------------------------------------------- what


def payload(notice: Notice, message: Message) -> bytes:
    """The declarative format: Safari shows it by itself, our service worker reads the same fields (ux.md 10)."""
    notification = {
        "title": message.title[:80],
        "body": message.text[:240],
        "navigate": f"{settings.SITE_URL.rstrip('/')}{message.path or '/me/notices/'}",
        "lang": notice.language,
        "dir": "ltr",
        "tag": notice.code,
    }
    body = json.dumps({"web_push": DECLARATIVE, "notification": notification}, ensure_ascii=False)
    return body.encode()


def headers(notice: Notice, origin: str) -> dict[str, str]:
    """How it travels: what was sent twice replaces itself (Topic), and nothing rings after the evening (TTL)."""
    now = clock.now()
    seconds = 24 * 3600 if notice.is_urgent else int((quiet.next_begin(now) - now).total_seconds())
    return {
        "Authorization": vapid.authorization(origin),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(seconds),
        "Topic": notice.code,
        "Urgency": "high" if notice.is_urgent else "normal",
    }


# ---------------------------------------------------------------- sending


@dataclass(frozen=True)
class Answer:
    """What a push service said: it has the message, or that browser is gone for good."""

    is_gone: bool


def send(subscription: PushSubscription, notice: Notice, message: Message) -> Answer:
    """Hand one message to one push service. Raises `Refused` or `NotTaken`."""
    parts = checked(subscription.endpoint)
    keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
    sealed = WebPusher({"endpoint": subscription.endpoint, "keys": keys}).encode(payload(notice, message))
    status = _post(parts, bytes(sealed["body"]), headers(notice, f"{parts.scheme}://{parts.netloc}"))
    if status in GONE:
        return Answer(is_gone=True)
    if not 200 <= status < 300:
        raise NotTaken(f"{parts.hostname} {status}")
    return Answer(is_gone=False)


def _post(parts: SplitResult, body: bytes, head: dict[str, str]) -> int:
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        connection: Any = _connection(parts)
        try:
            connection.request("POST", path, body, head)
            return int(connection.getresponse().status)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as failure:
        raise NotTaken(f"{parts.hostname} {type(failure).__name__}") from failure
