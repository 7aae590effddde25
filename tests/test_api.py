"""The API: shapes, codes, sign-in, keys. The rules themselves are tested below it."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hub.members.tokens import new_token
from hub.spaces.models import Visit
from tests import factories as make

V1 = "/api/v1"


@pytest.fixture
def call(cast):
    """``call("post", "/visits", {...}, who=cast.misaki, key="k")`` with a bearer token; returns (status, body)."""
    secrets: dict[int, str] = {}

    def send(method, path, body=None, *, who=None, key=None):
        who = who or cast.misaki
        if who.pk not in secrets:
            secrets[who.pk] = new_token(who, "test")[1]
        headers = {"Authorization": f"Bearer {secrets[who.pk]}"}
        if key:
            headers["Idempotency-Key"] = key
        text = json.dumps(body, default=str) if body is not None else None
        extra = {"data": text, "content_type": "application/json"} if text else {}
        response = getattr(Client(), method)(f"{V1}{path}", headers=headers, **extra)
        return response.status_code, response.json()

    return send


def ask(cast, **changes):
    body = {
        "hub": "ekimae",
        "starts_at": make.at(9, 30).isoformat(),
        "ends_at": make.at(12, 30).isoformat(),
        "children": [cast.haru.code, cast.yui.code],
    }
    return body | changes


def test_booking_answers_the_visit(cast, call):
    status, body = call("post", "/visits", ask(cast, seat="A2"))

    assert status == 201
    assert body == {
        "code": Visit.objects.get().code,
        "status": "booked",
        "hub": "ekimae",
        "seat": "A2",
        "zone": "quiet",
        "starts_at": "2026-12-08T09:30:00+09:00",
        "ends_at": "2026-12-08T12:30:00+09:00",
        "children": [
            {
                "id": child.code,
                "name": child.name,
                "starts_at": "2026-12-08T09:30:00+09:00",
                "ends_at": "2026-12-08T12:30:00+09:00",
            }
            for child in (cast.haru, cast.yui)
        ],
    }


def test_list_of_visits_holds_mine_newest_first_in_the_shape_of_one(cast, call):
    first = call("post", "/visits", ask(cast))[1]
    second = call("post", "/visits", ask(cast, children=[], starts_at="2026-12-09T09:30:00+09:00",
                                         ends_at="2026-12-09T12:30:00+09:00"))[1]  # fmt: skip
    call("post", "/visits", ask(cast, children=[], seat="A2"), who=cast.kenta)

    assert call("get", "/visits") == (200, {"items": [second, first], "count": 2})


def test_same_key_same_answer_with_200_and_other_body_422(cast, call):
    first = call("post", "/visits", ask(cast), key="tap")
    second = call("post", "/visits", ask(cast), key="tap")
    other = call("post", "/visits", ask(cast, children=[]), key="tap")

    assert (first[0], second[0], other[0]) == (201, 200, 422)
    assert first[1] == second[1]
    assert other[1]["code"] == "key_reused"
    assert Visit.objects.count() == 1


def test_refusal_is_problem_details_with_alternatives(cast, call):
    call("post", "/visits", ask(cast, seat="A1", children=[]), who=cast.kenta)

    status, body = call("post", "/visits", ask(cast, seat="A1"))

    assert (status, body["status"], body["code"]) == (409, 409, "seat_taken")
    assert 1 <= len(body["alternatives"]) <= 3


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"starts_at": "2026-12-04T10:00:00+09:00", "ends_at": "2026-12-04T11:00:00+09:00"}, 409, "in_past"),
        ({"starts_at": "2026-12-08T09:40:00+09:00"}, 422, "off_grid"),
        (
            {"starts_at": "2026-12-08T17:00:00+09:00", "ends_at": "2026-12-09T09:00:00+09:00"},
            422,
            "across_midnight",
        ),
        (
            {"starts_at": "2026-12-08T07:00:00+09:00", "ends_at": "2026-12-08T09:00:00+09:00"},
            409,
            "hub_closed",
        ),
        (
            {"starts_at": "2026-12-12T10:00:00+09:00", "ends_at": "2026-12-12T11:00:00+09:00"},
            409,
            "hub_closed",
        ),
        (
            {"starts_at": "2027-03-01T10:00:00+09:00", "ends_at": "2027-03-01T11:00:00+09:00"},
            409,
            "not_open_yet",
        ),
        ({"starts_at": "2026-12-08T09:30:00"}, 422, "invalid"),
        ({"seat": "Z9"}, 404, "seat_unknown"),
        ({"hub": "nowhere"}, 404, "not_found"),
        ({"children": ["XXXXXXXX"]}, 404, "child_unknown"),
        ({"children": [f"C{n}" for n in range(41)]}, 422, "invalid"),
    ],
)
def test_booking_bad_input(cast, call, changes, status, code):
    got, body = call("post", "/visits", ask(cast, **changes))

    assert (got, body["code"]) == (status, code)
    assert Visit.objects.count() == 0


def test_forty_children_are_too_many(cast, call):
    children = [make.make_child(cast.household, cast.ekimae, 3, name=f"子{n}").code for n in range(40)]

    status, body = call("post", "/visits", ask(cast, children=children))

    assert (status, body["code"]) == (422, "too_many_children")


def test_strangers_visit_is_unknown(cast, call):
    code = call("post", "/visits", ask(cast))[1]["code"]

    answers = [
        call("get", f"/visits/{code}", who=cast.stranger),
        call("patch", f"/visits/{code}", {"zone": "talk"}, who=cast.stranger),
        call("delete", f"/visits/{code}", who=cast.stranger),
        call("post", f"/visits/{code}/extend", {"ends_at": make.at(14).isoformat()}, who=cast.stranger),
    ]

    assert [(status, body["code"]) for status, body in answers] == [(404, "visit_unknown")] * 4
    assert Visit.objects.get().status == "booked"


def test_move_extend_leave_and_cancel(cast, call, now):
    code = call("post", "/visits", ask(cast))[1]["code"]
    moved = call(
        "patch",
        f"/visits/{code}",
        {"starts_at": make.at(10).isoformat(), "ends_at": make.at(13).isoformat()},
    )
    extended = call("post", f"/visits/{code}/extend", {"ends_at": make.at(14).isoformat()})
    shorter = call("post", f"/visits/{code}/leave-early", {"ends_at": make.at(13, 30).isoformat()})
    cancelled = call("delete", f"/visits/{code}")

    assert [status for status, _body in (moved, extended, shorter, cancelled)] == [200] * 4
    assert (moved[1]["starts_at"], shorter[1]["ends_at"]) == (
        "2026-12-08T10:00:00+09:00",
        "2026-12-08T13:30:00+09:00",
    )
    assert len(moved[1]["children"]) == 2
    assert cancelled[1]["status"] == "cancelled"


def test_availability_counts_down_what_is_booked(cast, call):
    call("post", "/visits", ask(cast, seat="A1"))

    status, body = call("get", "/hubs/ekimae/availability?date=2026-12-08")

    quarter = next(q for q in body["quarters"] if q["starts_at"] == "2026-12-08T10:00:00+09:00")
    assert (status, body["open"], len(body["quarters"])) == (200, True, 40)
    assert quarter["seats"] == {"quiet": 3, "talk": 2}
    assert quarter["care"]["1"] == {"left": 10, "limit": "places"}


@pytest.mark.parametrize("booked", [1, 3])
def test_availability_query_count(cast, call, django_assert_num_queries, booked):
    for n in range(booked):
        call("post", "/visits", ask(cast, children=[]), who=make.make_member(f"人{n}", hub=cast.ekimae))
    call("get", "/hubs/ekimae/availability?date=2026-12-08")  # reads the hub's facts once

    with django_assert_num_queries(4):
        call("get", "/hubs/ekimae/availability?date=2026-12-08")


@pytest.mark.parametrize("children", [0, 1, 5])
def test_booking_query_count_does_not_grow(cast, call, children):
    """At most 20 whatever is booked (issue 2): here with every child for another part of ten hours."""
    kids = [make.make_child(cast.household, cast.ekimae, 3, name=f"子{n}") for n in range(children)]
    parts = [
        {"id": kid.code, "starts_at": make.at(8 + n).isoformat(), "ends_at": make.at(13 + n).isoformat()}
        for n, kid in enumerate(kids)
    ]
    call("get", "/hubs/ekimae/availability?date=2026-12-08")  # reads the facts of hub and rooms once
    body = ask(cast, starts_at=make.at(8).isoformat(), ends_at=make.at(18).isoformat(), children=parts)

    with CaptureQueriesContext(connection) as captured:
        status, _body = call("post", "/visits", body, key="once")

    verbs = [q["sql"].split(None, 1)[0] for q in captured]
    counted = [verb for verb in verbs if verb in ("SELECT", "INSERT", "UPDATE", "DELETE")]
    assert (status, len(counted)) == (201, 18 if children else 11)


def test_session_writes_need_csrf(cast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.misaki, backend="django.contrib.auth.backends.ModelBackend")

    response = client.post(f"{V1}/visits", json.dumps(ask(cast)), content_type="application/json")

    assert (response.status_code, Visit.objects.count()) == (403, 0)


def test_signed_out_gets_401_as_problem(db):
    response = Client().get(f"{V1}/visits")

    assert (response.status_code, response.json()["code"]) == (401, "sign_in")
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("n0=1", (2, 2, 1, 1)),
        ("n0=2&n1=4&n2=3&n3=2&n4=1&scheme=corporate_led", (3, 3, 3, 2)),
        ("n0=10&n1=10&n2=10&n3=10&n4=10&n5=10&scheme=corporate_led", (9, 9, 9, 5)),
        ("n1=6&main_hours=false&scheme=corporate_led", (2, 2, 1, 1)),
        ("", (0, 0, 0, 0)),
    ],
)
def test_required_needs_no_sign_in(db, query, expected):
    body = Client().get(f"{V1}/childcare/required?date=2026-12-08&{query}").json()

    assert (body["required"], body["administrative"], body["strict"], body["qualified"]) == expected


@pytest.mark.parametrize("moment", ["9999-12-31T23:45:00Z", "0001-01-01T00:00:00+14:00"])
def test_moment_at_an_end_of_the_calendar_is_refused_like_any_other(cast, call, moment):
    visit = call("post", "/visits", ask(cast, children=[]))[1]["code"]
    for changes in ({"starts_at": moment}, {"ends_at": moment}):
        assert call("post", "/visits", ask(cast, **changes))[0] == 422
        assert call("post", "/hubs/ekimae/quote", ask(cast, **changes))[0] == 200
        assert call("patch", f"/visits/{visit}", changes)[0] == 422
    assert call("post", f"/visits/{visit}/extend", {"ends_at": moment})[0] == 422
    assert call("post", f"/visits/{visit}/leave-early", {"ends_at": moment})[0] == 422


def test_far_year_is_not_open_yet(cast, call):
    times = {"starts_at": "9999-12-31T10:00:00+09:00", "ends_at": "9999-12-31T12:00:00+09:00"}

    status, body = call("post", "/visits", ask(cast, **times))

    assert (status, body["code"]) == (409, "not_open_yet")


@pytest.mark.parametrize("path", ["/hubs", "/visits", "/children"])
def test_page_beyond_counting_is_a_wrong_shape(cast, call, path):
    status, body = call("get", f"{path}?page={10**30}")

    assert (status, body["code"]) == (422, "invalid")


@pytest.mark.parametrize(("day", "state"), [("0001-01-01", "closed"), ("9999-12-31", "not_open_yet")])
def test_availability_at_an_end_of_the_calendar(cast, call, day, state):
    status, body = call("get", f"/hubs/ekimae/availability?date={day}")

    assert (status, body["state"], body["quarters"]) == (200, state, [])


def test_code_with_a_nul_is_of_nothing(cast, call):
    assert call("get", "/visits/%00")[0] == 404
    assert call("get", "/hubs/%00")[0] == 404
