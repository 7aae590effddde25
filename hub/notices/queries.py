"""Reads: a member's notices, what is new of them, and how she wants to be told."""

from dataclasses import dataclass

from django.db.models import Count, QuerySet, Window

from hub.members.models import Member
from hub.notices.enums import RINGING, Kind
from hub.notices.models import Choice, Notice


@dataclass(frozen=True)
class Wish:
    """By which couriers one kind of notice shall come. The list in the app holds it in any case."""

    by_mail: bool
    by_push: bool


def notices_of(member: Member) -> QuerySet[Notice]:
    """Everything that ``member`` was told, the newest first."""
    return Notice.objects.filter(member=member).order_by("-created_at", "-pk")


def newest_unread(member: Member, most: int) -> tuple[list[Notice], int]:
    """The newest ``most`` notices that she has not seen, and how many there are of those in all; one query."""
    rows = notices_of(member).filter(read_at=None).annotate(unread=Window(Count("pk")))
    found = list(rows[:most])
    return [*found], found[0].unread if found else 0


def choice_of(member: Member, kind: Kind) -> Wish:
    """What she chose for ``kind``, or what goes for somebody who chose nothing."""
    row = Choice.objects.filter(member=member, kind=kind).first()
    return Wish(row.by_mail, row.by_push) if row else Wish(True, kind in RINGING)


def choices_of(member: Member, kinds: list[Kind]) -> dict[Kind, Wish]:
    """`choice_of` for several kinds, in their order and in one query."""
    rows = {row.kind: Wish(row.by_mail, row.by_push) for row in Choice.objects.filter(member=member)}
    return {kind: rows.get(kind, Wish(True, kind in RINGING)) for kind in kinds}
