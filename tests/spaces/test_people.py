"""Roles, blocks and invitations: who may lose what, and what is remembered."""

import pytest
from django.core import mail

from hub.booking import blocks, services
from hub.core import tasks
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.spaces import people
from hub.spaces.enums import MembershipStatus, Role, VisitStatus
from hub.spaces.joining import accept_role_invitations
from hub.spaces.models import Membership, RoleInvitation
from tests import factories as make


def role_of(member, hub, role):
    return Membership.objects.get(member=member, hub=hub, role=role)


def test_grant_keeps_who_and_when(cast):
    row = people.grant(actor=cast.manager, hub=cast.ekimae, member=cast.misaki, role=Role.DOOR)

    assert (row.status, row.changed_by, row.changed_at) == (MembershipStatus.ACTIVE, cast.manager, make.NOW)


def test_grant_twice_is_refused(cast):
    with pytest.raises(DomainError) as refusal:
        people.grant(actor=cast.manager, hub=cast.ekimae, member=cast.door, role=Role.DOOR)

    assert refusal.value.code == "role_held"


def test_grant_of_worker_is_refused(cast):
    with pytest.raises(DomainError) as refusal:
        people.grant(actor=cast.manager, hub=cast.ekimae, member=cast.door, role=Role.WORKER)

    assert refusal.value.code == "role_unknown"


def test_ended_role_begins_again(cast):
    people.end_role(actor=cast.manager, hub=cast.ekimae, member=cast.door, role=Role.DOOR)
    assert role_of(cast.door, cast.ekimae, Role.DOOR).status == MembershipStatus.ENDED

    people.grant(actor=cast.manager, hub=cast.ekimae, member=cast.door, role=Role.DOOR)

    assert role_of(cast.door, cast.ekimae, Role.DOOR).status == MembershipStatus.ACTIVE


def test_last_manager_cannot_end_her_role(cast):
    with pytest.raises(DomainError) as refusal:
        people.end_role(actor=cast.manager, hub=cast.ekimae, member=cast.manager, role=Role.MANAGER)

    assert refusal.value.code == "last_manager"
    assert role_of(cast.manager, cast.ekimae, Role.MANAGER).status == MembershipStatus.ACTIVE


def test_one_of_two_managers_may_end_her_role(cast):
    people.grant(actor=cast.manager, hub=cast.ekimae, member=cast.door, role=Role.MANAGER)

    people.end_role(actor=cast.manager, hub=cast.ekimae, member=cast.manager, role=Role.MANAGER)

    assert role_of(cast.manager, cast.ekimae, Role.MANAGER).status == MembershipStatus.ENDED


@pytest.mark.parametrize("query", ["みさき", "ﾐｻｷ", "山田みさき", "やまだ", "MISAKI@demo", "ｍｉｓａｋｉ"])
def test_search_ignores_width_spaces_and_katakana(cast, query):
    cast.misaki.kana = "やまだ みさき"
    cast.misaki.save()

    assert cast.misaki in list(people.people_of(cast.ekimae, query))
    assert cast.door not in list(people.people_of(cast.ekimae, query))


def test_people_of_another_hub_are_not_listed(cast):
    assert cast.stranger not in list(people.people_of(cast.ekimae))


def test_invited_member_gets_the_role_at_once(cast):
    row = people.invite(actor=cast.manager, hub=cast.ekimae, email=" Kenta@demo.example ", role=Role.CARER)

    assert isinstance(row, Membership)
    assert role_of(cast.kenta, cast.ekimae, Role.CARER).status == MembershipStatus.ACTIVE


def test_invited_stranger_gets_the_role_when_she_signs_up(cast):
    people.invite(actor=cast.manager, hub=cast.ekimae, email="new@example.org", role=Role.DOOR)
    tasks.run_pending()
    assert [message.to for message in mail.outbox] == [["new@example.org"]]

    newcomer = make.make_member("新しい 人", "new@example.org", hub=cast.yagi)
    assert run_write(lambda: accept_role_invitations(newcomer)) == 1

    row = role_of(newcomer, cast.ekimae, Role.DOOR)
    assert (row.status, row.changed_by) == (MembershipStatus.ACTIVE, cast.manager)
    assert list(people.open_invitations(cast.ekimae)) == []


def test_invitation_withdrawn_gives_nothing(cast):
    row = people.invite(actor=cast.manager, hub=cast.ekimae, email="new@example.org", role=Role.DOOR)

    assert people.withdraw_invitation(hub=cast.ekimae, code=row.code) is True
    assert people.withdraw_invitation(hub=cast.ekimae, code=row.code) is False
    assert RoleInvitation.objects.count() == 0


def test_invitation_of_another_hub_cannot_be_withdrawn(cast):
    row = people.invite(actor=cast.yagi_manager, hub=cast.yagi, email="new@example.org", role=Role.DOOR)

    assert people.withdraw_invitation(hub=cast.ekimae, code=row.code) is False


def book(cast):
    return services.book_visit(actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae)).visit


@pytest.mark.parametrize(
    ("tick", "status"), [(False, VisitStatus.BOOKED), (True, VisitStatus.CANCELLED_BY_HUB)]
)
def test_blocking_ends_visits_only_when_ticked(cast, tick, status):
    visit = book(cast)

    ended = blocks.block_member(
        actor=cast.manager,
        hub=cast.ekimae,
        member=cast.misaki,
        reason="鍵を 返していません",
        cancel_visits=tick,
    )

    visit.refresh_from_db()
    assert (visit.status, len(ended)) == (status, int(tick))
    with pytest.raises(DomainError) as refusal:
        services.book_visit(
            actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, make.period(14, 15))
        )
    assert refusal.value.code == "blocked"


def test_blocked_without_reason_is_refused(cast):
    with pytest.raises(DomainError) as refusal:
        blocks.block_member(
            actor=cast.manager, hub=cast.ekimae, member=cast.misaki, reason=" ", cancel_visits=False
        )

    assert refusal.value.code == "reason_missing"


def test_worker_of_another_hub_can_be_blocked_here_alone(cast):
    blocks.block_member(
        actor=cast.manager, hub=cast.ekimae, member=cast.stranger, reason="約束", cancel_visits=False
    )

    with pytest.raises(DomainError) as refusal:
        services.book_visit(actor=cast.stranger, request=make.request_for(cast.stranger, cast.ekimae))
    assert refusal.value.code == "blocked"
    assert services.book_visit(
        actor=cast.stranger, request=make.request_for(cast.stranger, cast.yagi)
    ).visit.is_live


def test_unblocked_worker_books_again(cast):
    blocks.block_member(
        actor=cast.manager, hub=cast.ekimae, member=cast.misaki, reason="約束", cancel_visits=False
    )

    blocks.unblock_member(actor=cast.manager, hub=cast.ekimae, member=cast.misaki)

    assert book(cast).is_live
