"""Writes about children: registering, correcting, deciding; and leaving a household.

Only guardians change their children, only a manager of the child's hub decides. Health text is sealed and never
stands in a mail, a log or a live message.
"""

from datetime import date

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from hub.childcare.enums import ChildStatus, PlaceStatus
from hub.childcare.models import CarePlace, Child, Custody
from hub.childcare.ratio import SCHOOL_AGE, class_age, fiscal_year
from hub.core import clock, hooks
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.forms import nfkc
from hub.members.models import Guardian, Household, Member
from hub.members.services import furigana, household_of_or_new
from hub.spaces.models import Hub

MAX_CHILDREN = 12  # of one household; beyond that it is a mistake or a robot
ABSURD_CLASS = 18
ALLERGY_MAX = 1000
KEEP_HEALTH_YEARS = 5  # CFG of RULE-16


# ---------------------------------------------------------------- reads


def child_for(member: Member, code: str) -> Child:
    """The child of this code, if ``member`` guards its household. Raises `Http404` for everybody else."""
    rows = Child.objects.select_related("hub", "household")
    child = (
        rows.filter(code=code, household__guardians__member=member).exclude(status=ChildStatus.ENDED).first()
    )
    if child is None:
        raise Http404
    return child


def has_places(child: Child) -> bool:
    """Whether any care place was ever booked: from then on the birthday is corrected by the hub (booking)."""
    return CarePlace.objects.filter(child=child).exists()


def future_places(household: Household) -> QuerySet[CarePlace]:
    """Booked places of the household's children that have not ended."""
    return CarePlace.objects.filter(
        child__household=household, status=PlaceStatus.BOOKED, ends_at__gt=clock.now()
    )


# ---------------------------------------------------------------- rules


def check_birthday(birthday: date, today: date) -> None:
    """Raises `DomainError` (422) ``birthday_future`` or ``birthday_absurd``, or (409) ``school_age`` (RULE-01)."""
    if birthday > today:
        raise DomainError("birthday_future", _("生まれた日が きょうより あとに なっています。"), 422)
    age_class = class_age(birthday, today)
    if age_class >= ABSURD_CLASS:
        raise DomainError("birthday_absurd", _("子どもの 生まれた年を たしかめてください。"), 422)
    if age_class >= SCHOOL_AGE:
        raise DomainError(
            "school_age", _("お預かりは 小学校に 入る前までです。小学生からは お預かり できません。"), 409
        )


# ---------------------------------------------------------------- writes by guardians


def register_child(
    *,
    guardian: Member,
    hub: Hub,
    name: str,
    kana: str,
    birthday: date,
    allergy: str = "",
    household: Household | None = None,
) -> Child:
    """A new child of ``guardian``'s household, waiting for the manager of ``hub`` to look at it.

    Without ``household`` it is the guardian's oldest one, made if there is none. Raises `check_birthday`'s errors,
    `DomainError` ``too_many_children`` (409), `Http404` for a household of others.
    """
    check_birthday(birthday, clock.today(hub.tz))

    def work() -> Child:
        home = household or household_of_or_new(guardian)
        if not Guardian.objects.filter(household=home, member=guardian).exists():
            raise Http404
        Household.objects.select_for_update().get(pk=home.pk)
        if home.children.exclude(status=ChildStatus.ENDED).count() >= MAX_CHILDREN:
            raise DomainError(
                "too_many_children", _("子どもは 12人 までです。ハブに 電話してください。"), 409
            )
        child = Child(household=home, hub=hub, name=nfkc(name), kana=furigana(kana), birthday=birthday)
        child.allergy = allergy.strip()
        child.save()
        return child

    return run_write(work)


def update_child(child: Child, *, name: str, kana: str, allergy: str, birthday: date | None = None) -> Child:
    """A guardian's correction. The approval stays, unless allergy or birthday change or the child was returned.

    ``birthday`` None leaves it. Raises `check_birthday`'s errors, and `DomainError` ``birthday_fixed`` (409) once a
    place was booked: then classes were counted with it, and `booking.care_changes` has to count anew.
    """

    def work() -> Child:
        fresh = Child.objects.select_for_update().select_related("hub").get(pk=child.pk)
        if fresh.status == ChildStatus.ENDED:
            raise Http404
        changed = fresh.allergy != allergy.strip()
        if birthday is not None and birthday != fresh.birthday:
            if has_places(fresh):
                raise DomainError(
                    "birthday_fixed", _("生年月日を なおすときは ハブに 電話してください。"), 409
                )
            check_birthday(birthday, clock.today(fresh.hub.tz))
            fresh.birthday = birthday
            changed = True
        fresh.name, fresh.kana, fresh.allergy = nfkc(name), furigana(kana), allergy.strip()
        if changed or fresh.status in (ChildStatus.RETURNED, ChildStatus.DRAFT):
            fresh.status, fresh.submitted_at = ChildStatus.PENDING, clock.now()
            fresh.decided_at, fresh.decided_by, fresh.return_reason = None, None, ""
        fresh.save()
        return fresh

    return run_write(work)


def leave_household(household: Household, *, member: Member) -> None:
    """``member`` stops being a guardian. A household with children never loses its last one.

    Raises `Http404` for strangers, `DomainError` ``last_guardian`` or ``places_booked`` (409).
    """

    def work() -> None:
        Household.objects.select_for_update().get(
            pk=household.pk
        )  # two who leave at once: one after the other
        mine = Guardian.objects.filter(household=household, member=member)
        if not mine.exists():
            raise Http404
        others = Guardian.objects.filter(household=household).exclude(member=member).exists()
        if not others and household.children.exclude(status=ChildStatus.ENDED).exists():
            raise DomainError(
                "last_guardian",
                _("保護者が いなくなるので、ぬけられません。先に もう1人を 招待してください。"),
                409,
            )
        if future_places(household).filter(visit__member=member).exists():
            raise DomainError(
                "places_booked",
                _("あなたが とった 預かりの 予約が のこっています。先に やめてください。"),
                409,
            )
        mine.delete()

    run_write(work)


# ---------------------------------------------------------------- decision


def decide_child(*, child: Child, by: Member, approve: bool, reason: str = "") -> Child:
    """Approve a waiting child, or return it with a reason in words; the guardians are told (`hub.childcare.mail`).

    The caller has checked `Action.DECIDE_CHILD` at ``child.hub``. Raises `DomainError` ``reason_missing`` (422), or
    ``already_decided`` (409) when somebody else was faster or the guardian changed it meanwhile.
    """
    reason = nfkc(reason)
    if not approve and not reason:
        raise DomainError(
            "reason_missing", _("もどす わけを 書いてください。保護者に そのまま 届きます。"), 422
        )

    def work() -> Child:
        fresh = Child.objects.select_for_update().get(pk=child.pk)
        if fresh.status != ChildStatus.PENDING:
            raise DomainError(
                "already_decided", _("もう 確認が すんでいます。ページを 開き直してください。"), 409
            )
        fresh.status = ChildStatus.APPROVED if approve else ChildStatus.RETURNED
        fresh.return_reason = "" if approve else reason[:300]
        fresh.decided_at, fresh.decided_by = clock.now(), by
        fresh.save(update_fields=["status", "return_reason", "decided_at", "decided_by"])
        hooks.emit("child_decided", child=fresh.code)
        return fresh

    return run_write(work)


def forget_health(today: date) -> int:
    """Erase the health text of children who began school five fiscal years ago (RULE-16); returns how many children.

    The carers' notes at reception go with it.

    For the nightly tick; safe to run at any moment. Deleting an account erases at once (`hub.leaving`).
    """
    latest = date(fiscal_year(today) - SCHOOL_AGE - KEEP_HEALTH_YEARS, 4, 1)
    rows = Child.objects.filter(birthday__lte=latest, allergy_sealed__isnull=False)
    notes = Custody.objects.filter(child__birthday__lte=latest, note_sealed__isnull=False)

    def work() -> int:
        notes.update(note_sealed=None)
        return rows.update(allergy_sealed=None)

    return run_write(work)
