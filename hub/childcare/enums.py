from django.db import models
from django.utils.translation import gettext_lazy as _


class Scheme(models.TextChoices):
    """Under which rules a care room runs (domain.md A1)."""

    CORPORATE_LED = "corporate_led", _("企業主導型")
    UNLICENSED = "unlicensed", _("認可外")
    LICENSED = "licensed", _("認可")
    SMALL_A = "small_a", _("小規模A型")
    SMALL_B = "small_b", _("小規模B型")
    TEMPORARY = "temporary", _("一時預かり")


class RatioTable(models.TextChoices):
    """Which table of ratios the operator keeps: the stricter one is the default (domain.md A1.1)."""

    CURRENT = "current", _("3・6・6・15・25（きびしい ほう）")
    FORMER = "former", _("3・6・6・20・30（わけを 書いて えらぶ）")


class AgeBasis(models.TextChoices):
    FISCAL = "fiscal", _("4月1日の 年れい")
    ACTUAL = "actual", _("その日の 年れい")


class Qualification(models.TextChoices):
    NURSERY_TEACHER = "nursery_teacher", _("保育士")
    NURSE = "nurse", _("看護師")
    SUPPORTER = "supporter", _("子育て支援員")
    OTHER = "other", _("そのほか")


#: Who counts for the qualified share. A nurse may stand in for one nursery teacher; see `roster.qualified_of`.
QUALIFIED = (Qualification.NURSERY_TEACHER,)


class ChildStatus(models.TextChoices):
    DRAFT = "draft", _("とちゅう")
    PENDING = "pending", _("確認を 待っています")
    APPROVED = "approved", _("預けられます")
    RETURNED = "returned", _("なおす ところが あります")
    ENDED = "ended", _("おわりました")


class PlaceStatus(models.TextChoices):
    BOOKED = "booked", _("予約ずみ")
    CANCELLED = "cancelled", _("やめました")


class ChangeKind(models.TextChoices):
    """A dated change of the weekly roster."""

    ABSENT = "absent", _("この日は 休み")
    EXTRA = "extra", _("この日だけ 入る")


class Limit(models.TextChoices):
    """Which limit binds when a care place is refused."""

    STAFF = "staff", _("保育者の 人数")
    QUALIFIED = "qualified", _("資格のある 保育者")
    PLACES = "places", _("定員")
    AREA_INFANT = "area_infant", _("0・1さいの へやの 広さ")
    AREA_TODDLER = "area_toddler", _("2さい からの へやの 広さ")
    SHORTFALL = "shortfall", _("保育者が 足りない 時間")
    CLOSED = "closed", _("こどものへやが お休み")
    NO_ROOM = "no_room", _("この年れいを 預かる へやが ありません")


class Identified(models.TextChoices):
    """How a carer knew who takes the child home (RULE-11)."""

    KNOWN = "known", _("顔を 知っている")
    PAPER = "paper", _("身分証を 見た")
    PASS = "pass", _("QRを 見た")


class AttendanceKind(models.TextChoices):
    WORK = "work", _("しごと中")
    BREAK = "break", _("休けい中")


class ContactOutcome(models.TextChoices):
    """What came of asking after a child who did not come (RULE-12)."""

    COMING = "coming", _("これから 来る")
    ABSENT = "absent", _("きょうは 休み")
    NO_ANSWER = "no_answer", _("つながらない")
