"""Browsers that take a member's notices: added, renewed, removed, and what is sent to all of them."""

import base64
import binascii
import re

import structlog
from cryptography.hazmat.primitives.asymmetric import ec
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.notices import push, vapid
from hub.notices.models import Notice, PushSubscription
from hub.notices.topics import Message

log = structlog.get_logger(__name__)
MOST = 10  # browsers of one member; the oldest makes way
_SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "Mac"),
            ("Linux", "Linux"))  # fmt: skip
_BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("Chrome", "Chrome"), ("CriOS", "Chrome"),
             ("Safari", "Safari"))  # fmt: skip


def device_name(user_agent: str) -> str:
    """「Android Chrome」: enough to tell one's own devices apart. Empty when the browser does not say."""
    found = [
        next((word for mark, word in names if re.search(rf"\b{mark}", user_agent)), "")
        for names in (_SYSTEMS, _BROWSERS)
    ]
    return " ".join(word for word in found if word)


def devices_of(member: Member) -> QuerySet[PushSubscription]:
    """Browsers on which ``member`` hears, the newest first."""
    return PushSubscription.objects.filter(member=member, removed_at=None).order_by("-created_at", "-pk")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return b""


def _fits(p256dh: str, auth: str) -> bool:
    """Whether these are keys that something can be sealed with (RFC 8291): a point of P-256 and 16 bytes."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(p256dh))
    except ValueError:
        return False
    return len(_bytes(p256dh)) == 65 and len(_bytes(auth)) == 16


def subscribe(
    member: Member,
    *,
    endpoint: str,
    p256dh: str,
    auth: str,
    key: str,
    renews: bool = False,
    user_agent: str = "",
) -> PushSubscription:
    """This browser takes ``member``'s notices from now on, and nobody else's.

    ``key`` is the public key of ours with which it subscribed. ``renews``: it says again, by itself, what it said
    before. Raises `DomainError` ``endpoint_refused`` (422) for what is no browser's push service; ``anew`` (409) when
    it has to subscribe anew with `vapid.public_key`; ``removed`` (410) when she switched it off elsewhere.
    """
    try:
        push.checked(endpoint)
    except push.Refused:
        endpoint = ""
    if not endpoint or len(endpoint) > 500 or not _fits(p256dh, auth):
        raise DomainError("endpoint_refused", _("この ブラウザでは 受け取れません。"), 422)
    if key != vapid.public_key():
        raise _anew()
    device = device_name(user_agent) or str(_("名前の ない 端末"))

    def work() -> PushSubscription:
        known = PushSubscription.objects.filter(endpoint=endpoint, member=member).first()
        if renews and known is None:  # its push service had given it up
            raise _anew()
        if renews and known is not None and known.removed_at is not None:
            raise DomainError("removed", _("この端末では 受け取りません。"), 410)
        values = {
            "member": member, "p256dh": p256dh, "auth": auth, "server_key": key, "device": device, "removed_at": None,
        }  # fmt: skip
        row, _made = PushSubscription.objects.update_or_create(endpoint=endpoint, defaults=values)
        extra = devices_of(member).values_list("pk", flat=True)[MOST:]
        PushSubscription.objects.filter(pk__in=list(extra)).delete()
        return row

    return run_write(work)


def _anew() -> DomainError:
    return DomainError("anew", _("もう一度 おしてください。"), 409)


def switch_off(member: Member, code: str) -> bool:
    """Send no more to this browser until she switches it on there. False if ``member`` has none of this code."""
    rows = PushSubscription.objects.filter(member=member, code=code, removed_at=None)
    return run_write(lambda: rows.update(removed_at=clock.now())) == 1


def leave(member: Member, endpoint: str) -> None:
    """The browser itself says that it takes no more."""
    run_write(PushSubscription.objects.filter(member=member, endpoint=endpoint).delete)


def carry(notice: Notice, message: Message) -> bool:
    """Push to every browser of the member; those that are gone are forgotten. False when none is left.

    Raises `push.NotTaken` when one of them has to be tried again: the others then get it twice, and show it once.
    """
    current, failed, reached = vapid.public_key(), "", False
    for device in devices_of(notice.member):
        rows = PushSubscription.objects.filter(pk=device.pk)
        try:
            gone = device.server_key != current or push.send(device, notice, message).is_gone
        except push.Refused:
            gone = True
        except push.NotTaken as failure:
            failed = failed or str(failure)
            continue
        if gone:
            log.info("push_device_gone", device=device.code)
            run_write(rows.delete)
            continue
        reached = True
        run_write(lambda rows=rows: rows.update(last_ok_at=clock.now()))  # type: ignore[misc]  # bound now
    if failed:
        raise push.NotTaken(failed)
    return reached
