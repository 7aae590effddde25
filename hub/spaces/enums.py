from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a person may do at one hub (design 1). A person can hold several."""

    WORKER = "worker", _("使う人")
    DOOR = "door", _("入口")
    CARER = "carer", _("保育者")
    COMMUNITY = "community", _("世話人")
    DIRECTOR = "director", _("しごと配り")
    MANAGER = "manager", _("ハブ責任者")
    OFFICER = "officer", _("町の担当")


#: Roles that are given by a hub's manager; `worker` comes with signing up.
STAFF_ROLES = (Role.DOOR, Role.CARER, Role.COMMUNITY, Role.DIRECTOR, Role.MANAGER, Role.OFFICER)


class MembershipStatus(models.TextChoices):
    ACTIVE = "active", _("使えます")
    BLOCKED = "blocked", _("止めています")
    ENDED = "ended", _("終わりました")


class ZoneKind(models.TextChoices):
    QUIET = "quiet", _("しずかな席")
    TALK = "talk", _("話せる席")
    PRIVATE = "private", _("個室")
    ONSITE = "onsite", _("ここだけの しごとの へや")
    NEAR_CHILDREN = "near_children", _("こどものへやの そば")


class Cause(models.TextChoices):
    """Why something is closed (RULE-32, RULE-20). What an infection is called never leaves the page in a message."""

    WEATHER = "weather", _("台風・警報")
    SAFETY = "safety", _("地震・避難")
    INFECTION = "infection", _("感染症")
    OTHER = "other", _("そのほか")


class VisitStatus(models.TextChoices):
    """Each state of a visit (design 5)."""

    BOOKED = "booked", _("予約ずみ")
    OFFERED = "offered", _("返事を 待っています")
    IN = "in", _("中にいます")
    DONE = "done", _("終わりました")
    CANCELLED = "cancelled", _("やめました")
    CANCELLED_BY_HUB = "cancelled_by_hub", _("ハブの 都合で 中止")
    NO_SHOW = "no_show", _("来ませんでした")
    RELEASED = "released", _("席を 空けました")


#: States in which a visit holds its claims.
LIVE_STATUSES = (VisitStatus.BOOKED, VisitStatus.OFFERED, VisitStatus.IN)


class VisitSource(models.TextChoices):
    SELF = "self", _("本人")
    STAFF = "staff", _("スタッフが 代わりに")
    WALK_IN = "walk_in", _("予約なしで 来た人")
