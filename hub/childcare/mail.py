"""What guardians are told about a child's papers. The words of the notices' topic "child": no word of health."""

from datetime import date
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from hub.childcare.enums import ChildStatus
from hub.childcare.models import Child
from hub.core import links
from hub.core.db import run_write
from hub.members.models import Guardian, Member
from hub.notices import services as notices
from hub.notices.topics import Example, Message
from hub.spaces import made_up

TOPIC = "child"
DECIDED = (ChildStatus.APPROVED, ChildStatus.RETURNED)


def tell_decided(child: str) -> None:
    """Subscriber of ``child_decided``: every guardian is told, in her language. Nothing if it is open again."""

    def work() -> None:
        row = Child.objects.filter(code=child, status__in=DECIDED).first()
        if row is None or row.decided_at is None:
            return
        moment = row.decided_at.isoformat()
        people = Member.objects.filter(guardianships__household=row.household_id, is_active=True)
        for person in people.order_by("pk"):
            data = {"child": child, "decided": moment, "member": person.code}
            notices.tell(person, TOPIC, event=f"child/{child}/{moment}", data=data)

    run_write(work)


def compose(data: dict[str, Any]) -> Message | None:
    """The words in the active language; None when it was decided anew, is open again, or she left the household."""
    row = Child.objects.select_related("hub").filter(code=data["child"], status__in=DECIDED).first()
    guardians = Guardian.objects.filter(member__code=data["member"]).select_related("member")
    guardian = guardians.filter(household=row.household_id).first() if row else None
    if (
        row is None
        or guardian is None
        or row.decided_at is None
        or row.decided_at.isoformat() != data["decided"]
    ):
        return None
    return _words(row, guardian.member)


def _words(child: Child, member: Member) -> Message:
    language = translation.get_language() or "ja"
    hub = child.hub
    approved = child.status == ChildStatus.APPROVED
    hub_name = (hub.name_en or hub.name) if language.startswith("en") else hub.name
    name = {"name": child.name}
    context = {
        "child": child,
        "hub_name": hub_name,
        "hub_phone": hub.phone,
        "approved": approved,
        "member": member,
        "url": links.absolute("child_edit", child.code, language=language),
        "book_url": links.absolute("book", language=language),
        "product_name": settings.PRODUCT_NAME,
    }
    return Message(
        title=(
            _("%(name)sさんを 預けられます")
            if approved
            else _("%(name)sさんの 登録に なおす ところが あります")
        )
        % name,
        text=_("%(hub)sが 登録を 確認しました。") % {"hub": hub_name}
        if approved
        else _("わけは ページに あります。なおして もう一度 出してください。"),
        path=reverse("book") if approved else reverse("child_edit", args=[child.code]),
        body=render_to_string("childcare/mail_child_decided.txt", context),
    )


def examples() -> list[Example]:
    """Approved, and sent back."""
    hub = made_up.hub()
    cases = ((ChildStatus.APPROVED, _("登録を 確認した")), (ChildStatus.RETURNED, _("登録を もどした")))
    return [
        Example(
            case,
            _words(
                Child(code="EXAMPLE000", hub=hub, name=_("もみじ"), birthday=date(2024, 5, 3), status=status),
                made_up.member(),
            ),
        )
        for status, case in cases
    ]
