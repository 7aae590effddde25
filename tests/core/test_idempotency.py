"""One effect and one answer per actor and key."""

import pytest

from hub.core import idempotency
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.models import IdempotencyKey

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
PRINT = idempotency.fingerprint("book", [1, "a"])


def claim(actor: int = 1, key: str = "k", request_hash: str = PRINT) -> object:
    return run_write(lambda: idempotency.claim(actor, key, request_hash))


def test_first_claim_answers_nothing_and_the_second_what_was_stored() -> None:
    assert claim() is None
    run_write(lambda: idempotency.store(1, "k", {"visit": "ABC"}))

    assert claim() == {"visit": "ABC"}
    assert IdempotencyKey.objects.count() == 1


def test_refused_work_leaves_no_key() -> None:
    def work() -> None:
        idempotency.claim(1, "k", PRINT)
        raise DomainError("seat_taken", "")

    with pytest.raises(DomainError):
        run_write(work)

    assert IdempotencyKey.objects.count() == 0


def test_other_body_is_refused_and_the_answer_stays() -> None:
    claim()
    run_write(lambda: idempotency.store(1, "k", {"visit": "ABC"}))

    with pytest.raises(DomainError) as refusal:
        claim(request_hash=idempotency.fingerprint("book", [2]))

    assert (refusal.value.code, refusal.value.status) == ("key_reused", 422)
    assert claim() == {"visit": "ABC"}


def test_keys_of_two_people_are_two_keys() -> None:
    claim(actor=1)

    assert claim(actor=2, request_hash=idempotency.fingerprint("book", [2])) is None


@pytest.mark.parametrize("key", ["", "k" * 256, "鍵", "tab\there"])
def test_unreadable_key(key: str) -> None:
    with pytest.raises(DomainError) as refusal:
        claim(key=key)

    assert (refusal.value.code, refusal.value.status) == ("key_invalid", 422)


def test_longest_key_is_kept_whole() -> None:
    claim(key="k" * 255)

    assert IdempotencyKey.objects.get().key == "k" * 255


def test_fingerprint_tells_route_and_body_apart_and_not_the_order_of_fields() -> None:
    one = idempotency.fingerprint("a", {"x": 1, "y": 2})

    assert one == idempotency.fingerprint("a", {"y": 2, "x": 1})
    assert one != idempotency.fingerprint("b", {"x": 1, "y": 2})
    assert one != idempotency.fingerprint("a", {"x": 1, "y": "2"})


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_refuses_to_work() -> None:
    with pytest.raises(RuntimeError):
        idempotency.claim(1, "k", PRINT)
