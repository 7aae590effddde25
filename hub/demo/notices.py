"""What Misaki was told before the demo begins: rows of her list alone, so that no mail of it waits in the inbox."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import translation

from hub.booking import mail as visit_words
from hub.childcare import mail as child_words
from hub.childcare.models import Child
from hub.core.db import require_transaction
from hub.members.models import Member
from hub.notices import topics
from hub.notices.models import Notice
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Visit


def list_of(member: Member, now: datetime) -> int:
    """Her children's papers (read long ago) and her next two bookings, the newest one unread. 0 when done before."""
    require_transaction()
    if Notice.objects.filter(member=member).exists():
        return 0
    made = 0
    children = Child.objects.filter(household__guardians__member=member, decided_at__isnull=False)
    for child in children.order_by("pk"):
        assert child.decided_at is not None
        moment = child.decided_at.isoformat()
        data = {"child": child.code, "decided": moment, "member": member.code}
        event = f"child/{child.code}/{moment}"
        made += _row(member, child_words.TOPIC, event, data, child.decided_at, read=True)
    visits = Visit.objects.filter(member=member, status=VisitStatus.BOOKED, ends_at__gt=now)
    for n, visit in enumerate(visits.order_by("starts_at")[:2]):
        said = {"visit": visit.code, "kind": "booked", "sequence": visit.sequence}
        event = f"visit/{visit.code}/{visit.sequence}"
        made += _row(member, visit_words.TOPIC, event, said, now - timedelta(days=2 - n), read=n == 0)
    return made


def _row(
    member: Member, topic: str, event: str, data: dict[str, Any], moment: datetime, *, read: bool
) -> int:
    known = topics.topic(topic)
    with translation.override(member.language):
        message = known.compose(data)
    if message is None:
        return 0
    Notice.objects.create(
        member=member, kind=known.kind, topic=topic, event=event, data=data, language=member.language,
        title=message.title, text=message.text, path=message.path, created_at=moment,
        read_at=moment if read else None,
    )  # fmt: skip
    return 1
