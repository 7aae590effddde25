"""Children: registered by a guardian, decided by the manager, told by mail without a word of health."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.http import Http404

from hub.childcare import children as services
from hub.childcare.enums import ChildStatus
from hub.childcare.models import CarePlace, Child
from hub.core import hooks, tasks
from hub.core.errors import DomainError
from hub.members.models import Guardian, Household
from hub.spaces.models import Visit
from tests import factories as make

pytestmark = pytest.mark.django_db

ALLERGY = "たまご。薬は かばんの 中です。"
MORE_THAN_ONE_LINE = 2


def answers(birthday: date = date(2024, 5, 3), **more: Any) -> dict[str, Any]:
    """What a parent types."""
    parts = {"birthday_year": birthday.year, "birthday_month": birthday.month, "birthday_day": birthday.day}
    return {"name": "そら", "kana": "ソラ", "hub": "ekimae", "allergy": "", **parts, **more}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decision is mailed, as `hub.wiring` says."""
    monkeypatch.setitem(hooks._subscribers, "child_decided", ["hub.childcare.mail.tell_decided"])


def book_place(cast: Any, child: Child) -> None:
    when = make.period(10, 12)
    visit = Visit.objects.create(
        member=cast.misaki,
        booked_by=cast.misaki,
        hub=cast.ekimae,
        starts_at=when.starts_at,
        ends_at=when.ends_at,
    )
    CarePlace.objects.create(
        visit=visit, child=child, room=cast.room, starts_at=when.starts_at, ends_at=when.ends_at
    )


# ---------------------------------------------------------------- registering


def test_child_is_registered_and_waits(as_: Any, cast: Any) -> None:
    answer = as_(cast.misaki).post("/me/children/new/", answers(allergy=ALLERGY, consent="on"))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/me/children/")
    child = Child.objects.get(name="そら")
    assert (child.kana, child.birthday, child.status) == ("そら", date(2024, 5, 3), ChildStatus.PENDING)
    assert (child.household, child.hub, child.allergy) == (cast.household, cast.ekimae, ALLERGY)


def test_health_text_is_sealed_in_the_database(cast: Any) -> None:
    child = services.register_child(
        guardian=cast.misaki,
        hub=cast.ekimae,
        name="そら",
        kana="そら",
        birthday=date(2024, 5, 3),
        allergy=ALLERGY,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT allergy_sealed FROM childcare_child WHERE code = %s", [child.code])
        stored = bytes(cursor.fetchone()[0])
    assert ALLERGY.encode() not in stored
    assert Child.objects.get(pk=child.pk).allergy == ALLERGY


def test_first_child_makes_the_household_once(cast: Any) -> None:
    data = {"guardian": cast.stranger, "hub": cast.yagi, "kana": "そら", "birthday": date(2024, 5, 3)}
    first = services.register_child(name="そら", **data)
    second = services.register_child(name="りく", **data)
    assert first.household == second.household
    assert list(first.household.guardians.values_list("member", flat=True)) == [cast.stranger.pk]


def test_child_of_another_household_cannot_be_registered(cast: Any) -> None:
    with pytest.raises(Http404):
        services.register_child(
            guardian=cast.stranger, hub=cast.yagi, name="そら", kana="そら", birthday=date(2024, 5, 3),
            household=cast.household,
        )  # fmt: skip
    assert Household.objects.count() == 1


def test_home_hub_is_offered_first(as_: Any, cast: Any) -> None:
    page = as_(cast.stranger).get("/me/children/new/").content.decode()
    assert page.index('value="yagi"') < page.index('value="ekimae"')
    assert "読むのは、あなたの 家族の 保護者と、子どもを 預かる 保育者 だけです。" in page


def test_health_text_without_consent_is_not_taken(as_: Any, cast: Any) -> None:
    answer = as_(cast.misaki).post("/me/children/new/", answers(allergy=ALLERGY))
    assert answer.status_code == 422
    assert answer.content.decode().count("書いたことを 保育者が 読んでよければ、しるしを つけてください") == 2
    assert not Child.objects.filter(name="そら").exists()


@pytest.mark.parametrize(
    ("birthday", "sentence"),
    [
        (("2026", "12", "8"), "生まれた日が きょうより あとに なっています。"),
        (("2020", "4", "1"), "お預かりは 小学校に 入る前までです。"),
        (("1985", "3", "1"), "子どもの 生まれた年を たしかめてください。"),
        (("2024", "2", "30"), "カレンダーに ない 日です。"),
        (("24", "2", "3"), "西れきの 4けたで 入れてください"),
        (("", "", ""), "生まれた 年・月・日を 入れてください"),
        (("2024", "", "3"), "年・月・日を ぜんぶ 入れてください"),
        (("2024", "あ", "3"), "カレンダーに ない 日です。"),
        (("0000", "0", "0"), "西れきの 4けたで 入れてください"),
    ],
)
def test_birthday_that_cannot_be_has_its_own_sentence(
    as_: Any, cast: Any, birthday: tuple[str, str, str], sentence: str
) -> None:
    year, month, day = birthday
    typed = {"birthday_year": year, "birthday_month": month, "birthday_day": day}
    answer = as_(cast.misaki).post("/me/children/new/", {**answers(), **typed})
    assert answer.status_code == 422
    assert answer.content.decode().count(sentence) == MORE_THAN_ONE_LINE  # summary and field
    assert not Child.objects.filter(name="そら").exists()


def test_child_born_today_and_the_youngest_school_child_meet_the_rule(cast: Any) -> None:
    services.check_birthday(make.TODAY, make.TODAY)
    services.check_birthday(date(2020, 4, 2), date(2027, 3, 31))  # class 5 to the end of the fiscal year
    with pytest.raises(DomainError) as caught:
        services.check_birthday(date(2020, 4, 2), date(2027, 4, 1))
    assert (caught.value.code, caught.value.status) == ("school_age", 409)


def test_full_width_birthday_is_repaired(as_: Any, cast: Any) -> None:
    typed = {"birthday_year": "２０２４年", "birthday_month": "５月", "birthday_day": " ３"}
    as_(cast.misaki).post("/me/children/new/", {**answers(), **typed})
    assert Child.objects.get(name="そら").birthday == date(2024, 5, 3)


def test_thirteenth_child_of_a_household_is_refused(as_: Any, cast: Any) -> None:
    for n in range(10):
        make.make_child(cast.household, cast.ekimae, name=f"子{n}")
    answer = as_(cast.misaki).post("/me/children/new/", answers())
    assert answer.status_code == 409
    assert "子どもは 12人 までです。" in answer.content.decode()


def test_closed_hub_takes_no_registration(as_: Any, cast: Any) -> None:
    cast.yagi.is_open = False
    cast.yagi.save()
    answer = as_(cast.misaki).post("/me/children/new/", answers(hub="yagi"))
    child = Child.objects.filter(name="そら").first()
    assert answer.status_code in (302, 422)
    assert child is None or child.hub == cast.ekimae


# ---------------------------------------------------------------- looking


def test_list_shows_class_and_state_in_words(as_: Any, cast: Any) -> None:
    child = make.make_child(cast.household, cast.ekimae, 2, name="そら", status=ChildStatus.RETURNED)
    child.return_reason = "生年月日を たしかめてください。"
    child.save()
    page = as_(cast.kenta).get("/me/children/").content.decode()
    for words in (
        "はるさん",
        "4さい児",
        "1さい児",
        "預けられます",
        "なおす ところが あります",
        child.return_reason,
    ):
        assert words in page


def test_list_says_that_a_school_child_is_not_taken(as_: Any, cast: Any) -> None:
    Child.objects.filter(pk=cast.haru.pk).update(birthday=date(2020, 4, 1))
    page = as_(cast.misaki).get("/me/children/").content.decode()
    assert "小学生に なったので、お預かりは 終わりました。" in page


@pytest.mark.parametrize("method", ["get", "post"])
def test_child_of_others_is_not_there(as_: Any, cast: Any, method: str) -> None:
    for person in (cast.stranger, cast.door, cast.manager, cast.yagi_manager):
        answer = getattr(as_(person), method)(f"/me/children/{cast.haru.code}/", answers())
        assert answer.status_code == 404
    assert Child.objects.get(pk=cast.haru.pk).name == "はる"


@pytest.mark.parametrize("code", ["NOPE", "1", "0" * 300])
def test_unknown_child_is_not_there(as_: Any, cast: Any, code: str) -> None:
    assert as_(cast.misaki).get(f"/me/children/{code}/").status_code == 404


def test_pages_of_children_open_in_english(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    for page in ("", "new/", f"{cast.haru.code}/"):
        answer = client.get(f"/en/me/children/{page}")
        assert answer.status_code == 200
        assert '<html lang="en">' in answer.content.decode()


def test_wrong_method_is_refused(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    assert client.post("/me/children/").status_code == 405
    assert client.delete(f"/me/children/{cast.haru.code}/").status_code == 405


# ---------------------------------------------------------------- correcting


def test_new_name_keeps_the_approval(as_: Any, cast: Any) -> None:
    data = answers(cast.haru.birthday, name="はると", kana="はると")
    assert as_(cast.kenta).post(f"/me/children/{cast.haru.code}/", data).status_code == 302
    fresh = Child.objects.get(pk=cast.haru.pk)
    assert (fresh.name, fresh.status) == ("はると", ChildStatus.APPROVED)


@pytest.mark.parametrize("change", [{"allergy": ALLERGY, "consent": "on"}, {"birthday_day": "2"}])
def test_new_allergy_or_birthday_is_looked_at_again(as_: Any, cast: Any, change: dict[str, str]) -> None:
    client = as_(cast.misaki)
    assert "ハブが もう一度 確認します。" in client.get(f"/me/children/{cast.haru.code}/").content.decode()
    answer = client.post(
        f"/me/children/{cast.haru.code}/", {**answers(cast.haru.birthday), **change}, follow=True
    )
    assert "直しました。ハブが もう一度 確認します。" in answer.content.decode()
    assert Child.objects.get(pk=cast.haru.pk).status == ChildStatus.PENDING


def test_returned_child_goes_back_to_the_manager(as_: Any, cast: Any) -> None:
    Child.objects.filter(pk=cast.haru.pk).update(
        status=ChildStatus.RETURNED, return_reason="ふりがなを 直してください。"
    )
    as_(cast.misaki).post(
        f"/me/children/{cast.haru.code}/", answers(cast.haru.birthday, name="はる", kana="はる")
    )
    fresh = Child.objects.get(pk=cast.haru.pk)
    assert (fresh.status, fresh.return_reason, fresh.decided_at) == (ChildStatus.PENDING, "", None)


def test_birthday_is_fixed_once_a_place_was_booked(as_: Any, cast: Any) -> None:
    book_place(cast, cast.haru)
    client = as_(cast.misaki)
    page = client.get(f"/me/children/{cast.haru.code}/").content.decode()
    assert "生年月日を なおすときは ハブに 電話してください" in page
    assert "birthday_year" not in page
    client.post(f"/me/children/{cast.haru.code}/", answers(date(2023, 1, 1), name="はる", kana="はる"))
    fresh = Child.objects.get(pk=cast.haru.pk)
    assert (fresh.birthday, fresh.status) == (cast.haru.birthday, ChildStatus.APPROVED)
    with pytest.raises(DomainError) as caught:
        services.update_child(cast.haru, name="はる", kana="はる", allergy="", birthday=date(2023, 1, 1))
    assert caught.value.code == "birthday_fixed"


def test_ended_child_is_not_changed(cast: Any) -> None:
    Child.objects.filter(pk=cast.haru.pk).update(status=ChildStatus.ENDED)
    with pytest.raises(Http404):
        services.update_child(cast.haru, name="x", kana="x", allergy="")
    with pytest.raises(Http404):
        services.child_for(cast.misaki, cast.haru.code)


# ---------------------------------------------------------------- deciding


def waiting(cast: Any) -> Child:
    Child.objects.filter(pk=cast.haru.pk).update(status=ChildStatus.PENDING)
    child: Child = Child.objects.get(pk=cast.haru.pk)
    child.allergy = ALLERGY
    child.save()
    return child


def test_approved_child_is_mailed_to_both_guardians_in_their_language(cast: Any, told: None) -> None:
    cast.kenta.language = "en"
    cast.kenta.save()
    after = services.decide_child(child=waiting(cast), by=cast.manager, approve=True)
    assert (after.status, after.decided_by) == (ChildStatus.APPROVED, cast.manager)
    assert mail.outbox == []  # the queue is the outbox: nothing goes before the commit
    tasks.run_pending()
    assert sorted(message.to[0] for message in mail.outbox) == ["kenta@demo.example", "misaki@demo.example"]
    to_misaki = next(message for message in mail.outbox if message.to == ["misaki@demo.example"])
    assert to_misaki.subject == "はるさんを 預けられます | ひだまり"
    to_kenta = next(message for message in mail.outbox if message.to == ["kenta@demo.example"])
    assert "/en/book/" in to_kenta.body
    assert "Ekimae" in to_kenta.body


def test_returned_child_needs_a_reason_and_the_mail_keeps_it_out(cast: Any, told: None) -> None:
    child = waiting(cast)
    with pytest.raises(DomainError) as caught:
        services.decide_child(child=child, by=cast.manager, approve=False, reason="  ")
    assert (caught.value.code, caught.value.status) == ("reason_missing", 422)
    services.decide_child(
        child=child, by=cast.manager, approve=False, reason="アレルギーの 薬の 名前を 書いてください。"
    )
    tasks.run_pending()
    assert len(mail.outbox) == 2
    for message in mail.outbox:
        for word in ("アレルギー", "たまご", "薬"):
            assert word not in f"{message.subject} {message.body}"
        assert f"/me/children/{child.code}/" in message.body


def test_second_decision_is_refused(cast: Any) -> None:
    child = waiting(cast)
    services.decide_child(child=child, by=cast.manager, approve=True)
    with pytest.raises(DomainError) as caught:
        services.decide_child(child=child, by=cast.manager, approve=False, reason="やっぱり")
    assert caught.value.code == "already_decided"
    assert Child.objects.get(pk=child.pk).status == ChildStatus.APPROVED


def test_mail_is_not_sent_once_the_child_is_open_again(cast: Any, told: None) -> None:
    child = services.decide_child(child=waiting(cast), by=cast.manager, approve=True)
    services.update_child(child, name="はる", kana="はる", allergy="なし")
    tasks.run_pending()
    assert mail.outbox == []


def test_mail_is_not_sent_to_who_left_the_household(cast: Any, told: None) -> None:
    services.decide_child(child=waiting(cast), by=cast.manager, approve=True)
    Guardian.objects.filter(member=cast.kenta).delete()
    tasks.run_pending()
    assert [message.to for message in mail.outbox] == [["misaki@demo.example"]]


def test_decision_rolled_back_tells_nobody(cast: Any, told: None, monkeypatch: pytest.MonkeyPatch) -> None:
    child = waiting(cast)

    def broken(event: str, **data: Any) -> None:
        raise RuntimeError(event)

    monkeypatch.setattr(hooks, "emit", broken)
    with pytest.raises(RuntimeError):
        services.decide_child(child=child, by=cast.manager, approve=True)
    assert Child.objects.get(pk=child.pk).status == ChildStatus.PENDING


def test_submitting_again_moves_to_the_end_of_the_line(cast: Any, now: Any) -> None:
    child = waiting(cast)
    before = child.submitted_at
    services.decide_child(child=child, by=cast.manager, approve=False, reason="直してください")
    now.shift(timedelta(hours=1))
    after = services.update_child(child, name="はる", kana="はる", allergy=ALLERGY)
    assert after.submitted_at - before == timedelta(hours=1)


# ---------------------------------------------------------------- forgetting


def test_health_text_is_forgotten_five_years_after_starting_school(cast: Any) -> None:
    child = waiting(cast)
    Child.objects.filter(pk=child.pk).update(birthday=date(2020, 4, 2))  # school from April 2027
    assert services.forget_health(date(2032, 3, 31)) == 0
    assert Child.objects.get(pk=child.pk).allergy == ALLERGY
    assert services.forget_health(date(2032, 4, 1)) == 1
    assert Child.objects.get(pk=child.pk).allergy == ""
