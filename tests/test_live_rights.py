"""Who hears what: every role at every kind of group at two hubs; and every way in which rights end closes the page's ear.

Real sessions, real rows and the real consumer; nothing here knows how it finds out.
"""

from collections.abc import AsyncIterator, Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core import mail
from django.db import connections
from django.test import Client
from django.urls import reverse

from hub.booking import blocks
from hub.core import live, sockets
from hub.leaving import erase_member
from hub.members.models import Member
from hub.spaces import people
from hub.spaces.enums import MembershipStatus, Role
from hub.spaces.models import Hub, Membership
from tests import factories as make
from tests.live import Page

pytestmark = pytest.mark.django_db(transaction=True)
BACKEND = "django.contrib.auth.backends.ModelBackend"
PASSWORD = "ひなたぼっこ-2026"
HUBS = ("ekimae", "yagi")

#: What a role hears at its own hub, beside its own `me.`; `hub.` is for every active person, at both hubs.
HEARS = {
    Role.WORKER: set(),
    Role.DOOR: {"door", "day"},
    Role.CARER: {"day", "care"},
    Role.COMMUNITY: {"door", "day"},
    Role.DIRECTOR: set(),
    Role.MANAGER: {"door", "day"},
    Role.OFFICER: set(),
}


@pytest.fixture(autouse=True)
def _our_name(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["hub.example", "testserver"]


@pytest.fixture(autouse=True)
async def _connections() -> AsyncIterator[None]:
    """The consumers' thread keeps its connection; PostgreSQL drops no database that somebody still uses."""
    yield
    await sync_to_async(connections.close_all)()


def key_for(member: Member, **more: Any) -> str:
    """A session of ``member``, as signing in makes it."""
    session = import_module(django_settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(member.pk)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = member.get_session_auth_hash()
    session.update(more)
    session.create()
    return str(session.session_key)


class World(SimpleNamespace):
    """Two hubs, and a manager at each."""

    def person(
        self, role: Role, status: MembershipStatus = MembershipStatus.ACTIVE, hub: Any = None
    ) -> Member:
        """Somebody who has this one role at one hub."""
        member = make.make_member("役 ひとつ", f"{role}@example.org", hub=hub or self.ekimae, role=role)
        Membership.objects.filter(member=member).update(status=status)
        return member

    def also(self, member: Member, role: Role, hub: Any) -> None:
        """The same person has another role."""
        Membership.objects.create(member=member, hub=hub, role=role, since=make.NOW, changed_at=make.NOW)


@pytest.fixture
def world(db: None) -> World:
    ekimae, yagi = make.make_hub("ekimae", seats=1), make.make_hub("yagi", seats=1, name="八木ハブ")
    manager = make.make_member("責任 さん", "manager@demo.example", hub=ekimae, role=Role.MANAGER)
    return World(ekimae=ekimae, yagi=yagi, manager=manager)


def every_group(other: Member) -> list[str]:
    """Every kind at every hub, somebody else's own, and names that are no group at all."""
    kinds = [f"{kind}.{slug}" for slug in (*HUBS, "nowhere") for kind in ("hub", "door", "day", "care")]
    return [*kinds, f"me.{other.code}", live.member_group(other.code), "work.ekimae", "me.", "hub"]


async def heard_by(member: Member, other: Member) -> set[str]:
    """The groups that let ``member`` in, her own aside; fresh sockets, since one may join and say only so much."""
    key, own, groups = await sync_to_async(key_for)(member), f"me.{member.code}", every_group(other)
    heard: set[str] = set()
    for n in range(0, len(groups), 7):
        page = await Page(key).enter()
        heard |= set(await page.join(*groups[n : n + 7], own))
        await page.leave()
    return heard - {own}


# ---------------------------------------------------------------- who may join


@pytest.mark.parametrize("slug", HUBS)
async def test_each_role_hears_its_own_hub_only(slug: str, world: World) -> None:
    hub = await Hub.objects.aget(slug=slug)
    found = {
        role: await heard_by(await sync_to_async(world.person)(role, hub=hub), world.manager) for role in Role
    }

    assert found == {
        role: {f"{kind}.{slug}" for kind in HEARS[role]} | {"hub.ekimae", "hub.yagi"} for role in Role
    }


@pytest.mark.parametrize("status", [MembershipStatus.ENDED, MembershipStatus.BLOCKED])
async def test_ended_or_blocked_role_hears_oneself_only(status: MembershipStatus, world: World) -> None:
    found = {
        role: await heard_by(await sync_to_async(world.person)(role, status), world.manager) for role in Role
    }

    assert found == {role: set() for role in Role}


async def test_somebody_without_any_role_hears_oneself_only(world: World) -> None:
    member = await sync_to_async(Member.objects.create_user)("new@example.org", name="はじめて さん")

    assert await heard_by(member, world.manager) == set()


async def test_several_roles_add_up(world: World) -> None:
    def two() -> Member:
        member = world.person(Role.DOOR)
        world.also(member, Role.CARER, world.yagi)
        return member

    found = await heard_by(await sync_to_async(two)(), world.manager)

    assert found == {"hub.ekimae", "hub.yagi", "door.ekimae", "day.ekimae", "day.yagi", "care.yagi"}


def ended_session(member: Member) -> str:
    key = key_for(member)
    import_module(django_settings.SESSION_ENGINE).SessionStore(key).delete()
    return key


def expired_session(member: Member) -> str:
    return key_for(member, _session_expiry=-1)


def deactivated(member: Member) -> str:
    key = key_for(member)
    Member.objects.filter(pk=member.pk).update(is_active=False)
    return key


def other_password(member: Member) -> str:
    key = key_for(member)
    member.set_password("another one 2026")
    member.save()
    return key


def foreign_backend(member: Member) -> str:
    return key_for(member, **{BACKEND_SESSION_KEY: "django.contrib.auth.backends.RemoteUserBackend"})


def anonymous(member: Member) -> str:
    session = import_module(django_settings.SESSION_ENGINE).SessionStore()
    session["something"] = 1
    session.create()
    return str(session.session_key)


@pytest.mark.parametrize(
    "make_key", [ended_session, expired_session, deactivated, other_password, foreign_backend, anonymous]
)
async def test_session_that_no_longer_stands_opens_nothing(
    make_key: Callable[[Member], str], world: World
) -> None:
    page = Page(await sync_to_async(make_key)(world.manager))

    assert await page.knock() == ("accept", None)
    assert await page.hear() == {"closed": 4401}


# ---------------------------------------------------------------- how rights end


def browser(member: Member) -> Client:
    """A browser in which ``member`` is signed in."""
    client = Client()
    client.force_login(member, backend=BACKEND)
    return client


def key_of(client: Client) -> str:
    return str(client.cookies[django_settings.SESSION_COOKIE_NAME].value)


def sign_out(world: World, me: Member, client: Client) -> None:
    client.post(reverse("sign_out"))


def sign_out_of_the_admin(world: World, me: Member, client: Client) -> None:
    Member.objects.filter(pk=me.pk).update(is_staff=True)
    client.post(reverse("admin:logout"))


def sign_in_as_another_of_the_demo(world: World, me: Member, client: Client) -> None:
    Member.objects.filter(pk=world.manager.pk).update(is_demo=True)
    client.post("/demo/sign-in/", {"who": "manager"})


def sign_out_elsewhere(world: World, me: Member, client: Client) -> None:
    browser(me).post(reverse("sign_out_elsewhere"))


def change_password_elsewhere(world: World, me: Member, client: Client) -> None:
    words = {"oldpassword": PASSWORD, "password1": "あたらしい-ことば-7", "password2": "あたらしい-ことば-7"}
    assert browser(me).post(reverse("account_change_password"), words).status_code == 302


def reset_password(world: World, me: Member, client: Client) -> None:
    visitor = Client()
    visitor.post(reverse("account_reset_password"), {"email": me.email})
    code = next(line.strip() for line in mail.outbox[-1].body.splitlines() if line.strip().isdecimal())
    visitor.post(reverse("account_confirm_password_reset_code"), {"code": code})
    words = {"password1": "あたらしい-ことば-7", "password2": "あたらしい-ことば-7"}
    visitor.post(reverse("account_complete_password_reset"), words)
    assert Member.objects.get(pk=me.pk).check_password("あたらしい-ことば-7")


def delete_the_account(world: World, me: Member, client: Client) -> None:
    erase_member(me)


def be_switched_off_in_the_admin(world: World, me: Member, client: Client) -> None:
    chief = Member.objects.create_superuser("chief@example.org", name="管理 さん")
    answer = browser(chief).post(reverse("admin:members_member_change", args=[me.pk]), {
        "guardianships-TOTAL_FORMS": 0, "guardianships-INITIAL_FORMS": 0,
        "api_tokens-TOTAL_FORMS": 0, "api_tokens-INITIAL_FORMS": 0,
    })  # fmt: skip
    assert answer.status_code == 302
    assert not Member.objects.get(pk=me.pk).is_active


END_THE_SESSION = [
    sign_out, sign_out_of_the_admin, sign_in_as_another_of_the_demo, sign_out_elsewhere,
    change_password_elsewhere, reset_password, delete_the_account, be_switched_off_in_the_admin,
]  # fmt: skip


@pytest.fixture
def _slow_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer must not be what finds it."""
    monkeypatch.setattr(sockets, "CHECK_EVERY", 3600.0)


@pytest.mark.usefixtures("_slow_timer")
@pytest.mark.parametrize("end", END_THE_SESSION)
async def test_socket_closes_within_a_second_when_the_session_ends(
    end: Callable[[World, Member, Client], None], world: World, settings: Any
) -> None:
    settings.HIDAMARI_DEMO = True

    def begin() -> tuple[Member, Client]:
        member = world.person(Role.CARER)
        member.set_password(PASSWORD)
        member.save()
        EmailAddress.objects.create(user=member, email=member.email, verified=True, primary=True)
        return member, browser(member)

    member, client = await sync_to_async(begin)()
    page = await Page(key_of(client)).enter()
    assert await page.join("care.ekimae") == ["care.ekimae"]

    await sync_to_async(end)(world, member, client)

    assert await page.hear(timeout=1) == {"closed": 4401}


@pytest.mark.usefixtures("_slow_timer")
async def test_signing_out_closes_the_pages_of_this_browser_only(world: World) -> None:
    member = await sync_to_async(world.person)(Role.CARER)
    here, there = await sync_to_async(browser)(member), await sync_to_async(browser)(member)
    tabs = [await Page(key_of(here)).enter() for _ in range(2)]
    phone = await Page(key_of(there)).enter()

    await sync_to_async(sign_out)(world, member, here)

    assert [await tab.hear(timeout=1) for tab in tabs] == [{"closed": 4401}] * 2
    assert await phone.receive_nothing()
    assert await phone.join("care.ekimae") == ["care.ekimae"]
    await phone.leave()


@pytest.mark.usefixtures("_slow_timer")
async def test_sign_out_elsewhere_keeps_nothing_open_under_the_old_key(world: World) -> None:
    """This browser goes on with a new key: its other tabs close too, come back with the new cookie and are let in."""
    member = await sync_to_async(world.person)(Role.CARER)
    client = await sync_to_async(browser)(member)
    tab = await Page(key_of(client)).enter()

    await sync_to_async(client.post)(reverse("sign_out_elsewhere"))

    assert await tab.hear(timeout=1) == {"closed": 4401}
    back = await Page(key_of(client)).enter()
    assert await back.join("care.ekimae") == ["care.ekimae"]
    await back.leave()


@pytest.mark.usefixtures("_slow_timer")
async def test_role_that_ends_takes_its_groups_and_leaves_the_rest(world: World) -> None:
    def begin() -> tuple[Member, str]:
        member = world.person(Role.CARER)
        world.also(member, Role.WORKER, world.ekimae)
        return member, key_for(member)

    member, key = await sync_to_async(begin)()
    page = await Page(key).enter()
    await page.join("care.ekimae", "day.ekimae", "hub.ekimae", f"me.{member.code}")

    await sync_to_async(people.end_role)(
        actor=world.manager, hub=world.ekimae, member=member, role=Role.CARER
    )

    assert await page.hear(timeout=1) == {"kind": "left", "group": "care.ekimae"}
    assert await page.hear(timeout=1) == {"kind": "left", "group": "day.ekimae"}
    await sync_to_async(live.broadcast)("care.ekimae", "care")
    await sync_to_async(live.broadcast)("hub.ekimae", "availability")
    assert await page.hear() == {"kind": "availability", "group": "hub.ekimae"}
    await page.leave()


@pytest.mark.usefixtures("_slow_timer")
async def test_block_takes_the_groups_that_need_an_active_role(world: World) -> None:
    member = await sync_to_async(world.person)(Role.WORKER)
    page = await Page(await sync_to_async(key_for)(member)).enter()
    await page.join("hub.ekimae", f"me.{member.code}")

    await sync_to_async(blocks.block_member)(
        actor=world.manager, hub=world.ekimae, member=member, reason="やくそくの ため", cancel_visits=False
    )

    assert await page.hear(timeout=1) == {"kind": "left", "group": "hub.ekimae"}
    await sync_to_async(live.broadcast)(f"me.{member.code}", "presence")
    assert await page.hear() == {"kind": "presence", "group": f"me.{member.code}"}
    await page.leave()


@pytest.mark.usefixtures("_slow_timer")
async def test_change_that_is_undone_closes_nothing(world: World) -> None:
    """The only manager cannot end her role: her page hears nothing of the try."""
    page = await Page(await sync_to_async(key_for)(world.manager)).enter()
    await page.join("day.ekimae")
    end = {"actor": world.manager, "hub": world.ekimae, "member": world.manager, "role": Role.MANAGER}
    with pytest.raises(Exception, match="last_manager"):
        await sync_to_async(people.end_role)(**end)

    assert await page.receive_nothing()
    await page.leave()
