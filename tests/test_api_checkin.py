"""The door's calls: shapes, rights, once per id, and how many queries a scan may cost."""

import json
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hub.checkin.models import Presence, Scan
from hub.members.tokens import new_token
from tests.checkin.door import booked, receive, six, token

SCANS = "/api/v1/checkin/scans"
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")


@pytest.fixture
def call(cast: SimpleNamespace):  # type: ignore[no-untyped-def]
    """``call(cast.door, {...})`` posts a scan with a bearer token; returns status and body."""
    secrets: dict[int, str] = {}

    def send(who: Any, body: dict[str, Any], path: str = SCANS) -> tuple[int, dict[str, Any]]:
        if who.pk not in secrets:
            secrets[who.pk] = new_token(who, "door")[1]
        answer = Client(headers={"Authorization": f"Bearer {secrets[who.pk]}"}).post(
            path, json.dumps(body, default=str), content_type="application/json"
        )
        return answer.status_code, answer.json()

    return send


def body_for(payload: str = "", **more: Any) -> dict[str, Any]:
    said = {"payload": payload} if payload else {}
    return {"id": uuid4(), "hub": "ekimae", "direction": "in", **said, **more}


def test_scan_answers_result_visit_and_presence(cast: SimpleNamespace, call) -> None:  # type: ignore[no-untyped-def]
    visit = booked(cast.misaki, cast.ekimae, children=[cast.haru, cast.yui])
    body = body_for(token(cast.misaki, cast.ekimae))

    status, answer = call(cast.door, body)

    assert (status, answer) == (
        200,
        {
            "id": str(body["id"]), "result": "ok", "reason": "booked", "direction": "in", "hub": "ekimae",
            "scanned_at": "2026-12-07T09:40:00+09:00", "name": "山田 みさき", "visit": visit.code,
            "starts_at": "2026-12-07T09:30:00+09:00", "ends_at": "2026-12-07T12:30:00+09:00",
            "seat": visit.seat and visit.seat.label, "children": 2, "presence": Presence.objects.get().code,
            "entered_at": "2026-12-07T09:40:00+09:00", "other_hub": None,
        },
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "nobody's"], ids=["ok", "invalid"])
def test_answer_has_the_shape_that_is_promised(cast: SimpleNamespace, call, text: str) -> None:  # type: ignore[no-untyped-def]
    booked(cast.misaki, cast.ekimae)

    answer = call(cast.door, body_for(text or token(cast.misaki, cast.ekimae)))[1]

    from hub.api_checkin import ScanOut  # `hub.api` brings it in and must come first

    assert set(answer) == set(ScanOut.model_fields)
    assert ScanOut.model_validate(answer).result == answer["result"] == ("invalid" if text else "ok")


def test_same_id_again_same_answer(cast: SimpleNamespace, call) -> None:  # type: ignore[no-untyped-def]
    booked(cast.misaki, cast.ekimae)
    body = body_for(code=six(cast.misaki, cast.ekimae))

    first = call(cast.door, body)

    assert call(cast.manager, body) == first
    assert Presence.objects.count() == 1


def test_same_id_for_another_person_is_422(cast: SimpleNamespace, call) -> None:  # type: ignore[no-untyped-def]
    body = body_for(token(cast.misaki, cast.ekimae))
    call(cast.door, body)

    status, answer = call(cast.door, {**body, "payload": token(cast.kenta, cast.ekimae)})

    assert (status, answer["code"]) == (422, "scan_reused")


def test_wrong_hub_names_the_other(cast: SimpleNamespace, call) -> None:  # type: ignore[no-untyped-def]
    booked(cast.misaki, cast.yagi)

    answer = call(cast.door, body_for(token(cast.misaki, cast.yagi)))[1]

    assert (answer["result"], answer["other_hub"], answer["presence"]) == ("wrong_hub", "yagi", None)


@pytest.mark.parametrize(
    ("who", "status", "code"), [("misaki", 404, "not_found"), ("stranger", 404, "not_found"),
                                ("yagi_manager", 404, "not_found"), ("carer", 403, "not_allowed"),
                                ("town", 403, "not_allowed")],
)  # fmt: skip
def test_only_the_door_of_this_hub_scans(
    cast: SimpleNamespace, call, who: str, status: int, code: str
) -> None:  # type: ignore[no-untyped-def]
    booked(cast.misaki, cast.ekimae)

    told = call(getattr(cast, who), body_for(token(cast.misaki, cast.ekimae)))

    assert (told[0], told[1]["code"]) == (status, code)
    assert Scan.objects.count() == 0


def test_wrong_method_is_405(cast: SimpleNamespace) -> None:
    assert Client().get(SCANS).status_code == 405


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": "7"}, "invalid"),
        ({"direction": "up"}, "invalid"),
        ({"payload": "x" * 9000}, "invalid"),
        ({"payload": ""}, "nothing_read"),
        ({"code": "123456"}, "nothing_read"),
        ({"scanned_at": "2026-12-07T09:40:00"}, "invalid"),
    ],
)
def test_wrong_shape_is_422(cast: SimpleNamespace, call, change: dict[str, Any], code: str) -> None:  # type: ignore[no-untyped-def]
    status, answer = call(cast.door, body_for("x") | change)

    assert (status, answer["code"]) == (422, code)


def test_four_kilobytes_of_text_are_a_scan_that_cannot_be_read(cast: SimpleNamespace, call) -> None:  # type: ignore[no-untyped-def]
    status, answer = call(cast.door, body_for("あ" * 4096))

    assert (status, answer["result"], answer["reason"]) == (200, "invalid", "unreadable")


def test_undo_gives_the_visit_back_and_again_is_harmless(cast: SimpleNamespace, call) -> None:  # type: ignore[no-untyped-def]
    visit = booked(cast.misaki, cast.ekimae)
    body = body_for(token(cast.misaki, cast.ekimae))
    call(cast.door, body)

    first = call(cast.door, {}, f"{SCANS}/{body['id']}/undo")

    visit.refresh_from_db()
    assert (first[0], first[1]["undone_at"], visit.status) == (200, "2026-12-07T00:40:00Z", "booked")
    assert call(cast.door, {}, f"{SCANS}/{body['id']}/undo") == first


@pytest.mark.parametrize(("who", "status"), [("yagi_manager", 404), ("misaki", 404), ("carer", 403)])
def test_undo_of_somebody_without_the_right(cast: SimpleNamespace, call, who: str, status: int) -> None:  # type: ignore[no-untyped-def]
    booked(cast.misaki, cast.ekimae)
    body = body_for(token(cast.misaki, cast.ekimae))
    call(cast.door, body)

    assert call(getattr(cast, who), {}, f"{SCANS}/{body['id']}/undo")[0] == status
    assert Presence.objects.get().left_at is None


def test_undo_of_an_unknown_scan_is_404(cast: SimpleNamespace, call) -> None:  # type: ignore[no-untyped-def]
    assert call(cast.door, {}, f"{SCANS}/{uuid4()}/undo")[0] == 404


def test_scan_needs_at_most_ten_queries_with_sign_in(cast: SimpleNamespace, call) -> None:  # type: ignore[no-untyped-def]
    visit = booked(cast.misaki, cast.ekimae, children=[cast.haru, cast.yui])
    text = token(cast.misaki, cast.ekimae)
    call(cast.door, body_for("x"))  # the token's day of use is written once a day

    def cost(**more: Any) -> tuple[str, int]:
        with CaptureQueriesContext(connection) as caught:
            answer = call(cast.door, body_for(text, **more))[1]
        asked = [query["sql"].split(None, 1)[0].upper() for query in caught.captured_queries]
        return answer["result"], sum(verb in VERBS for verb in asked)

    found = [cost(), cost()]
    custody = receive(visit, cast.yui)
    found.append(cost(direction="out"))
    custody.delete()
    found.append(cost(direction="out"))

    assert found == [("ok", 9), ("already_in", 9), ("children_inside", 8), ("out", 10)]
