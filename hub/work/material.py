"""What stands in a unit. It is sealed in the database and opened by `open_unit` alone.

The gate of confidential work (I8: terminal, network, presence, signature, log) goes in here and nowhere else. Until it
stands, confidential material opens for nobody.
"""

import json
from dataclasses import dataclass
from typing import Any

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from hub.core.errors import DomainError
from hub.spaces.access import Action, allowed
from hub.work import leases
from hub.work.models import Order, Unit


@dataclass(frozen=True)
class Material:
    """The client's own number of the unit, the work itself, and what helps with it."""

    reference: str
    content: str
    note: str


def pack(material: Material) -> str:
    """As `Unit.content` keeps it."""
    return json.dumps([material.reference, material.content, material.note], ensure_ascii=False)


def reference_key(order: Order, reference: str) -> str | None:
    """A keyed digest of the client's number of a unit, the same within ``order`` only; None without a number."""
    if not reference:
        return None
    return salted_hmac(f"work.reference.{order.code}", reference, algorithm="sha256").hexdigest()[:32]


def has_taken(actor: Any, unit: Unit) -> bool:
    """Whether ``unit`` is in the hands of ``actor``, who said yes to it (an offer alone opens nothing)."""
    return leases.held_by(actor.pk).filter(unit=unit).exists()


def open_unit(*, actor: Any, unit: Unit) -> Material:
    """The material of ``unit`` for ``actor``, who directs work at its hub or has taken it and holds its lease.

    Raises `DomainError` ``unknown_unit`` (404) for everybody else, and ``gate_closed`` (403) for confidential work.
    """
    order = unit.order
    if not (has_taken(actor, unit) or allowed(actor, Action.DIRECT_WORK, order.hub)):
        raise DomainError("unknown_unit", _("この しごとは 見つかりません。"), 404)
    if order.is_confidential:
        raise DomainError(
            "gate_closed", _("機密の しごとです。ここでは 開けません。へやの 端末だけで 開きます。"), 403
        )
    return Material(*json.loads(unit.content))
