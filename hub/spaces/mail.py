"""What people are told about their roles and their sign-in. The words of the notices' topics "role" and "factors"."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from hub.core import clock, links
from hub.members.models import Member
from hub.notices import services as notices
from hub.notices.topics import Example, Message
from hub.spaces import made_up
from hub.spaces.enums import MembershipStatus, Role
from hub.spaces.models import Hub, Membership

ROLE, FACTORS = "role", "factors"


def hub_name(hub: Hub, language: str) -> str:
    """The hub's name in ``language``; the Japanese one where no other was given."""
    return (hub.name_en or hub.name) if language.startswith("en") else hub.name


def tell_role(row: Membership) -> None:
    """Tell a member of her new role. Inside the caller's transaction."""
    data = {"member": row.member.code, "hub": row.hub.slug, "role": str(row.role)}
    event = f"role/{row.hub.slug}/{row.role}/{row.since.isoformat()}"
    notices.tell(row.member, ROLE, event=event, data=data)


def tell_factors_reset(member: Member, *, hub: Hub, by: Member) -> None:
    """Tell a member at once, also at night, that ``by`` took her second factors away. Inside the caller's transaction."""
    moment = clock.machine_now().isoformat()
    data = {"member": member.code, "hub": hub.slug, "by": by.code, "at": moment}
    notices.tell(member, FACTORS, event=f"factors/{moment}", data=data, urgent=True)


def compose_role(data: dict[str, Any]) -> Message | None:
    """None when the role has ended since."""
    row = (
        Membership.objects.select_related("member", "hub")
        .filter(
            member__code=data["member"],
            hub__slug=data["hub"],
            role=data["role"],
            status=MembershipStatus.ACTIVE,
        )
        .first()
    )
    return None if row is None else _role_words(row.member, row.hub, row.role)


def _role_words(member: Member, hub: Hub, role: str) -> Message:
    language = translation.get_language() or "ja"
    place, label = hub_name(hub, language), Role(role).label
    text = _("%(name)sさん\n\n%(hub)sで「%(role)s」の 役わりが つきました。\n%(url)s\n") % {
        "name": member.name, "hub": place, "role": label, "url": links.absolute("today", language=language),
    }  # fmt: skip
    line = _("%(hub)s・%(role)s") % {"hub": place, "role": label}
    return Message(title=_("役わりが つきました"), text=line, path=reverse("today"), body=text)


def compose_factors(data: dict[str, Any]) -> Message | None:
    """By whom and when, whatever has happened since: this one is a warning too."""
    member, by = (Member.objects.filter(code=data[who]).first() for who in ("member", "by"))
    hub = Hub.objects.filter(slug=data["hub"]).first()
    if member is None or hub is None:
        return None
    return _factors_words(member, hub, str(by or "-"), datetime.fromisoformat(data["at"]))


def _factors_words(member: Member, hub: Hub, by: str, at: datetime) -> Message:
    language = translation.get_language() or "ja"
    place, moment = hub_name(hub, language), f"{at.astimezone(hub.tz):%Y-%m-%d %H:%M}"
    text = _(
        "%(name)sさん\n\n%(hub)sの %(by)sさんが、あなたの パスキーと 認証アプリと 予備の 番号を 消しました（%(at)s）。\n"
        "つぎは メールの 番号で 入って、新しい かぎを 決めてください。\n%(url)s\n\n"
        "たのんだ おぼえが ないときは、すぐに ハブに 電話してください。電話 %(phone)s\n"
    ) % {
        "name": member.name, "hub": place, "by": by, "at": moment, "phone": hub.phone,
        "url": links.absolute("account_login", language=language),
    }  # fmt: skip
    line = _("%(hub)sの 人が かぎを 消しました（%(at)s）。おぼえが ないときは 電話 %(phone)s") % {
        "hub": place, "at": moment, "phone": hub.phone,
    }  # fmt: skip
    return Message(title=_("入りかたを やり直してください"), text=line, path=reverse("mfa_index"), body=text)


def examples_role() -> list[Example]:
    """A role that was given."""
    return [Example(_("役わりが ついた"), _role_words(made_up.member(), made_up.hub(), Role.DOOR))]


def examples_factors() -> list[Example]:
    """Keys that a manager took away."""
    message = _factors_words(made_up.member(), made_up.hub(), _("見本 けいこ"), clock.now())
    return [Example(_("かぎを 消した"), message)]
