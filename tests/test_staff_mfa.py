"""Staff give a second factor outside the demo: every role, every kind of page and call, and the way back when it is lost."""

from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from asgiref.sync import sync_to_async
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from hub.booking import services
from hub.core import tasks
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.members import factors
from hub.members.models import Member
from hub.members.tokens import new_token
from hub.notices.models import Notice
from hub.spaces import mail as words
from hub.spaces import people
from hub.spaces.access import Action, SecondFactorNeeded, allowed
from hub.spaces.enums import STAFF_ROLES, MembershipStatus, Role
from hub.spaces.models import Membership, Visit
from tests import factories as make
from tests.live import Page
from tests.members.factor_helpers import (
    add_passkey,
    code_of,
    give_app,
    options_in,
    sign_in_by_mail,
    sign_in_by_passkey,
    spare_codes_of,
)

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
NEEDED, CODE, KEY = (
    "/accounts/2fa/needed/",
    "/accounts/2fa/reauthenticate/",
    "/accounts/2fa/passkeys/reauthenticate/",
)


@pytest.fixture(autouse=True)
def _required(settings: Any) -> None:
    cache.clear()
    settings.STAFF_MFA_REQUIRED = True


def person(role: Role, cast: SimpleNamespace) -> Member:
    return make.make_member("役 ひとつ", f"{role}@example.org", hub=cast.ekimae, role=role)


def start(member: Member) -> Client:
    """A session from before: no factor was given in it."""
    client = Client()
    client.force_login(member, backend=BACKEND)
    return client


def with_app(member: Member) -> Client:
    """Signed in by mail and app."""
    give_app(member)
    client = Client()
    sign_in_by_mail(client, member)
    client.post("/accounts/2fa/authenticate/", {"code": code_of()})
    return client


def with_passkey(member: Member) -> Client:
    client, fresh = Client(), Client()
    sign_in_by_mail(client, member)
    key, _answer = add_passkey(client)
    sign_in_by_passkey(fresh, key)
    return fresh


def leads_to(answer: Any) -> str:
    """Where it leads, without what comes after the page."""
    return str(answer.headers.get("Location", "")).partition("?")[0]


#: Pages by kind: one with a hub in the address (any role finds one of these closed or open), door and board, admin.
PAGES = (
    "/desk/ekimae/",
    "/en/desk/ekimae/",
    "/desk/ekimae/people/",
    "/desk/ekimae/care/",
    "/door/",
    "/care/",
)


@pytest.mark.parametrize("role", STAFF_ROLES)
@pytest.mark.parametrize("page", PAGES)
def test_role_without_a_factor_is_led_to_set_one_up(page: str, role: Role, cast: SimpleNamespace) -> None:
    client = start(person(role, cast))
    for method in (client.get, client.post):
        answer = method(page)
        assert leads_to(answer) == ("/en" if page.startswith("/en/") else "") + NEEDED
    assert client.get(NEEDED).status_code == 200


@pytest.mark.parametrize("role", STAFF_ROLES)
@pytest.mark.parametrize("page", PAGES)
def test_role_with_an_app_that_this_session_did_not_ask_is_asked(
    page: str, role: Role, cast: SimpleNamespace
) -> None:
    member = person(role, cast)
    give_app(member)
    assert leads_to(start(member).get(page)) == ("/en" if page.startswith("/en/") else "") + CODE


@pytest.mark.parametrize("role", STAFF_ROLES)
@pytest.mark.parametrize("sign_in", [with_app, with_passkey])
def test_role_that_gave_a_factor_finds_its_pages(sign_in: Any, role: Role, cast: SimpleNamespace) -> None:
    client = sign_in(person(role, cast))
    at_day = 200 if role in (Role.DOOR, Role.CARER, Role.COMMUNITY, Role.MANAGER) else 403
    assert client.get("/desk/ekimae/").status_code == at_day
    assert client.get("/desk/ekimae/people/").status_code == (200 if role == Role.MANAGER else 403)


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_demo_asks_nothing(role: Role, cast: SimpleNamespace, settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = False
    at_day = 200 if role in (Role.DOOR, Role.CARER, Role.COMMUNITY, Role.MANAGER) else 403
    assert start(person(role, cast)).get("/desk/ekimae/").status_code == at_day


@pytest.mark.parametrize("page", ["/", "/me/", "/me/account/", "/visits/", "/book/", "/accounts/2fa/"])
@pytest.mark.parametrize("who", ["misaki", "manager"])
def test_pages_of_oneself_ask_nobody(page: str, who: str, cast: SimpleNamespace) -> None:
    assert start(getattr(cast, who)).get(page).status_code == 200


def test_worker_finds_staff_pages_closed_as_ever(cast: SimpleNamespace) -> None:
    assert start(cast.misaki).get("/desk/ekimae/").status_code == 404
    assert start(cast.misaki).get("/admin/").status_code == 302


@pytest.mark.parametrize("status", [MembershipStatus.ENDED, MembershipStatus.BLOCKED])
def test_role_that_ended_asks_for_no_factor(status: MembershipStatus, cast: SimpleNamespace) -> None:
    Membership.objects.filter(member=cast.manager).update(status=status)
    assert start(cast.manager).get("/desk/ekimae/").status_code == 404


def test_staff_of_another_hub_learn_nothing_of_this_one(cast: SimpleNamespace) -> None:
    assert with_app(cast.yagi_manager).get("/desk/ekimae/").status_code == 404


# ---------------------------------------------------------------- the way there and back


def test_setting_up_leads_back_to_the_page_asked_for(cast: SimpleNamespace) -> None:
    client = start(cast.manager)
    answer = client.get("/desk/ekimae/people/", {"q": "山田"}, follow=True)
    assert "かぎを もう1つ 決めてください" in answer.content.decode()
    _key, answer = add_passkey(client)
    page = client.get(answer.headers["Location"]).content.decode()
    assert "しまいました。つづける" in page
    answer = client.get("/accounts/2fa/done/")
    assert answer.headers["Location"] == "/desk/ekimae/people/?q=%E5%B1%B1%E7%94%B0"
    assert client.get(answer.headers["Location"]).status_code == 200


def test_next_of_another_site_is_not_followed(cast: SimpleNamespace) -> None:
    client = start(cast.manager)
    for bad in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        client.get(NEEDED, {"next": bad})
        assert client.get("/accounts/2fa/done/").headers["Location"] == "/accounts/2fa/"


def test_giving_the_code_leads_back(cast: SimpleNamespace) -> None:
    give_app(cast.manager)
    client = start(cast.manager)
    asked = client.get("/desk/ekimae/people/").headers["Location"]
    assert asked == f"{CODE}?next=%2Fdesk%2Fekimae%2Fpeople%2F"
    answer = client.post(CODE, {"code": code_of(), "next": "/desk/ekimae/people/"})
    assert answer.headers["Location"] == "/desk/ekimae/people/"
    assert client.get("/desk/ekimae/people/").status_code == 200


def test_spare_code_counts_as_the_factor(cast: SimpleNamespace) -> None:
    give_app(cast.manager)
    client = start(cast.manager)
    client.post(CODE, {"code": spare_codes_of(cast.manager)[0], "next": "/"})
    assert client.get("/desk/ekimae/").status_code == 200


def test_session_from_before_the_passkey_is_asked_for_it(cast: SimpleNamespace) -> None:
    other = start(cast.manager)
    key, _answer = add_passkey(start(cast.manager))
    asked = other.get("/desk/ekimae/")
    assert leads_to(asked) == KEY
    options = options_in(other.get(asked.headers["Location"]).content.decode())
    other.post(KEY, {"credential": key.get(options), "next": "/desk/ekimae/"})
    assert other.get("/desk/ekimae/").status_code == 200


def test_password_is_no_second_factor(cast: SimpleNamespace) -> None:
    cast.manager.set_password("ひなたぼっこ-2026")
    cast.manager.save()
    client = start(cast.manager)
    client.post("/accounts/reauthenticate/", {"password": "ひなたぼっこ-2026", "next": "/me/"})
    assert leads_to(client.get("/desk/ekimae/")) == NEEDED


def test_factor_that_was_taken_away_is_asked_for_again(cast: SimpleNamespace) -> None:
    client = with_app(cast.manager)
    Authenticator.objects.all().delete()
    assert leads_to(client.get("/desk/ekimae/")) == NEEDED


def test_factor_of_somebody_else_in_the_same_browser_does_not_count(cast: SimpleNamespace) -> None:
    client = with_app(cast.manager)
    give_app(cast.carer)
    client.force_login(cast.carer, backend=BACKEND)
    assert leads_to(client.get("/desk/ekimae/")) == CODE


def test_part_of_a_page_reloads_the_whole_one(cast: SimpleNamespace) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/desk/ekimae/?d=2026-12-08"}
    answer = start(cast.manager).get("/desk/ekimae/people/", headers=headers)
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == f"{NEEDED}?next=%2Fdesk%2Fekimae%2F%3Fd%3D2026-12-08"


def test_answer_that_leads_on_is_kept_by_nobody(cast: SimpleNamespace) -> None:
    answer = start(cast.manager).get("/desk/ekimae/")
    assert answer.headers["Cache-Control"] == "no-store"


def test_page_of_the_factor_leads_on_where_there_is_one(cast: SimpleNamespace) -> None:
    assert (
        with_app(cast.manager).get(NEEDED, {"next": "/desk/ekimae/"}).headers["Location"] == "/desk/ekimae/"
    )


# ---------------------------------------------------------------- rights, not only pages


@pytest.mark.parametrize("gave", [None, False, True])
@pytest.mark.parametrize("has", [False, True])
@pytest.mark.parametrize("required", [False, True])
def test_right_of_staff_waits_for_the_factor(
    required: bool, has: bool, gave: bool | None, cast: SimpleNamespace, settings: Any
) -> None:
    settings.STAFF_MFA_REQUIRED = required
    if has:
        give_app(cast.manager)
    cast.manager.gave_factor = gave
    if not required or gave is None or (gave and has):
        assert allowed(cast.manager, Action.SEE_DAY, cast.ekimae)
    else:
        with pytest.raises(SecondFactorNeeded):
            allowed(cast.manager, Action.SEE_DAY, cast.ekimae)
    assert not allowed(cast.manager, Action.READ_HEALTH, cast.ekimae)  # what no role gives is refused as ever


def test_right_of_a_worker_never_waits(cast: SimpleNamespace) -> None:
    Membership.objects.create(member=cast.manager, hub=cast.ekimae, role=Role.WORKER)
    cast.manager.gave_factor = False
    assert allowed(cast.manager, Action.BOOK, cast.ekimae)


def booked(cast: SimpleNamespace) -> str:
    return services.book_visit(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae)
    ).visit.code


def test_booking_page_for_somebody_else_asks_too(cast: SimpleNamespace) -> None:
    answer = start(cast.door).get("/book/", {"for": cast.misaki.code, "hub": "ekimae"})
    assert leads_to(answer) == NEEDED


def test_call_by_session_without_the_factor_is_refused(cast: SimpleNamespace) -> None:
    path = f"/api/v1/visits/{booked(cast)}"
    answer = start(cast.manager).delete(path)
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_needed")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert Visit.objects.get().status == "booked"


def test_list_of_who_is_inside_asks_too(cast: SimpleNamespace) -> None:
    path = "/api/v1/checkin/inside?hub=ekimae"
    answer = start(cast.door).get(path)
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_needed")
    assert with_app(cast.door).get(path).status_code == 200


@pytest.mark.parametrize("by", ["token", "app"])
def test_call_by_token_or_with_the_factor_works(by: str, cast: SimpleNamespace) -> None:
    path = f"/api/v1/visits/{booked(cast)}"
    token = {"Authorization": f"Bearer {new_token(cast.manager, 'x')[1]}"}
    client = Client(headers=token) if by == "token" else with_app(cast.manager)
    assert client.delete(path).status_code == 200


def test_own_calls_of_staff_work_without(cast: SimpleNamespace) -> None:
    Membership.objects.create(member=cast.manager, hub=cast.ekimae, role=Role.WORKER)
    assert start(cast.manager).get("/api/v1/visits").status_code == 200


@pytest.mark.django_db(transaction=True)  # the socket reads on a connection of its own
@pytest.mark.parametrize("given", [False, True])
async def test_socket_joins_groups_of_staff_only_with_the_factor(
    given: bool, cast: SimpleNamespace, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["hub.example", "testserver"]
    client = await sync_to_async(with_app if given else start)(cast.manager)
    page = await Page(client.cookies["sessionid"].value).enter()
    own = f"me.{cast.manager.code}"
    assert await page.join("day.ekimae", "door.ekimae", own) == (
        ["day.ekimae", "door.ekimae", own] if given else [own]
    )
    await page.leave()


# ---------------------------------------------------------------- the admin


def test_admin_has_no_entrance_of_its_own(cast: SimpleNamespace) -> None:
    Member.objects.filter(pk=cast.manager.pk).update(is_staff=True)
    boss = Member.objects.get(pk=cast.manager.pk)
    boss.set_password("ひなたぼっこ-2026")
    boss.save()
    client = Client()
    data = {"username": boss.email, "password": "ひなたぼっこ-2026"}
    assert leads_to(client.post("/admin/login/?next=/admin/", data)) == "/accounts/login/"
    assert "_auth_user_id" not in client.session
    assert client.get("/admin/login/?next=/admin/").headers["Location"] == "/accounts/login/?next=/admin/"


def test_admin_asks_for_the_factor(cast: SimpleNamespace) -> None:
    Member.objects.filter(pk=cast.stranger.pk).update(is_staff=True, is_superuser=True)
    boss = Member.objects.get(pk=cast.stranger.pk)
    assert leads_to(start(boss).get("/admin/")) == NEEDED
    client = with_app(boss)
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/login/?next=/admin/spaces/hub/").headers["Location"] == "/admin/spaces/hub/"


def test_first_person_of_a_new_hub_reaches_the_admin_by_a_code_and_a_factor(db: None) -> None:
    """As docs/operations.md says: `createsuperuser`, then in like everybody. There is no hub yet and she has no name."""
    boss = Member.objects.create_superuser("boss@example.org", "ひなたぼっこ-2026")
    client = Client()
    client.post("/accounts/login/code/", {"email": "boss@example.org", "next": "/admin/"})
    code = next(line.strip() for line in mail.outbox[-1].body.splitlines() if line.strip().isdigit())
    client.post("/accounts/login/code/confirm/", {"code": code, "next": "/admin/"})
    assert client.session["_auth_user_id"] == str(boss.pk)
    assert leads_to(client.get("/admin/")) == NEEDED
    assert client.get("/accounts/2fa/passkeys/add/").status_code == 302, "the password of hers is asked first"
    client.post("/accounts/reauthenticate/", {"password": "ひなたぼっこ-2026", "next": "/"})
    add_passkey(client)
    assert client.get("/admin/").status_code == 200


def test_admin_entrance_is_nothing_for_other_people(cast: SimpleNamespace) -> None:
    assert start(cast.misaki).get("/admin/login/").status_code == 404


# ---------------------------------------------------------------- lost: the manager helps, in person


def reset_page(member: Member, slug: str = "ekimae") -> str:
    return reverse("desk_factors_reset", args=[slug, member.code])


def test_manager_takes_the_lost_factor_away(cast: SimpleNamespace, caplog: Any) -> None:
    hers = with_app(cast.carer)
    manager = with_app(cast.manager)
    person_page = reverse("desk_person", args=["ekimae", cast.carer.code])
    assert "入りかたを やり直して もらう" in manager.get(person_page).content.decode()
    assert manager.post(reset_page(cast.carer)).status_code == 422
    assert factors.has_factor(cast.carer)
    with caplog.at_level("WARNING"):
        assert manager.post(reset_page(cast.carer), {"sure": "on"}).headers["Location"] == person_page
    assert not Authenticator.objects.filter(user=cast.carer).exists()
    assert hers.get("/me/").status_code == 302, "her sessions must end"
    line = next(record.message for record in caplog.records if "second_factors_reset" in record.message)
    assert all(word in line for word in (cast.carer.code, cast.manager.code, "ekimae"))
    tasks.run_pending()
    message = mail.outbox[-1]
    assert (message.subject, message.to) == (
        "入りかたを やり直してください | ひだまり",
        ["carer@demo.example"],
    )
    assert all(word in message.body for word in ("責任 さん", "2026-12-07 09:40", "0000-00-0000"))
    fresh = Client()
    assert leads_to(sign_in_by_mail(fresh, cast.carer)) == "/after-sign-in/"
    assert leads_to(fresh.get("/desk/ekimae/")) == NEEDED


def test_notice_about_it_in_english_comes_at_night_too(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    Member.objects.filter(pk=cast.carer.pk).update(language="en")
    now.move_to(make.at(23))
    give_app(cast.carer)
    people.reset_factors(actor=cast.manager, hub=cast.ekimae, member=Member.objects.get(pk=cast.carer.pk))
    tasks.run_pending()
    assert mail.outbox[-1].subject == "Please set up sign-in again | ひだまり"


def test_somebody_without_address_finds_it_in_the_app(cast: SimpleNamespace) -> None:
    Member.objects.filter(pk=cast.carer.pk).update(email=None)
    carer = Member.objects.get(pk=cast.carer.pk)
    run_write(lambda: words.tell_factors_reset(carer, hub=cast.ekimae, by=cast.manager))
    tasks.run_pending()
    assert mail.outbox == []
    assert Notice.objects.get(member=carer).title == "入りかたを やり直してください"


def refused(actor: Member, member: Member, cast: SimpleNamespace) -> str:
    with pytest.raises(DomainError) as error:
        people.reset_factors(actor=actor, hub=cast.ekimae, member=member)
    assert error.value.status == 409
    return error.value.code


def test_manager_does_not_take_away_her_own(cast: SimpleNamespace) -> None:
    manager = with_app(cast.manager)
    assert refused(cast.manager, cast.manager, cast) == "own_factors"
    assert "自分の ものは ここでは 消せません" in manager.get(reset_page(cast.manager)).content.decode()
    assert manager.post(reset_page(cast.manager), {"sure": "on"}).status_code == 409
    assert factors.has_factor(cast.manager)


def test_manager_does_not_take_away_those_of_another_hub_or_of_the_server(cast: SimpleNamespace) -> None:
    give_app(cast.yagi_manager)
    Membership.objects.create(member=cast.yagi_manager, hub=cast.ekimae, role=Role.WORKER)
    assert refused(cast.manager, cast.yagi_manager, cast) == "not_yours"
    give_app(cast.carer)
    Member.objects.filter(pk=cast.carer.pk).update(is_staff=True)
    assert refused(cast.manager, Member.objects.get(pk=cast.carer.pk), cast) == "not_yours"


def test_nothing_is_taken_from_somebody_who_has_none(cast: SimpleNamespace) -> None:
    assert refused(cast.manager, cast.misaki, cast) == "no_factor"


def test_stranger_and_wrong_hub_and_other_roles_take_nothing_away(cast: SimpleNamespace) -> None:
    give_app(cast.misaki)
    assert start(cast.stranger).post(reset_page(cast.misaki), {"sure": "on"}).status_code == 404
    assert with_app(cast.yagi_manager).post(reset_page(cast.misaki), {"sure": "on"}).status_code == 404
    assert with_app(cast.carer).post(reset_page(cast.misaki), {"sure": "on"}).status_code == 403
    manager = with_app(cast.manager)
    assert manager.post(reset_page(cast.stranger), {"sure": "on"}).status_code == 404
    assert manager.put(reset_page(cast.misaki)).status_code == 405
    assert factors.has_factor(cast.misaki)
