"""Staff book for a caller or for somebody who stands at the door: find or register the person, then the usual steps."""

from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from hub.booking.forms import CallerForm, SearchForm
from hub.booking.views import me_of, new_key, see_other
from hub.core import idempotency
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.forms import nfkc
from hub.members.models import Member
from hub.members.services import add_member, furigana
from hub.spaces.access import Action, staff_page
from hub.spaces.enums import MembershipStatus, Role
from hub.spaces.joining import join_home
from hub.spaces.models import Hub
from hub.spaces.staff_frame import frame

MOST_HITS = 20
LEAST_LETTERS = 2


def find_members(text: str) -> list[Member]:
    """Members who may book, by part of the name or furigana, or by the whole e-mail address; at most 21."""
    words = nfkc(text)
    if len(words.replace(" ", "")) < LEAST_LETTERS:
        return []
    rows = Member.objects.filter(
        is_active=True, memberships__role=Role.WORKER, memberships__status=MembershipStatus.ACTIVE
    )
    close = words.replace(" ", "")
    spaced = Q(name__icontains=words) | Q(kana__icontains=furigana(words)) | Q(email__iexact=words)
    if close != words:
        spaced |= Q(name__icontains=close) | Q(kana__icontains=furigana(close))
    return list(rows.filter(spaced).distinct().order_by("kana", "pk")[: MOST_HITS + 1])


def _booking_of(member: Member, hub: Hub, *, walk_in: bool) -> str:
    query = {"for": member.code, "hub": hub.slug} | ({"src": "walk_in"} if walk_in else {})
    return f"{reverse('book')}?{urlencode(query)}"


@staff_page(Action.BOOK_FOR_OTHERS)
@require_GET
def desk_book(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Search, then the two steps for that person: for a caller, or from now on for a walk-in (first with ``?now=1``)."""
    form = SearchForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    found = find_members(text)
    hits = [
        (member, _booking_of(member, hub, walk_in=False), _booking_of(member, hub, walk_in=True))
        for member in found[:MOST_HITS]
    ]
    context = {
        "q": text, "hits": hits, "more": len(found) > MOST_HITS, "asked": bool(nfkc(text)),
        "here_now": request.GET.get("now") == "1",
    }  # fmt: skip
    return render(request, "booking/desk_book.html", frame(me_of(request), hub, "desk_book") | context)


@staff_page(Action.BOOK_FOR_OTHERS)
@require_http_methods(["GET", "HEAD", "POST"])
def desk_new_member(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Register somebody without an e-mail address as a worker of this hub, then book for her."""
    me = me_of(request)
    form = CallerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            member = run_write(lambda: _register(me, hub, form.cleaned_data, request.POST.get("key")))
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            return see_other(_booking_of(member, hub, walk_in=False))
    context = frame(me, hub, "desk_book") | {"form": form, "key": new_key()}
    return render(request, "booking/desk_new_member.html", context, status=422 if form.is_bound else 200)


def _register(me: Member, hub: Hub, data: dict[str, str], key: str | None) -> Member:
    """A member with name, furigana and telephone, once per form (I5). A form without a key is taken as it is."""
    who = {name: data[name] for name in ("name", "kana", "phone")}
    if key:
        route = f"new_member/{hub.slug}"
        stored = idempotency.claim(me.pk, key, idempotency.fingerprint(route, who))
        if stored is not None:
            return get_object_or_404(Member, code=stored["member"])
    member = add_member(**who)
    join_home(member, hub)
    if key:
        idempotency.store(me.pk, key, {"member": member.code})
    return member
