"""The bench's data: one busy hub in which no booking of the bench can be refused; and the count of queries.

Run as a module in a process of its own (it needs Django, the bench does not). Prints what the bench has to know as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import django

SEATS = 24
MEMBERS = 240  # ten groups of 24, so that nobody holds many bookings at once
DAYS = 60
STARTS = (8, 11, 14)
HOURS = 3
ARRIVALS = 2200  # people who are let in once each
ARRIVAL_QUARTERS = 8
BOOKED_DAYS = 7  # half of these days is taken before, as in a busy hub


def load() -> dict[str, Any]:
    """Make the hub, its people, children and tokens; book half of the first week."""
    from django.contrib.auth.hashers import make_password

    from hub.booking import services
    from hub.booking.requests import ChildWish, SeatMode, SeatWish, VisitRequest
    from hub.childcare import capacity
    from hub.childcare.enums import ChildStatus, Qualification, Scheme
    from hub.childcare.models import Carer, CareRoom, Child, Shift
    from hub.core import clock
    from hub.core.db import run_write
    from hub.core.quarters import Period, local
    from hub.members.models import ApiToken, Guardian, Household, Member
    from hub.members.tokens import new_token
    from hub.spaces.enums import Role, ZoneKind
    from hub.spaces.models import Hub, Membership, OpeningHours, Seat, Zone

    hub = Hub.objects.create(
        slug="bench", name="計測ハブ", phone="0000-00-0000", horizon_days=DAYS + 1, max_open_visits=100
    )
    OpeningHours.objects.bulk_create(
        OpeningHours(hub=hub, weekday=weekday, opens=time(8), closes=time(18)) for weekday in range(7)
    )
    zones = [
        Zone.objects.create(hub=hub, slug=kind.value, name=str(kind.label), kind=kind, position=position)
        for position, kind in enumerate((ZoneKind.QUIET, ZoneKind.TALK, ZoneKind.NEAR_CHILDREN))
    ]
    seats = [
        Seat.objects.create(
            hub=hub, zone=zones[n // 8], label=f"{'ABD'[n // 8]}{n % 8 + 1}", plan_x=n % 6, plan_y=n // 6
        )
        for n in range(SEATS)
    ]
    room = CareRoom.objects.create(
        hub=hub, name="計測の へや", scheme=Scheme.CORPORATE_LED, places=40, area_infant_cm2=2_000_000,
        area_toddler_cm2=2_000_000,
    )  # fmt: skip
    for n in range(8):
        carer = Carer.objects.create(hub=hub, name=f"保育{n}", qualification=Qualification.NURSERY_TEACHER)
        Shift.objects.bulk_create(
            Shift(
                room=room,
                carer=carer,
                weekday=weekday,
                starts=time(8),
                ends=time(18),
                valid_from=date(2020, 1, 1),
            )
            for weekday in range(7)
        )
    password = make_password(None)
    members = Member.objects.bulk_create(
        Member(
            email=f"bench{n:03}@demo.example",
            password=password,
            name=f"計測 {n}",
            kana="けいそく",
            is_demo=True,
        )
        for n in range(MEMBERS)
    )
    Membership.objects.bulk_create(
        Membership(member=member, hub=hub, role=Role.WORKER, is_home=True) for member in members
    )
    households = Household.objects.bulk_create(Household() for _ in members)
    Guardian.objects.bulk_create(
        Guardian(household=household, member=member)
        for household, member in zip(households, members, strict=True)
    )
    today = clock.today(hub.tz)
    fiscal = today.year if (today.month, today.day) >= (4, 1) else today.year - 1
    children = Child.objects.bulk_create(
        Child(
            household=household, hub=hub, name=f"こ{n}", kana="こ", birthday=date(fiscal - n % 6 - 1, 6, 15),
            status=ChildStatus.APPROVED,
        )
        for n, household in enumerate(households)
    )  # fmt: skip
    run_write(lambda: capacity.rebuild(room, capacity.horizon_days(hub)))
    tokens = [new_token(member, "bench")[1] for member in members]
    # The day of a token's last use is written once a day: done here, so that no call of the bench pays for it.
    ApiToken.objects.update(last_used_on=clock.today(UTC))

    def at(day: int, hour: int) -> datetime:
        return local(today + timedelta(days=day), time(hour), hub.tz)

    # Slots of three hours; in slot s the members of group s % 10 sit, member i on seat i.
    slots = [(day, start) for day in range(1, DAYS + 1) for start in STARTS]
    groups = MEMBERS // SEATS
    jobs: list[dict[str, Any]] = []
    for number, (day, start) in enumerate(slots):
        for n in range(SEATS):
            who = number % groups * SEATS + n
            period = Period(at(day, start), at(day, start + HOURS))
            if day <= BOOKED_DAYS and n % 2:
                wish = SeatWish(SeatMode.SEAT, seats[n])
                child = (ChildWish(children[who]),) if n % 4 == 1 else ()
                services.book_visit(
                    actor=members[who], request=VisitRequest(members[who], hub, period, wish, child)
                )
                continue
            jobs.append(
                {
                    "token": tokens[who],
                    "body": {
                        "hub": hub.slug,
                        "starts_at": period.starts_at.isoformat(),
                        "ends_at": period.ends_at.isoformat(),
                        "seat": seats[n].label,
                        "children": [children[who].code],
                    },
                }
            )
    from django_tasks_db.models import DBTaskResult

    door, arrivals = load_arrivals(hub)
    run_write(DBTaskResult.objects.all().delete)  # the mails of what was booked here
    days = [(today + timedelta(days=day)).isoformat() for day in range(1, BOOKED_DAYS + 1)]
    return {
        "jobs": jobs,
        "days": days,
        "token": tokens[0],
        "door": door,
        "queries": count_queries(jobs, days[1], tokens[0]) | {"scan": count_scan(door, arrivals)},
        "arrivals": arrivals,
    }


def load_arrivals(hub: Any) -> tuple[str, list[dict[str, Any]]]:
    """The door's token, and one scan each of ``ARRIVALS`` people whose visit runs now, half by QR and half by number."""
    from django.contrib.auth.hashers import make_password

    from hub.checkin.models import Pass
    from hub.checkin.passes import token_of
    from hub.core import clock
    from hub.core.quarters import Period, quarter_of, start_of
    from hub.members.models import ApiToken, Member
    from hub.members.tokens import new_token
    from hub.spaces.enums import Role
    from hub.spaces.models import Membership, Visit, VisitClaim

    password, today = make_password(None), clock.today(hub.tz)
    door = Member.objects.create(
        name="計測 入口", kana="けいそく", email="bench-door@demo.example", is_demo=True
    )
    Membership.objects.create(member=door, hub=hub, role=Role.DOOR)
    secret = new_token(door, "bench")[1]
    ApiToken.objects.filter(member=door).update(last_used_on=clock.today(UTC))
    members = Member.objects.bulk_create(
        Member(
            email=f"arrives{n:04}@demo.example",
            password=password,
            name=f"計測 {n}",
            kana="けいそく",
            is_demo=True,
        )
        for n in range(ARRIVALS)
    )
    Membership.objects.bulk_create(
        Membership(member=member, hub=hub, role=Role.WORKER, is_home=True) for member in members
    )
    begins = quarter_of(clock.now())
    when = Period(start_of(begins), start_of(begins + ARRIVAL_QUARTERS))
    visits = Visit.objects.bulk_create(
        Visit(member=member, hub=hub, booked_by=member, starts_at=when.starts_at, ends_at=when.ends_at)
        for member in members
    )
    VisitClaim.objects.bulk_create(
        VisitClaim(visit=visit, member=visit.member, quarter=quarter)
        for visit in visits
        for quarter in when.quarters
    )
    cards = Pass.objects.bulk_create(
        Pass(member=member, hub=hub, day=today, pass_id=2**40 + n, fallback=f"{n:06}")
        for n, member in enumerate(members)
    )

    def body(n: int, card: Pass) -> dict[str, Any]:
        said = {"payload": token_of(card)} if n % 2 else {"code": card.fallback}
        return {"id": str(uuid4()), "hub": hub.slug, "direction": "in", **said}

    return secret, [body(n, card) for n, card in enumerate(cards)]


def count_scan(token: str, arrivals: list[dict[str, Any]]) -> int:
    """Statements of one scan that opens the door; the first one warms up."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {token}"})
    for _turn in range(2):
        with CaptureQueriesContext(connection) as caught:
            answer = client.post(
                "/api/v1/checkin/scans", json.dumps(arrivals.pop()), content_type="application/json"
            )
        assert answer.json()["result"] == "ok", answer.content[:300]
    verbs = [query["sql"].split(None, 1)[0].upper() for query in caught.captured_queries]
    return sum(verb in ("SELECT", "INSERT", "UPDATE", "DELETE") for verb in verbs)


def count_queries(jobs: list[dict[str, Any]], day: str, token: str) -> dict[str, int]:
    """SELECT, INSERT, UPDATE and DELETE statements of one request each, in this process, caches warm."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME="localhost")

    def ask(method: str, path: str, token: str, body: dict[str, Any] | None = None) -> int:
        with CaptureQueriesContext(connection) as caught:
            response = client.generic(
                method, path, json.dumps(body) if body else "", content_type="application/json",
                headers={"Authorization": f"Bearer {token}", "Idempotency-Key": f"queries-{path}-{len(jobs)}"},
            )  # fmt: skip
        assert response.status_code in (200, 201), (path, response.status_code, response.content[:300])
        verbs = Counter(query["sql"].split(None, 1)[0].upper() for query in caught.captured_queries)
        return sum(verbs[verb] for verb in ("SELECT", "INSERT", "UPDATE", "DELETE"))

    reading = f"/api/v1/hubs/bench/availability?date={day}"
    for path in ("/api/v1/ping", reading):
        ask("GET", path, token)
    ask("POST", "/api/v1/visits", jobs[-2]["token"], jobs.pop(-2)["body"])
    last = jobs.pop()
    return {
        "ping": ask("GET", "/api/v1/ping", token),
        "availability": ask("GET", reading, token),
        "booking": ask("POST", "/api/v1/visits", last["token"], last["body"]),
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    django.setup()
    json.dump(load(), sys.stdout)
