"""Making members, one spelling of furigana, and the admin that looks but does not touch."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress

from hub.core.errors import DomainError
from hub.members.models import Member
from hub.members.queries import member_by_email
from hub.members.services import create_member, furigana

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ヤマダ　ミサキ", "やまだ みさき"),
        ("ﾔﾏﾀﾞ ﾐｻｷ", "やまだ みさき"),
        ("  やまだ   みさき ", "やまだ みさき"),
        ("ヴィクトリア・ローズ", "ゔぃくとりあ・ろーず"),
        ("", ""),
    ],
)
def test_furigana_has_one_spelling(typed: str, stored: str) -> None:
    assert furigana(typed) == stored


def test_member_made_by_staff_has_a_verified_address() -> None:
    member = create_member(email=" Anna@Example.com", name="Anna　田中", kana="アンナ")
    assert (member.email, member.name, member.kana) == ("anna@example.com", "Anna 田中", "あんな")
    row = EmailAddress.objects.get(user=member)
    assert (row.email, row.verified, row.primary) == ("anna@example.com", True, True)
    assert not member.has_usable_password()


def test_members_without_address_may_be_many() -> None:
    first, second = create_member(name="電話の 人"), create_member(name="電話の 人", email="  ")
    assert (first.email, second.email) == (None, None)
    assert EmailAddress.objects.count() == 0


def test_same_address_twice_is_refused_in_any_case() -> None:
    create_member(email="anna@example.com")
    with pytest.raises(DomainError) as caught:
        create_member(email="ANNA@example.com")
    assert caught.value.code == "email_taken"
    assert Member.objects.count() == 1


def test_member_is_found_by_address_in_any_case() -> None:
    member = create_member(email="anna@example.com")
    assert member_by_email(" ANNA@example.com") == member
    member.is_active = False
    member.save()
    assert member_by_email("anna@example.com") is None


def test_admin_shows_people_without_secrets(client: Any, cast: Any) -> None:
    boss = Member.objects.create_superuser("root@example.com", "x" * 12)
    boss.name = "かんり"
    boss.save()
    client.force_login(boss, backend="django.contrib.auth.backends.ModelBackend")
    assert "misaki@demo.example" in client.get("/admin/members/member/").content.decode()
    page = client.get(f"/admin/members/member/{cast.misaki.pk}/change/").content.decode()
    assert "password" not in page.split("<form id=", 1)[-1].lower()
    assert client.get("/admin/members/member/add/").status_code == 403
    assert client.post(f"/admin/members/member/{cast.misaki.pk}/delete/").status_code == 403
