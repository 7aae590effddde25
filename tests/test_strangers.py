"""I10: nobody reads another household's data. Every URL and every call, as nobody and as a worker of another hub.

The lists below are compared with the URLs and the calls that exist: a new one without an entry fails. Real things of
Misaki's household stand behind every code. What is asked is written (POST) too, and nothing may have changed.
"""

import json
import re
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import translation

from hub.booking import services, waiting, week
from hub.booking.feeds import new_feed
from hub.booking.models import Offer, WaitChild, WaitEntry
from hub.booking.models_week import SeriesDate
from hub.booking.requests import ChildWish
from hub.checkin.models import Pass, Presence, Scan
from hub.checkin.visitors import enter_visitor
from hub.childcare.enums import ChangeKind
from hub.childcare.models import Attendance, CarePlace, Carer, Child, Custody, Shift, ShiftChange, SickLeave
from hub.core.db import run_write
from hub.members import factors
from hub.members.models import Guardian, Member, PickupAdult
from hub.members.services import add_pickup_adult, new_household_invitation
from hub.members.tokens import new_token
from hub.notices.models import Notice, PushSubscription
from hub.spaces.models import Closure, Membership, RoleInvitation, Visit
from hub.urls import api
from hub.work import handing, statements
from hub.work.models import (
    Appeal,
    Assignment,
    ControlItem,
    Draft,
    Earning,
    Lease,
    LedgerLine,
    Lot,
    Nda,
    OfferedHours,
    Order,
    OrderRate,
    OrderTerms,
    PayProfile,
    Question,
    Skill,
    Statement,
    Unit,
    UnitImport,
    WorkRates,
)
from hub.work.models import Client as WorkClient
from hub.work.models import Delivery as WorkDelivery
from tests import factories as make
from tests.booking.usual import pattern
from tests.checkin import door
from tests.work import earned, hands, hands_desk, hands_phone, work

#: For everybody: shown without signing in, and holds nothing of anybody.
OPEN = {
    "front", "today", "about", "hub_page", "health", "account_login", "account_signup", "account_inactive",
    "account_reset_password", "account_password_reset_completed", "account_request_login_code", "manifest",
    "service_worker", "offline", "home_screen", "door_manifest",
}  # fmt: skip
#: Steps of signing in and of the demo: they lead on, or are nothing here; what they hold is the asker's own.
STEPS = {
    "demo_inbox", "demo_attachment", "demo_sign_in", "styleguide", "account_logout", "account_email_verification_sent",
    "account_confirm_login_code", "account_confirm_password_reset_code", "account_complete_password_reset",
    "mfa_authenticate", "mfa_login_webauthn", "admin_sign_in", "calendar_feed",
}  # fmt: skip
#: Pages about oneself: a stranger sees her own.
OWN = {
    "welcome", "after_sign_in", "me", "home_hub", "account_delete", "book", "book_post", "book_avail", "book_seat",
    "book_seat_pick", "visits", "account", "household", "api_tokens", "children", "child_add", "sign_out",
    "sign_out_elsewhere", "household_invite", "account_reauthenticate", "account_email", "account_change_password",
    "account_set_password", "shared_device",
    "mfa_index", "second_factor", "second_factor_done", "mfa_reauthenticate", "mfa_activate_totp",
    "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes",
    "mfa_add_webauthn", "mfa_reauthenticate_webauthn",
    "pass", "today_now", "sick", "calendars",
    "today_notices", "notices", "notify", "push_subscribe",
    "wait", "waits",
    "pay", "pay_profile", "pay_year",
    "series_new", "series_preview", "series_post",
    "jobs",
}  # fmt: skip
#: Things of somebody else: 404, whatever is asked. The words say which code stands in the address.
OTHERS: dict[str, tuple[str, ...]] = {
    "pass_visit": ("visit",),
    "sick_done": ("leave",),
    "calendar_revoke": ("feed",),
    "calendar_renew": ("feed",),
    "desk_calendars": ("hub",),
    "presence_left": ("presence",),
    "presence_still": ("presence",),
    "visit_ics": ("visit",),
    "visit_detail": ("visit",),
    "visit_done": ("visit",),
    "visit_change": ("visit",),
    "visit_extend": ("visit",),
    "visit_leave": ("visit",),
    "visit_cancel": ("visit",),
    "visit_cancel_child": ("visit", "child"),
    "visit_coming": ("visit",),
    "visit_not_coming": ("visit",),
    "wait_entry": ("wait",),
    "wait_leave": ("wait",),
    "offer": ("offer",),
    "offer_accept": ("offer",),
    "offer_decline": ("offer",),
    "desk_waiting": ("hub",),
    "desk_waive": ("hub", "member", "visit"),
    "pay_statement": ("statement",),
    "pay_pdf": ("statement",),
    "desk_pay": ("hub",),
    "desk_pay_make": ("hub",),
    "desk_pay_paid": ("hub",),
    "desk_pay_csv": ("hub",),
    "desk_pay_orders_csv": ("hub",),
    "desk_pay_undo": ("hub", "statement"),
    "desk_rates": ("hub",),
    "desk_ledger": ("hub",),
    "desk_ledger_remove": ("hub", "line"),
    "desk_price": ("hub", "order"),
    "series_detail": ("series",),
    "series_ics": ("series",),
    "series_change": ("series",),
    "series_cancel": ("series",),
    "household_revoke": ("household",),
    "pickup_add": ("household",),
    "pickup_end": ("household", "adult"),
    "household_join": ("wrong",),
    "api_token_revoke": ("token",),
    "push_remove": ("device",),
    "mfa_edit_webauthn": ("passkey",),
    "mfa_remove_webauthn": ("passkey",),
    "child_edit": ("child",),
    "household_leave": ("household",),
    "desk_book": ("hub",),
    "desk_new_member": ("hub",),
    "desk": ("hub",),
    "desk_inside": ("hub",),
    "desk_release": ("hub", "visit"),
    "desk_people": ("hub",),
    "desk_invite": ("hub",),
    "desk_invite_withdraw": ("hub", "invitation"),
    "desk_person": ("hub", "member"),
    "desk_role_add": ("hub", "member"),
    "desk_role_end": ("hub", "member", "role"),
    "desk_block": ("hub", "member"),
    "desk_unblock": ("hub", "member"),
    "desk_factors_reset": ("hub", "member"),
    "desk_hours": ("hub",),
    "desk_settings": ("hub",),
    "desk_closures": ("hub",),
    "desk_closure_end": ("hub", "closure"),
    "desk_storm": ("hub",),
    "desk_storm_steps": ("hub",),
    "desk_holidays": ("hub",),
    "desk_holidays_import": ("hub",),
    "desk_holiday": ("hub", "day"),
    "desk_seats": ("hub",),
    "desk_seat_new": ("hub",),
    "desk_seat": ("hub", "seat"),
    "desk_seat_off": ("hub", "seat"),
    "desk_seat_on": ("hub", "seat"),
    "desk_zone_new": ("hub",),
    "desk_zone": ("hub", "zone"),
    "desk_zone_delete": ("hub", "zone"),
    "desk_roster": ("hub",),
    "desk_shift_new": ("hub",),
    "desk_shift": ("hub", "shift"),
    "desk_shift_end": ("hub", "shift"),
    "desk_absent": ("hub",),
    "desk_extra": ("hub",),
    "desk_change_remove": ("hub", "change"),
    "desk_carers": ("hub",),
    "desk_carer_new": ("hub",),
    "desk_carer": ("hub", "carer"),
    "desk_carer_end": ("hub", "carer"),
    "desk_room_new": ("hub",),
    "desk_room": ("hub", "room"),
    "desk_quarter": ("hub",),
    "desk_work": ("hub",),
    "desk_clients": ("hub",),
    "desk_client_new": ("hub",),
    "desk_client": ("hub", "client"),
    "desk_nda_new": ("hub", "client"),
    "desk_order_new": ("hub",),
    "desk_order": ("hub", "order"),
    "desk_order_edit": ("hub", "order"),
    "desk_order_lots": ("hub", "order"),
    "desk_order_accept": ("hub", "order"),
    "desk_order_withdraw": ("hub", "order"),
    "desk_order_terms": ("hub", "order"),
    "desk_import_new": ("hub", "order"),
    "desk_unit": ("hub", "order", "unit"),
    "desk_import": ("hub", "import"),
    "desk_import_keep": ("hub", "import"),
    "desk_import_stop": ("hub", "import"),
    "desk_hand": ("hub", "order"),
    "desk_hand_share": ("hub", "order"),
    "desk_hand_invite": ("hub", "order", "lot"),
    "desk_hand_claims": ("hub", "order", "lot"),
    "job_offer": ("assignment",),
    "job_answer": ("assignment",),
    "job_notice": ("assignment",),
    "job_hand_back": ("assignment",),
    "job_take": ("job", "lot"),
    "job_hours": ("hub",),
    "job_assignment": ("doing",),
    "job_unit": ("task",),
    "job_draft": ("task",),
    "job_ask": ("task",),
    "job_appeal": ("delivery",),
    "desk_review": ("hub",),
    "desk_review_bulk": ("hub",),
    "desk_review_one": ("hub", "delivery"),
    "desk_questions": ("hub",),
    "desk_question": ("hub", "question"),
    "desk_control": ("hub", "order", "unit"),
    "desk_course": ("hub", "order", "unit"),
    "desk_levels": ("hub",),
    "desk_level": ("hub", "member"),
    "desk_appeals": ("hub",),
    "desk_appeal": ("hub", "appeal"),
    "desk_notices": ("hub",),
    "desk_children": ("hub",),
    "desk_child": ("hub", "child"),
    "desk_child_decide": ("hub", "child"),
    "desk_child_birthday": ("hub", "child"),
    "door": (),
    "door_counts": (),
    "door_scan": (),
    "door_result": ("scan",),
    "door_undo": ("scan",),
    "door_seat": ("scan",),
    "door_search": (),
    "door_visitor": (),
    "door_visitor_leave": ("visitor",),
    "care": (),
    "care_arrivals": (),
    "care_cover": (),
    "care_staff": (),
    "care_clock": ("carer",),
    "care_child": ("child",),
    "care_receive": ("child",),
    "care_hand_over": ("child",),
    "care_contact": ("child",),
    "care_undo": ("child",),
}
ARGS = OTHERS | {
    "hub_page": ("hub",),
    "demo_attachment": ("file", "number", "number"),
    "calendar_feed": ("wrong",),
}
#: Calls of the API: what a stranger gets. "own" is her own list, "open" needs no sign-in.
CALLS = {
    ("get", "/ping"): "own",
    ("get", "/hubs"): "own",
    ("get", "/hubs/{slug}"): "own",
    ("get", "/hubs/{slug}/availability"): "own",
    ("get", "/children"): "own",
    ("get", "/notices"): "own",
    ("post", "/hubs/{slug}/quote"): "others",
    ("post", "/visits"): "others",
    ("get", "/visits"): "own",
    ("get", "/visits/{code}"): "others",
    ("patch", "/visits/{code}"): "others",
    ("delete", "/visits/{code}"): "others",
    ("post", "/visits/{code}/extend"): "others",
    ("post", "/visits/{code}/leave-early"): "others",
    ("post", "/waiting"): "others",
    ("get", "/waiting"): "own",
    ("get", "/waiting/{code}"): "others",
    ("delete", "/waiting/{code}"): "others",
    ("post", "/offers/{code}/accept"): "others",
    ("post", "/offers/{code}/decline"): "others",
    ("get", "/visits/{code}/pass"): "others",
    ("get", "/checkin/inside"): "others",
    ("get", "/childcare/required"): "open",
    ("post", "/checkin/scans"): "others",
    ("post", "/checkin/scans/{id}/undo"): "others",
    ("post", "/series/preview"): "others",
    ("post", "/series"): "others",
    ("get", "/series"): "own",
    ("get", "/series/{code}"): "others",
    ("delete", "/series/{code}"): "others",
    ("get", "/tasks"): "own",
    ("get", "/tasks/{id}/material"): "others",
    ("post", "/tasks/{id}/submit"): "others",
}


#: Where somebody who is not signed in is sent: sign-in, sign-up, or the front page.
ENTRANCE = re.compile(r"/(en/)?(accounts/(login|signup)/.*)?$")


@pytest.fixture
def home(cast: SimpleNamespace) -> SimpleNamespace:
    """Misaki's household with something behind every code, and words that appear nowhere else."""
    Member.objects.filter(pk=cast.misaki.pk).update(kana="ひみつのみさき", phone="0900000001")
    Child.objects.filter(pk=cast.haru.pk).update(name="ひみつはる", kana="ひみつはる")
    Child.objects.filter(pk=cast.yui.pk).update(name="ひみつゆい", kana="ひみつゆい")
    haru = Child.objects.get(pk=cast.haru.pk)
    haru.allergy = "ひみつのたまご"
    haru.save()
    wish = make.request_for(cast.misaki, cast.ekimae, children=[ChildWish(cast.haru), ChildWish(cast.yui)])
    visit = services.book_visit(actor=cast.misaki, request=wish).visit
    usual = pattern(cast.misaki, cast.ekimae, days=[3], weeks=1, children=[cast.haru, cast.yui])
    series = week.confirm(member=cast.misaki, pattern=usual).series
    adult = add_pickup_adult(
        cast.household, name="ひみつばあば", kana="ひみつばあば", relation="祖母", phone="0900000002"
    )
    token, _raw = new_token(cast.misaki, "ひみつのしるし")
    new_household_invitation(cast.misaki)
    invitation = RoleInvitation.objects.create(
        hub=cast.ekimae, email="himitsu@example.org", role="door", invited_by=cast.manager
    )
    carer = Carer.objects.filter(hub=cast.ekimae).first()
    assert carer is not None
    change = ShiftChange.objects.create(
        carer=carer, room=cast.room, date=make.TOMORROW, kind=ChangeKind.ABSENT, note="ひみつの熱"
    )
    closure = Closure.objects.create(
        hub=cast.ekimae, starts_on=make.TODAY.replace(month=12, day=29), reason="ひみつの工事",
        ends_on=make.TODAY.replace(month=12, day=30),
    )  # fmt: skip
    Authenticator.objects.create(
        user=cast.misaki, type="webauthn", data={"name": "ひみつのかぎ", "credential": {}}
    )
    shift = Shift.objects.filter(room=cast.room).first()
    seat, zone = cast.ekimae.seats.first(), cast.ekimae.zones.first()
    assert shift is not None
    assert seat is not None
    assert zone is not None
    scan = door.scan(
        cast.door, cast.ekimae, door.token(cast.misaki, cast.ekimae)
    ).scan  # her visit is tomorrow
    visitor = enter_visitor(actor=cast.door, hub=cast.ekimae, name="ひみつの客")
    presence = Presence.objects.create(
        hub=cast.ekimae,
        member=cast.misaki,
        kind="worker",
        visit=visit,
        entered_at=make.NOW,
        entered_by=cast.door,
    )
    leave = SickLeave.objects.create(
        child=haru, first_on="2027-02-01", last_on="2027-02-01", reported_by=cast.misaki
    )
    device = PushSubscription.objects.create(
        member=cast.misaki, endpoint="https://web.push.apple.com/himitsu", server_key="x", device="ひみつの電話",
    )  # fmt: skip
    Notice.objects.create(
        member=cast.misaki, kind="change", topic="visit", event="x", language="ja", title="ひみつの知らせ"
    )
    held = make.request_for(cast.misaki, cast.ekimae, make.period(14, 16), children=[cast.yui])
    entry = WaitEntry.objects.create(
        member=cast.misaki, hub=cast.ekimae, day=make.TOMORROW, window_starts=make.at(14), window_ends=make.at(16),
        minutes=120, latest_start=make.at(14),
    )  # fmt: skip
    WaitChild.objects.create(entry=entry, child=cast.yui)
    offer = run_write(lambda: waiting.make_offer(entry, held))
    order = work.full_order(cast, title="ひみつの受注", client="ひみつ商店", content="ひみつの原稿")
    done = work.full_order(cast, title="ひみつの できた受注", client="ひみつ商会", content="ひみつの見本")
    delivery, question, appeal = hands_desk.told_to_nobody(cast, done)
    file = work.upload(cast, work.make_order(cast, order.client), [("himitsu-1", "ひみつの行")])
    job = work.accepted_order(cast, client=order.client, units=3, title="ひみつの しごと")
    assignment = hands.ask(cast, job, cast.misaki, 1)
    handing.answer(member=cast.misaki, code=assignment.code, yes=True)
    handing.set_claims(
        actor=cast.director, hub=cast.ekimae, order_code=job.code, lot_number=1, most_per_claim=2
    )
    earned.earn(earned.order_of(cast, title="ひみつの しごと"), cast.misaki, [1])
    run_write(lambda: statements._state(cast.ekimae, cast.misaki.pk, make.TODAY.replace(day=1)))
    statement = Statement.objects.get(member=cast.misaki)
    line = LedgerLine.objects.create(
        hub=cast.ekimae, month=make.TODAY.replace(day=1), kind="rent", yen=77_777, note="ひみつの家ちん"
    )
    taken = hands_phone.give(cast.misaki, order, 1)
    sent = hands_phone.send(cast, hands_phone.unit(taken), "ひみつの文")
    codes = {
        "job": job.code, "assignment": assignment.code, "lot": "1",
        "statement": statement.code, "line": line.code,
        "doing": taken.code, "task": sent.unit.code,
        "client": order.client.code, "order": order.code, "unit": "1", "import": file.code,
        "delivery": delivery.code, "question": question.code, "appeal": appeal.code,
        "wait": entry.code, "offer": offer.code,
        "device": device.code, "leave": leave.code, "feed": new_feed(cast.misaki, "ひみつの家")[0].code,
        "scan": str(scan.scan_id), "visitor": visitor.code,
        "series": series.code, "hub": "ekimae", "visit": visit.code, "child": haru.code, "household": cast.household.code,
        "adult": adult.code, "token": token.code, "wrong": "A" * 40, "invitation": invitation.code,
        "member": cast.misaki.code, "role": "worker", "closure": closure.code, "day": "2027-01-11",
        "seat": seat.code, "zone": zone.code, "shift": shift.code, "change": change.code, "carer": carer.code,
        "room": cast.room.code, "presence": presence.code, "file": "a.log", "number": "0",
        "passkey": factors.factors_of(cast.misaki).passkeys[0].code,
    }  # fmt: skip
    secrets = ["ひみつ", "himitsu", "0900000001", "0900000002", "misaki@demo.example", visit.code, token.code]
    secrets += [
        entry.code,
        series.code,
        offer.code,
        haru.code,
        cast.yui.code,
        cast.household.code,
        adult.code,
        cast.misaki.code,
        order.code,
        job.code,
        assignment.code,
        order.client.code,
        file.code,
        statement.code,
        line.code,
        "77,777",
        taken.code,
        sent.unit.code,
        sent.code,
        delivery.code,
        question.code,
        appeal.code,
    ]
    return SimpleNamespace(cast=cast, codes=codes, secrets=secrets, visit=visit)


def names(resolver: Any) -> set[str]:
    """Names of all URLs outside the admin and the API, which have their own tests below."""
    found: set[str] = set()
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            found.add(entry.name or str(entry.pattern))
        elif entry.namespace is None:
            found |= names(entry)
    return found


def address(name: str, codes: dict[str, str], language: str) -> str:
    with translation.override(language):
        return reverse(name, args=[codes[word] for word in ARGS.get(name, ())])


def told(body: str, path: str, secrets: list[str]) -> list[str]:
    """Secrets in ``body``, apart from codes that the asker herself put into the address."""
    return [word for word in secrets if word not in path and word in body]


def state() -> list[Any]:
    """What must not change, whoever asks."""
    return [
        list(Visit.objects.order_by("pk").values_list("pk", "status", "starts_at", "ends_at", "seat_id")),
        list(CarePlace.objects.order_by("pk").values_list("pk", "status", "starts_at", "ends_at")),
        list(SeriesDate.objects.order_by("pk").values_list("pk", "state", "starts", "ends", "visit_id")),
        list(Child.objects.order_by("pk").values_list("pk", "name", "household_id", "status", "birthday")),
        list(Guardian.objects.order_by("pk").values_list("household_id", "member_id")),
        list(PickupAdult.objects.order_by("pk").values_list("pk", "ended_at")),
        list(Custody.objects.order_by("pk").values_list("pk", "closed_at", "handover_id")),
        list(Attendance.objects.order_by("pk").values_list("pk", "kind", "ends_at")),
        list(Membership.objects.order_by("pk").values_list("member_id", "hub_id", "role", "status")),
        list(ShiftChange.objects.values_list("pk", flat=True)),
        list(RoleInvitation.objects.values_list("pk", flat=True)),
        list(Closure.objects.values_list("pk", flat=True)),
        list(Authenticator.objects.order_by("pk").values_list("pk", "user_id", "data")),
        list(Presence.objects.order_by("pk").values_list("pk", "left_at", "ended_as")),
        list(Scan.objects.order_by("pk").values_list("pk", "result", "undone_at")),
        list(Notice.objects.order_by("pk").values_list("pk", "read_at")),
        list(PushSubscription.objects.order_by("pk").values_list("pk", "member_id", "removed_at")),
        list(WaitEntry.objects.exclude(member__email="stranger@demo.example").values_list("pk", "state")),
        list(Offer.objects.values_list("pk", "state")),
        list(WorkClient.objects.order_by("pk").values_list("pk", "name")),
        list(Nda.objects.values_list("pk", flat=True)),
        list(Order.objects.order_by("pk").values_list("pk", "title", "state", "lots__size")),
        list(OrderTerms.objects.values_list("pk", "amount_yen")),
        list(Unit.objects.values_list("pk", flat=True)),
        list(UnitImport.objects.order_by("pk").values_list("pk", "state")),
        list(Assignment.objects.order_by("pk").values_list("pk", "state", "end_reason")),
        list(Lease.objects.order_by("pk").values_list("unit_id", "assignment_id")),
        list(OfferedHours.objects.order_by("pk").values_list("member_id", "minutes_a_week")),
        list(Statement.objects.order_by("pk").values_list("pk", "paid_on")),
        list(Earning.objects.order_by("pk").values_list("pk", "worker_yen", "statement_id")),
        list(LedgerLine.objects.order_by("pk").values_list("pk", "yen")),
        list(OrderRate.objects.order_by("pk").values_list("pk", "price_yen")),
        list(WorkRates.objects.order_by("pk").values_list("pk", "worker")),
        list(PayProfile.objects.exclude(member__email="stranger@demo.example").values_list("pk", flat=True)),
        list(Draft.objects.order_by("pk").values_list("pk", "saved_at")),
        list(WorkDelivery.objects.order_by("pk").values_list("pk", "state", "decided_at")),
        list(Question.objects.order_by("pk").values_list("pk", "answered_at")),
        list(Appeal.objects.order_by("pk").values_list("pk", "state")),
        list(ControlItem.objects.values_list("pk", flat=True)),
        list(Lot.objects.order_by("pk").values_list("pk", "opens_level")),
        list(Skill.objects.order_by("pk").values_list("pk", "level")),
        list(Pass.objects.exclude(member__email="stranger@demo.example").values_list("pk", flat=True)),
    ]


def test_every_url_has_an_entry() -> None:
    lists = [OPEN, STEPS, OWN, set(OTHERS)]

    assert names(get_resolver()) == set().union(*lists)
    assert sum(map(len, lists)) == len(set().union(*lists))


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_signed_out_nobody_reads_anything(language: str, method: str, home: SimpleNamespace) -> None:
    before, wrong = state(), []
    for name in sorted(OPEN | STEPS | OWN | set(OTHERS)):
        path = address(name, home.codes, language)
        answer = getattr(Client(), method)(path)
        status, leads_to = answer.status_code, answer.get("Location", "")
        if name in OPEN:
            refused = status in (200, 302, 405, 422, 503)
        elif name in STEPS:
            refused = status in (200, 302, 404, 405)
        else:
            refused = (status, method) == (405, "get") or (
                status == 302 and ENTRANCE.match(leads_to) is not None
            )
        if not refused or told(answer.content.decode(), path, home.secrets) or state() != before:
            wrong.append((name, status, leads_to))

    assert not wrong, wrong


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_stranger_reads_and_changes_nothing_of_others(
    language: str, method: str, home: SimpleNamespace
) -> None:
    wrong, before = [], state()
    for name in sorted(OPEN | STEPS | OWN | set(OTHERS)):
        path = address(name, home.codes, language)
        client = Client()
        stranger = Member.objects.get(pk=home.cast.stranger.pk)  # signing out elsewhere is among the calls
        client.force_login(stranger, backend="django.contrib.auth.backends.ModelBackend")
        answer = getattr(client, method)(path)
        status = answer.status_code
        gone = {"household_join": 410}.get(name, 404)  # an invitation that nobody made is an old one
        refused = name not in OTHERS or status == gone or (status, method) == (405, "get")
        after = state()
        changed = after != before and name not in ("book", "book_post", "household_invite")  # her own
        before = after
        if not refused or changed or told(answer.content.decode(), path, home.secrets):
            wrong.append((name, status))

    assert not wrong, wrong
    assert Visit.objects.get(pk=home.visit.pk).status == "booked"


@pytest.mark.parametrize(
    "query",
    ["visit={visit}", "c={child}", "for={member}", "c={child}&visit={visit}", "for={member}&src=walk_in"],
)
@pytest.mark.parametrize(
    "name", ["book", "book_avail", "book_seat", "book_seat_pick", "series_new", "series_preview"]
)
def test_codes_of_others_in_a_query_are_not_found(name: str, query: str, home: SimpleNamespace) -> None:
    client = Client()
    client.force_login(home.cast.stranger, backend="django.contrib.auth.backends.ModelBackend")
    path = f"{reverse(name)}?{query.format(**home.codes)}"
    answer = client.get(path)

    assert answer.status_code == 404
    assert told(answer.content.decode(), path, home.secrets) == []
    if name == "book":
        assert (
            client.post(reverse(name), dict(re.findall(r"(\w+)=(\w+)", path.partition("?")[2]))).status_code
            == 404
        )


def calls() -> set[tuple[str, str]]:
    prefix = "/api/v1"
    paths = api.get_openapi_schema(path_prefix=prefix)["paths"]
    return {(method, path.removeprefix(prefix)) for path, methods in paths.items() for method in methods}


def test_every_call_has_an_entry() -> None:
    assert calls() == set(CALLS)


def ask(client: Client, method: str, path: str, home: SimpleNamespace) -> Any:
    kind = {"waiting": "wait", "offers": "offer", "series": "series"}.get(path.split("/")[1], "visit")
    url = "/api/v1" + path.replace("{slug}", "ekimae").replace("{code}", home.codes[kind])
    url = url.replace("{id}", home.codes["task" if path.startswith("/tasks/") else "scan"])
    if method == "get":
        return client.get(url, {"date": make.TOMORROW.isoformat(), "hub": "ekimae"})
    body = {
        "hub": "ekimae", "starts_at": make.at(9, 30).isoformat(), "ends_at": make.at(12).isoformat(),
        "children": [home.codes["child"]], "id": str(uuid4()), "payload": "x", "text": "x",
        "first": make.TOMORROW.isoformat(), "last": make.TOMORROW.isoformat(),
        "lines": [{"weekday": 1, "starts": "09:30", "ends": "12:00", "children": [home.codes["child"]]}],
    }  # fmt: skip
    return getattr(client, method)(url, json.dumps(body), content_type="application/json")


@pytest.mark.parametrize(("method", "path"), sorted(CALLS))
def test_call_without_sign_in(method: str, path: str, home: SimpleNamespace) -> None:
    before = state()
    answer = ask(Client(), method, path, home)

    assert answer.status_code == (401 if CALLS[method, path] != "open" else 200)
    assert told(answer.content.decode(), answer.request["PATH_INFO"], home.secrets) == []
    assert state() == before


@pytest.mark.parametrize("by", ["session", "token"])
@pytest.mark.parametrize(("method", "path"), sorted(CALLS))
def test_call_of_a_stranger(method: str, path: str, by: str, home: SimpleNamespace) -> None:
    before = state()
    if by == "token":
        client = Client(headers={"Authorization": f"Bearer {new_token(home.cast.stranger, 'own')[1]}"})
    else:
        client = Client()
        client.force_login(home.cast.stranger, backend="django.contrib.auth.backends.ModelBackend")
    answer = ask(client, method, path, home)

    assert answer.status_code == (404 if CALLS[method, path] == "others" else 200)
    assert told(answer.content.decode(), answer.request["PATH_INFO"], home.secrets) == []
    assert state() == before


def admin_urls(resolver: Any, prefix: str = "/") -> list[str]:
    found: list[str] = []
    for entry in resolver.url_patterns:
        here = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            found.append(here)
        else:
            found += admin_urls(entry, here)
    return found


@pytest.mark.parametrize("who", ["", "stranger", "misaki", "manager", "carer"])
def test_admin_is_closed_to_everybody_without_staff_flag(who: str, home: SimpleNamespace) -> None:
    client = Client()
    if who:
        client.force_login(getattr(home.cast, who), backend="django.contrib.auth.backends.ModelBackend")
    urls = [url for url in admin_urls(get_resolver()) if url.startswith("/admin/")]
    assert len(urls) > 50
    for url in urls:
        path = re.sub(r"<path:\w+>", str(home.visit.pk), url).replace("^", "").replace("$", "")
        path = re.sub(r"\(\?P<\w+>([^|)]*)[^)]*\)", r"\1", path)
        answer = client.get(path)

        # The entrance names herself, and every page knows whose it is.
        own = {f"{who}@demo.example", getattr(home.cast, who).code if who else ""}
        others = [word for word in home.secrets if word not in own]
        assert told(answer.content.decode(), path, others) == []
        assert answer.status_code in (302, 404) or (answer.status_code, path) == (200, "/admin/login/"), path
