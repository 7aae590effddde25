"""Somebody without an account comes in: the name as it is told at the door, and no visit behind it."""

from django.utils.translation import gettext_lazy as _

from hub.checkin import presences
from hub.checkin.enums import PresenceEnd, PresenceKind
from hub.checkin.models import Presence
from hub.core import clock, idempotency
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.forms import nfkc
from hub.members.models import Member
from hub.spaces.access import Action, allowed
from hub.spaces.models import Hub

MAX_NAME = 60


def _check_right(actor: Member, hub: Hub) -> None:
    if not allowed(actor, Action.SCAN, hub):
        raise DomainError("not_allowed", _("入口の 仕事が できる人だけです。"), 403)


def enter_visitor(*, actor: Member, hub: Hub, name: str, key: str | None = None) -> Presence:
    """A visitor is inside from now on; with ``key`` a double tap lets her in once.

    Raises `DomainError` ``not_allowed`` (403), ``name_missing`` (422), ``key_reused`` (422).
    """
    _check_right(actor, hub)
    called = nfkc(name.replace("\0", ""))[:MAX_NAME]
    if not called:
        raise DomainError("name_missing", _("お客さんの 名前を 入れてください"), 422, field="name")

    def work() -> Presence:
        if key is not None:
            body = [hub.slug, called]
            stored = idempotency.claim(actor.pk, key, idempotency.fingerprint("visitor", body))
            if stored is not None:
                return Presence.objects.get(code=stored["presence"])
        presence = Presence.objects.create(
            hub=hub, visitor_name=called, kind=PresenceKind.VISITOR, entered_at=clock.now(), entered_by=actor
        )
        if key is not None:
            idempotency.store(actor.pk, key, {"presence": presence.code})
        presences.tell(hub, None)
        return presence

    return run_write(work)


def leave_visitor(*, actor: Member, hub: Hub, code: str) -> Presence:
    """The visitor of this presence has gone; again is harmless. Raises `DomainError` ``presence_unknown`` (404)."""
    _check_right(actor, hub)

    def work() -> Presence:
        rows = Presence.objects.select_for_update(of=("self",), no_key=True).select_related("hub")
        presence = rows.filter(hub=hub, kind=PresenceKind.VISITOR, code=code).first()
        if presence is None:
            raise DomainError("presence_unknown", _("その人は 見つかりません。"), 404)
        if presence.left_at is None:
            presences.close(presence, clock.now(), PresenceEnd.OUT, actor)
        return presence

    return run_write(work)
