"""Steps with second factors that several test files share."""

import base64
import hmac
import json
import re
import struct
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core import mail
from django.test import Client

from hub.core import clock
from hub.members.models import Member
from tests.members.soft_key import SoftKey

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_of(secret: str = SECRET, *, later: float = 0) -> str:
    """RFC 6238 with SHA-1, six digits and 30 seconds: what an app shows ``later`` seconds from now."""
    step = int(clock.machine_now().timestamp() + later) // 30
    digest = hmac.digest(base64.b32decode(secret.replace(" ", "")), struct.pack(">Q", step), "sha1")
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def give_app(member: Member) -> Authenticator:
    """An app that shows the codes of `SECRET`, with spare codes."""
    app = TOTP.activate(member, SECRET).instance
    RecoveryCodes.activate(member)
    return app


def spare_codes_of(member: Member) -> list[str]:
    return list(Authenticator.objects.get(user=member, type="recovery_codes").wrap().get_unused_codes())


def options_in(page: str) -> Any:
    """The JSON block that passkey.js reads."""
    found = re.search(r'<script id="passkey-options" type="application/json">(.*?)</script>', page, re.S)
    assert found is not None
    data = json.loads(found[1])
    return data.get("creation_options") or data["request_options"]


def add_passkey(client: Client, key: SoftKey | None = None, *, name: str = "") -> Any:
    """Make a passkey on the page; returns the key and the answer."""
    key = key or SoftKey()
    options = options_in(client.get("/accounts/2fa/passkeys/add/").content.decode())
    answer = client.post("/accounts/2fa/passkeys/add/", {"credential": key.create(options), "name": name})
    return key, answer


def sign_in_by_passkey(client: Client, key: SoftKey, *, wanted: str = "", **other: str) -> Any:
    options = client.get("/accounts/2fa/passkeys/sign-in/", headers={"Accept": "application/json"}).json()
    data = {"credential": key.get(options["request_options"], **other)}
    return client.post("/accounts/2fa/passkeys/sign-in/", data | ({"next": wanted} if wanted else {}))


def sign_in_by_mail(client: Client, member: Member, *, wanted: str = "") -> Any:
    """Address, six digits from the mail; returns the answer to the digits."""
    EmailAddress.objects.get_or_create(
        user=member, email=str(member.email), defaults={"verified": True, "primary": True}
    )
    more = {"next": wanted} if wanted else {}
    client.post("/accounts/login/code/", {"email": str(member.email), **more})
    found = re.search(r"^\s*(\d{6})\s*$", str(mail.outbox[-1].body), re.M)
    assert found is not None
    return client.post("/accounts/login/code/confirm/", {"code": found[1], **more})
