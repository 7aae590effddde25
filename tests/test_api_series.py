"""My usual week by the API."""

import json

import pytest
from django.test import Client

from hub.booking.models_week import Series
from hub.members.tokens import new_token
from hub.spaces.models import Visit
from tests import factories as make
from tests.booking.usual import holiday


@pytest.fixture
def call(cast):
    """``call("post", "/series", {...}, who=cast.misaki, key="k")`` with a bearer token; returns (status, body)."""

    def send(method, path, body=None, *, who=None, key=None):
        headers = {"Authorization": f"Bearer {new_token(who or cast.misaki, 'test')[1]}"}
        if key:
            headers["Idempotency-Key"] = key
        extra = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        response = getattr(Client(), method)(f"/api/v1{path}", headers=headers, **extra)
        return response.status_code, response.json()

    return send


def ask(cast, **changes):
    lines = [
        {"weekday": 1, "starts": "09:30", "ends": "12:30", "children": [cast.haru.code, cast.yui.code]},
        {"weekday": 3, "starts": "13:00", "ends": "16:00", "children": [cast.yui.code]},
    ]
    return {"hub": "ekimae", "first": "2026-12-08", "last": "2026-12-21", "lines": lines} | changes


def test_preview_says_what_would_become_of_each_date(cast, call):
    holiday(cast.ekimae, make.TOMORROW, "ためしの祝日")

    status, body = call("post", "/series/preview", ask(cast, off=["2026-12-10"]))

    assert status == 200
    assert [(one["date"], one["outlook"], one["off"], one["code"]) for one in body["dates"]] == [
        ("2026-12-08", "closed", False, "hub_closed"), ("2026-12-10", "ok", True, ""), ("2026-12-15", "ok", False, ""),
        ("2026-12-17", "ok", False, ""),
    ]  # fmt: skip
    assert body["dates"][0]["reason"] == "この日は お休みです（ためしの祝日）。"
    assert Visit.objects.count() == 0


def test_confirm_answers_every_date_and_the_same_key_the_same(cast, call):
    shifts = [{"date": "2026-12-15", "starts": "14:00", "ends": "15:00"}]
    body = ask(cast, off=["2026-12-10"], shifts=shifts, zone="talk")

    first, again = call("post", "/series", body, key="tap"), call("post", "/series", body, key="tap")

    assert (first[0], again[0], first[1]) == (201, 200, again[1])
    series = Series.objects.get()
    assert {name: first[1][name] for name in ("code", "hub", "first", "last", "running")} == {
        "code": series.code, "hub": "ekimae", "first": "2026-12-08", "last": "2026-12-21", "running": False,
    }  # fmt: skip
    assert [(one["date"], one["state"], one["starts"], one["ends"]) for one in first[1]["dates"]] == [
        ("2026-12-08", "booked", "09:30", "12:30"), ("2026-12-10", "off", "13:00", "16:00"),
        ("2026-12-15", "booked", "14:00", "15:00"), ("2026-12-17", "booked", "13:00", "16:00"),
    ]  # fmt: skip
    assert set(Visit.objects.values_list("seat__zone__slug", flat=True)) == {"talk"}


def test_read_list_and_cancel_from_a_date_on(cast, call):
    made = call("post", "/series", ask(cast))[1]

    assert call("get", f"/series/{made['code']}") == (200, made)
    assert call("get", "/series") == (200, {"items": [made], "count": 1})
    status, body = call("delete", f"/series/{made['code']}?from=2026-12-15")

    assert (status, [one["state"] for one in body["dates"]]) == (
        200,
        ["booked", "booked", "cancelled", "cancelled"],
    )
    assert call("delete", f"/series/{made['code']}?from=2026-12-15") == (200, body)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"hub": "nowhere"}, 404, "not_found"),
        ({"zone": "nowhere"}, 404, "zone_unknown"),
        ({"last": "2027-06-01"}, 422, "too_long"),
        ({"lines": []}, 422, "invalid"),
        ({"lines": [{"weekday": 1, "starts": "12:00", "ends": "10:00"}]}, 422, "not_forward"),
        ({"lines": [{"weekday": 1, "starts": "9:00", "ends": "10:00"}]}, 422, "invalid"),
        (
            {"lines": [{"weekday": 1, "starts": "09:00", "ends": "10:00", "children": ["ZZZZZZZZ"]}]},
            404,
            "child_unknown",
        ),
        ({"shifts": [{"date": "2026-12-08", "starts": "12:00", "ends": "10:00"}]}, 422, "not_forward"),
    ],
)
@pytest.mark.parametrize("path", ["/series/preview", "/series"])
def test_wrong_questions_are_problem_details(cast, call, path, changes, status, code):
    found, body = call("post", path, ask(cast, **changes))

    assert (found, body["code"]) == (status, code)
    assert Series.objects.count() == 0


@pytest.mark.parametrize("who", ["stranger", "kenta", "manager"])
def test_nobody_else_reads_or_cancels(cast, call, who):
    code = call("post", "/series", ask(cast))[1]["code"]
    other = getattr(cast, who)

    for method in ("get", "delete"):
        status, body = call(method, f"/series/{code}", who=other)
        assert (status, body["code"]) == (404, "series_unknown")
    assert call("get", "/series", who=other) == (200, {"items": [], "count": 0})
    assert Visit.objects.filter(status="booked").count() == 4


def test_child_of_another_household_is_unknown(cast, call):
    status, body = call("post", "/series", ask(cast), who=cast.stranger)

    assert (status, body["code"], Series.objects.count()) == (404, "child_unknown", 0)
