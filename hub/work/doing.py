"""What a worker does with a unit: typing, sending in, asking. What she typed is kept first, whatever becomes of her lease."""

import unicodedata
from datetime import UTC, timedelta

from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.work import leases, review_words
from hub.work.enums import UnitState
from hub.work.models import ControlItem, Delivery, Draft, Lease, PayProfile, Question, Unit
from hub.work.notice import INSPECTED_WITHIN_DAYS

MOST_TEXT = 20_000
MOST_QUESTION = 1_000
#: What the notice promised; then it is accepted (peers.md 2.7).
SILENCE = timedelta(days=INSPECTED_WITHIN_DAYS)
LONGEST = 4 * 60 * 60  # seconds: a unit that lay open over night says nothing about its time


def unknown() -> DomainError:
    return DomainError("unknown_unit", _("この しごとは 見つかりません。"), 404)


def unit_of(member: Member, code: str) -> Unit:
    """A unit that ``member`` holds or once worked on; 404 for everybody else."""
    unit = Unit.objects.filter(code=code).select_related("order__hub", "lot").first()
    if unit is None or not (
        leases.held_by(member.pk).filter(unit=unit).exists()
        or Draft.objects.filter(unit=unit, member=member).exists()
        or Delivery.objects.filter(unit=unit, notice__assignment__member=member).exists()
    ):
        raise unknown()
    return unit


def deliveries_of(member: Member, unit: Unit) -> list[Delivery]:
    """What ``member`` sent in of ``unit``, the first try first. Nobody sees what somebody else wrote for it."""
    own = Delivery.objects.filter(unit=unit, notice__assignment__member=member)
    return list(own.prefetch_related("corrections").order_by("number"))


def lines_as_kept(text: str) -> str:
    """Browsers send a new line as two characters. Kept as one, so that marked ranges and a second sending fit."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def stamp_of(draft: Draft | None) -> str:
    """What a page notes of the draft it shows, to be given to `save_draft` as ``since``; empty without a text."""
    return draft.saved_at.astimezone(UTC).isoformat() if draft and draft.text else ""


def save_draft(
    *, member: Member, unit_code: str, text: str, since: str | None = None, tried: str | None = None
) -> Draft:
    """Keep what was typed.

    ``since`` is the stamp of the draft that the page began with: where another page has kept something else meanwhile,
    nothing is written over. ``tried`` is what the page sent before without hearing an answer: that is no other page.
    None as ``since`` asks nothing. Raises 404 ``unknown_unit``, 409 ``draft_newer``, 422 ``text_long``.
    """
    unit = unit_of(member, unit_code)
    text = lines_as_kept(text)
    if len(text) > MOST_TEXT:
        raise DomainError("text_long", _("長すぎます。20,000字までに してください。"), 422, field="text")
    own = {text} if tried is None else {text, lines_as_kept(tried)}
    return run_write(lambda: _keep(member, unit, text, since, own))


def _keep(member: Member, unit: Unit, text: str, since: str | None, own: set[str]) -> Draft:
    Draft.objects.get_or_create(unit=unit, member=member)
    draft = Draft.objects.select_for_update(of=("self",)).get(unit=unit, member=member)
    stands = draft.text
    if since is not None and stands and stamp_of(draft) != since and stands not in own:
        raise DomainError(
            "draft_newer",
            _("ほかの 画面で 書いた文が あります。どちらを つかうか えらんでください。"),
            409,
        )
    draft.text = text
    draft.saved_at = clock.now()
    draft.save(update_fields=["text_sealed", "saved_at"])
    return draft


def begin(*, member: Member, unit_code: str) -> None:
    """Note that she opened the unit, as an empty draft: from now on what she types is kept, also when her lease goes meanwhile.

    Its moment is used for her time only where she lets it be measured (`_seconds`).
    """
    unit = unit_of(member, unit_code)
    if not Draft.objects.filter(unit=unit, member=member).exists():
        run_write(lambda: Draft.objects.get_or_create(unit=unit, member=member))


def send_in(
    *, member: Member, unit_code: str, text: str, since: str | None = None, tried: str | None = None
) -> Delivery:
    """Send ``text`` in for a unit in her hands. The text is kept before anything can refuse it.

    The same text again (a double tap, a second tab) is the same delivery. Raises 404 ``unknown_unit``; 409 ``lease_gone``,
    ``already_sent``, ``already_decided``, ``draft_newer`` (see `save_draft`); 422 ``text_missing``, ``text_long``.
    """
    text = lines_as_kept(text)
    if not text.strip():
        raise DomainError(
            "text_missing", _("まだ 何も 書いていません。書いてから 送ってください。"), 422, field="text"
        )
    save_draft(member=member, unit_code=unit_code, text=text, since=since, tried=tried)

    def work() -> Delivery:
        unit = leases.hold(unit_of(member, unit_code))
        lease = Lease.objects.filter(
            unit=unit, assignment__member=member, assignment__accepted_at__isnull=False
        ).first()
        last = (
            Delivery.objects.filter(unit=unit)
            .select_related("notice__assignment")
            .order_by("-number")
            .first()
        )
        if lease is None or unit.state not in (UnitState.HELD, UnitState.RETURNED):
            own = last is not None and last.notice.assignment.member_id == member.pk
            if last is not None and own and last.text == text:
                return last
            if lease is not None:
                raise DomainError("already_sent", _("もう 送りました。確認を 待っています。"), 409)
            if own and unit.state in (UnitState.ACCEPTED, UnitState.REJECTED):
                raise DomainError("already_decided", _("この しごとは もう 確認が おわっています。"), 409)
            raise DomainError(
                "lease_gone",
                _("この しごとは ハブに もどっています。書いた文は のこしてあります。"),
                409,
            )
        now = clock.now()
        delivery = Delivery(
            unit=unit, notice_id=lease.assignment_id, number=last.number + 1 if last else 1, sent_at=now,
            accepted_by_silence_at=now + SILENCE, seconds=_seconds(member, unit), matches_control=matches_control(unit, text),
        )  # fmt: skip
        delivery.text = text
        delivery.save(force_insert=True)
        Unit.objects.filter(pk=unit.pk).update(state=UnitState.SENT)
        return delivery

    return run_write(work)


def _seconds(member: Member, unit: Unit) -> int | None:
    """How long she had the unit open, where she lets it be measured and the time says something."""
    if not PayProfile.objects.filter(member=member, shares_time=True).exists():
        return None
    if Delivery.objects.filter(unit=unit).exists():  # mending is not the time of a unit
        return None
    began = Draft.objects.filter(unit=unit, member=member).values_list("began_at", flat=True).first()
    took = int((clock.now() - began).total_seconds()) if began else 0
    return took if 0 < took <= LONGEST else None


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def matches_control(unit: Unit, text: str) -> bool | None:
    """Whether ``text`` says what the control item of ``unit`` says; None without one. Told to the director only."""
    control = ControlItem.objects.filter(unit=unit).first()
    return None if control is None else _plain(control.answer) == _plain(text)


def ask(*, member: Member, unit_code: str, text: str) -> Question:
    """Ask the director about a unit; the same words again, not answered yet, are the same question.

    Raises 404 ``unknown_unit``, 422 ``text_missing``, ``text_long``.
    """
    text = lines_as_kept(text).strip()
    if not text:
        raise DomainError("text_missing", _("聞きたいことを 書いてください。"), 422, field="question")
    if len(text) > MOST_QUESTION:
        raise DomainError("text_long", _("長すぎます。1,000字までに してください。"), 422, field="question")

    def work() -> Question:
        unit = leases.hold(unit_of(member, unit_code))
        for asked in Question.objects.filter(unit=unit, asked_by=member, answered_at=None):
            if asked.text == text:
                return asked
        question = Question(unit=unit, asked_by=member, asked_at=clock.now())
        question.text = text
        question.save(force_insert=True)
        review_words.tell_asked(question)
        return question

    return run_write(work)
