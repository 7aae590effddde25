"""A passkey without a browser: what a phone answers to the options of a page (WebAuthn Level 2, 6.5 and 7)."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class SoftKey:
    """One key of one phone. ``verified``: whether the phone asked for face, finger or PIN."""

    host: str = "testserver"
    origin: str = "https://testserver"
    verified: bool = True
    handle: bytes = b""
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def create(self, options: Any) -> str:
        """The answer to ``navigator.credentials.create``, as the page posts it."""
        wish = options["publicKey"]
        self.handle = wish["user"]["id"].encode()
        cose = cbor.encode(dict(ES256.from_cryptography_key(self.private.public_key())))
        data = self._data(ATTESTED) + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cose
        response = {
            "clientDataJSON": websafe_encode(self._client("webauthn.create", wish["challenge"])),
            "attestationObject": websafe_encode(
                cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
            ),
        }
        return self._answer(response, {"credProps": {"rk": True}})

    def get(self, options: Any, **other: str) -> str:
        """The answer to ``navigator.credentials.get``; ``other`` replaces parts of it."""
        client = self._client("webauthn.get", options["publicKey"]["challenge"])
        data = self._data(0)
        signature = self.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": websafe_encode(client),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(signature),
            "userHandle": self.handle.decode(),
            **other,
        }
        return self._answer(response, {})

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _data(self, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verified else 0)
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + bytes(4)

    def _answer(self, response: dict[str, Any], extensions: dict[str, Any]) -> str:
        name = websafe_encode(self.id)
        return json.dumps(
            {
                "id": name,
                "rawId": name,
                "type": "public-key",
                "response": response,
                "clientExtensionResults": extensions,
            }
        )
