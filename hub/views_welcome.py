"""The way in: after every sign-in, the first page of a new member, and the demo's one-tap sign-in."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, translate_url
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.core.db import run_write
from hub.core.forms import nfkc
from hub.members.forms import LanguageMixin, PersonForm
from hub.members.models import Member
from hub.members.services import furigana
from hub.members.views import me_of
from hub.spaces.access import staff_hub_ids
from hub.spaces.joining import accept_role_invitations, join_home, open_hubs
from hub.spaces.models import Hub

DEMO_DOMAIN = "demo.example"


def safe_next(request: HttpRequest) -> str:
    """The page that was asked for before signing in, if it lies on this site; otherwise empty."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    hosts = {request.get_host()}
    if not wanted.startswith("/"):  # `redirect` would take a bare word for the name of a page
        return ""
    return wanted if url_has_allowed_host_and_scheme(wanted, hosts, require_https=request.is_secure()) else ""


def home_url(language: str) -> str:
    """The first page in a language."""
    return "/en/" if language.startswith("en") else "/"


@login_required
@require_GET
def after_sign_in(request: HttpRequest) -> HttpResponse:
    """Every sign-in passes here: sessions of staff are made short, a new member is welcomed, then home or ``next``."""
    member = me_of(request)
    if member.is_staff or staff_hub_ids(member):
        request.session.set_expiry(settings.STAFF_SESSION_SECONDS)
    wanted = safe_next(request)
    if not member.name:
        query = f"?{urlencode({'next': wanted})}" if wanted else ""
        return redirect(reverse("welcome") + query)
    return redirect(wanted or home_url(member.language))


class HubForm(forms.Form):
    """Radio cards of the hubs that take bookings."""

    hub = forms.ChoiceField(
        label=_("よく使う ハブ"),
        help_text=_("ほかの ハブも 予約できます。あとで 変えられます。"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("よく使う ハブを えらんでください"),
            "invalid_choice": _("よく使う ハブを えらんでください"),
        },
    )

    def __init__(self, *args: Any, hubs: list[Hub], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        english = (get_language() or "").startswith("en")
        field = self.fields["hub"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(hub.slug, (hub.name_en or hub.name) if english else hub.name) for hub in hubs]
        if len(hubs) == 1:
            field.initial = hubs[0].slug


class WelcomeForm(HubForm, LanguageMixin, PersonForm):
    """Name, furigana, home hub, language: what a new member is asked, once."""

    field_order = ["name", "kana", "hub", "language"]


def welcome_member(member: Member, *, name: str, kana: str, language: str, hub: Hub) -> Member:
    """The end of signing up: the name, an active worker at the home hub, and roles that waited for this address."""

    def work() -> Member:
        fresh = Member.objects.select_for_update().get(pk=member.pk)
        fresh.name, fresh.kana, fresh.language = nfkc(name), furigana(kana), language
        fresh.save(update_fields=["name", "kana", "language"])
        join_home(fresh, hub)
        accept_role_invitations(fresh)
        return fresh

    return run_write(work)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest) -> HttpResponse:
    """One page between signing up and the first booking."""
    member = me_of(request)
    if member.name:
        return redirect(safe_next(request) or "today")
    hubs = list(open_hubs())
    language = "en" if (get_language() or "").startswith("en") else "ja"
    form = WelcomeForm(
        request.POST if request.method == "POST" else None, hubs=hubs, initial={"language": language}
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        hub = next(hub for hub in hubs if hub.slug == data["hub"])
        fresh = welcome_member(
            member, name=data["name"], kana=data["kana"], language=data["language"], hub=hub
        )
        if staff_hub_ids(fresh):
            request.session.set_expiry(settings.STAFF_SESSION_SECONDS)
        return redirect(safe_next(request) or translate_url(reverse("today"), fresh.language))
    context = {"form": form, "hubs": hubs, "next": safe_next(request)}
    return render(request, "welcome.html", context, status=422 if form.is_bound else 200)


@require_POST
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    """One tap signs in as somebody of the cast. Exists in the demo only, and only for members that the demo made."""
    if not settings.HIDAMARI_DEMO:
        raise Http404
    who = request.POST.get("who", "")
    member = Member.objects.filter(email=f"{who}@{DEMO_DOMAIN}", is_demo=True, is_active=True).first()
    if member is None:
        raise Http404
    login(request, member, backend="django.contrib.auth.backends.ModelBackend")
    # Counts as proved just now, so that whoever tries the demo can add a passkey without looking up the password.
    record_authentication(request, member, "demo", reauthenticated=True)
    wanted = safe_next(request)
    query = f"?{urlencode({'next': wanted})}" if wanted else ""
    return redirect(reverse("after_sign_in") + query)


@require_http_methods(["GET", "HEAD", "POST"])
def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """The admin has no entrance of its own: its form would ask for a password and for no second factor."""
    if not request.user.is_authenticated:
        return redirect_to_login(safe_next(request) or reverse("admin:index"))
    if not me_of(request).is_staff:
        raise Http404
    return redirect(safe_next(request) or "admin:index")
