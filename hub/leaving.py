"""Deleting one's account: it touches people, roles, visits and children, so it stands at the top.

RULE-16 says what has to stay: the subsidy books (which visits, which care places, which children, when) for five
years after the fiscal year. Notices of work that she took (RULE-25) and statements, with the name that they were written under,
stay until their own day, and what is unpaid is still paid (docs/pay.md). Everything else by which she can be named or
reached goes at once.
"""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.utils.translation import gettext_lazy as _

from hub.booking import waiting
from hub.booking.models_week import Series
from hub.childcare.children import future_places
from hub.childcare.enums import ChildStatus
from hub.childcare.models import Carer, Custody
from hub.core import clock, live
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.ids import new_code
from hub.members.models import Guardian, Household, HouseholdInvitation, Member
from hub.notices.retention import forget_member as forget_notices
from hub.spaces.enums import LIVE_STATUSES, MembershipStatus
from hub.spaces.models import Membership, RoleInvitation, Visit
from hub.work import handing
from hub.work.statements import state_leaver


def why_not(member: Member) -> DomainError | None:
    """What stands in the way of deleting the account now, or None."""
    if Visit.objects.filter(member=member, status__in=LIVE_STATUSES).exists():
        return DomainError("visits_open", _("予約が のこっています。先に 予約を やめてください。"), 409)
    if Custody.objects.filter(closed_at__isnull=True, child__household__in=_left_alone(member)).exists():
        return DomainError(
            "child_in_care", _("子どもが こどものへやに います。先に お迎えに 来てください。"), 409
        )
    if any(future_places(household).exists() for household in _left_alone(member)):
        return DomainError(
            "places_booked",
            _(
                "子どもの 預かりの 予約が のこっています。先に やめるか、もう1人の 保護者を 招待してください。"
            ),
            409,
        )
    return None


def _left_alone(member: Member) -> list[Household]:
    """Households whose only guardian is ``member``."""
    mine = Household.objects.filter(guardians__member=member)
    with_others = Guardian.objects.exclude(member=member).values("household")
    return list(mine.exclude(pk__in=with_others))


def erase_member(member: Member) -> None:
    """Anonymise ``member``: name, furigana, address, telephone, password, roles, tokens, sessions and notices go; visits stay,
    and so do statements: what is on none yet gets one first.

    Children whose household loses its last guardian end, and their health text is erased (RULE-16: free text first).
    Raises `DomainError` ``visits_open`` or ``places_booked`` (409).
    """

    def work() -> None:
        state_leaver(member)
        person = Member.objects.select_for_update().get(pk=member.pk)
        refusal = why_not(person)
        if refusal is not None:
            raise refusal
        now = clock.now()
        for household in _left_alone(person):
            household.children.update(status=ChildStatus.ENDED, allergy_sealed=None)
            Custody.objects.filter(child__household=household).update(note_sealed=None)
            household.pickup_adults.update(name="", kana="", phone="", relation="", ended_at=now)
        Series.objects.filter(
            member=person
        ).delete()  # dates that open later, and sentences with children's names
        HouseholdInvitation.objects.filter(invited_by=person, used_at=None).update(revoked_at=now)
        waiting.leave_all(person)
        handing.leave_all(person)
        Guardian.objects.filter(member=person).delete()
        Membership.objects.filter(member=person).exclude(status=MembershipStatus.ENDED).update(
            status=MembershipStatus.ENDED, changed_at=now, reason=""
        )
        Carer.objects.filter(member=person).update(member=None)
        person.api_tokens.filter(revoked_at=None).update(revoked_at=now)
        EmailAddress.objects.filter(user=person).delete()
        Authenticator.objects.filter(user=person).delete()
        if person.email:
            RoleInvitation.objects.filter(email=person.email).delete()
        forget_notices(person)
        person.name = person.kana = person.phone = ""
        person.email = None
        person.is_active = person.is_staff = person.is_superuser = False
        person.erased_at = now
        person.session_salt = new_code()
        person.set_unusable_password()
        person.save()
        live.recheck(person.code)

    run_write(work)
