"""`GET /visits/{code}/pass`: what the QR of one's own visit holds."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from hub.booking import services
from hub.checkin import tokens
from hub.checkin.models import Pass
from hub.members.tokens import new_token
from tests import factories as make


def caller(member: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {new_token(member, 'test')[1]}"})


@pytest.fixture
def visit(cast: Any) -> Any:
    return services.book_visit(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, make.period(10, 12))
    ).visit


def test_pass_of_my_visit(cast: Any, visit: Any) -> None:
    answer = caller(cast.misaki).get(f"/api/v1/visits/{visit.code}/pass")
    row, body = Pass.objects.get(), answer.json()
    assert answer.status_code == 200
    assert tokens.read(body["payload"]) == tokens.Claim(
        "ekimae", cast.misaki.code, make.TOMORROW, row.pass_id
    )
    assert body["fallback_code"] == row.fallback
    assert datetime.fromisoformat(body["valid_until"]) == make.at(0, 0, make.TOMORROW.replace(day=9))
    assert caller(cast.misaki).get(f"/api/v1/visits/{visit.code}/pass").json() == body


def test_pass_of_a_cancelled_visit_is_refused(cast: Any, visit: Any) -> None:
    services.cancel_visit(actor=cast.misaki, code=visit.code)
    answer = caller(cast.misaki).get(f"/api/v1/visits/{visit.code}/pass")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_live")
    assert Pass.objects.count() == 0


def test_pass_of_a_visit_that_is_over_is_refused(cast: Any, visit: Any, now: Any) -> None:
    now.move_to(make.at(12))
    answer = caller(cast.misaki).get(f"/api/v1/visits/{visit.code}/pass")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_live")


@pytest.mark.parametrize("who", ["kenta", "stranger", "manager", "door"])
def test_pass_of_somebody_else_is_not_there(cast: Any, visit: Any, who: str) -> None:
    answer = caller(getattr(cast, who)).get(f"/api/v1/visits/{visit.code}/pass")
    assert (answer.status_code, answer.json()["code"]) == (404, "visit_unknown")
    assert Pass.objects.count() == 0


def test_pass_is_only_read(cast: Any, visit: Any) -> None:
    assert caller(cast.misaki).post(f"/api/v1/visits/{visit.code}/pass").status_code == 405
