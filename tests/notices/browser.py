"""A browser and its push service, for tests: keys of its own, and decryption written from RFC 8188 and 8291 alone."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Browser:
    """What `PushManager.subscribe` makes: a key pair and a shared secret."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.public = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.secret = b"0123456789abcdef"

    def keys(self) -> dict[str, str]:
        return {"p256dh": text(self.public), "auth": text(self.secret)}

    def read(self, body: bytes) -> Any:
        """The JSON in a sealed body (RFC 8291 section 3.4; one record, RFC 8188 section 2)."""
        salt, length = body[:16], body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        shared = self.private.exchange(ec.ECDH(), public)
        material = HKDF(SHA256(), 32, self.secret, b"WebPush: info\0" + self.public + sender).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(material)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(material)
        plain = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\0")
        assert plain[-1:] == b"\x02"  # the last record
        return json.loads(plain[:-1])


def claims_of(authorization: str, key: str) -> Any:
    """The claims of a VAPID header whose signature by ``key`` is good (RFC 8292)."""
    scheme, _, rest = authorization.partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert (scheme, parts["k"]) == ("vapid", key)
    head, body, signature = parts["t"].split(".")
    assert json.loads(raw(head))["alg"] == "ES256"
    bits = raw(signature)
    der = utils.encode_dss_signature(int.from_bytes(bits[:32], "big"), int.from_bytes(bits[32:], "big"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw(key))
    public.verify(der, f"{head}.{body}".encode(), ec.ECDSA(SHA256()))
    return json.loads(raw(body))


@dataclass
class Service:
    """What arrived, and what is answered: the next of ``answers``, or 201. 0 is no answer at all."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    location: str = ""


@contextmanager
def service() -> Iterator[Service]:
    """A push service on this machine."""
    said = Service()
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            said.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status = said.answers.pop(0) if said.answers else 201
            if not status:
                over.wait(10)
                return
            self.send_response(status)
            if said.location:
                self.send_header("Location", said.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    said.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield said
    finally:
        over.set()
        server.shutdown()
        thread.join()
        time.sleep(0.01)
        server.server_close()
