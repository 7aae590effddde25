"""Pages of a person's own account: profile, household, tokens. わたし itself stands in `hub.views_me`, where all apps meet."""

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, translate_url
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.core import sessions
from hub.core.errors import DomainError
from hub.members import factors, queries, services, tokens
from hub.members.forms import PickupAdultForm, ProfileForm, TokenForm
from hub.members.models import Household, Member


def prove_anew(request: HttpRequest) -> None:
    """Before something lasting: raises allauth's `ReauthenticationRequired`, which leads to the page that asks.

    What was sent is kept and done after that. Somebody without password and second factor has nothing to prove with.
    """
    raise_if_reauthentication_required(request, app="allauth.mfa")


form_page = require_http_methods(["GET", "HEAD", "POST"])


def me_of(request: HttpRequest) -> Member:
    """The signed-in member; views call it below `login_required`."""
    assert isinstance(request.user, Member)
    return request.user


@login_required
@form_page
def account(request: HttpRequest) -> HttpResponse:
    """Name, furigana, telephone and language; links to mail, password, sessions and deleting."""
    member = me_of(request)
    start = {"name": member.name, "kana": member.kana, "phone": member.phone, "language": member.language}
    form = ProfileForm(request.POST if request.method == "POST" else None, initial=start)
    if request.method == "POST" and form.is_valid():
        fresh = services.update_profile(member, **form.cleaned_data)
        with translation.override(fresh.language):
            messages.success(request, _("直しました。"))
        return redirect(translate_url(reverse("account"), fresh.language))
    status = 422 if form.is_bound else 200
    context = {
        "form": form, "member": member, "has_password": member.has_usable_password(),
        "factors": factors.factors_of(member),
    }  # fmt: skip
    return render(request, "members/account.html", context, status=status)


@login_required
@require_POST
def sign_out_elsewhere(request: HttpRequest) -> HttpResponse:
    """End all other sessions; this one stays."""
    update_session_auth_hash(request, services.sign_out_everywhere(me_of(request)))
    messages.success(request, _("ほかの 電話や パソコンから 出ました。"))
    return redirect("account")


@login_required
@require_POST
def shared_device(request: HttpRequest) -> HttpResponse:
    """Say whether many people use this device: then 15 idle minutes end the sign-in, hers and everybody's after her."""
    shared = request.POST.get("shared") == "1"
    member = me_of(request)
    if shared:
        sessions.renew(request.session, member)
        messages.success(request, _("みんなで 使う 端末に しました。15分 さわらないと 自動で 出ます。"))
    else:
        sessions.own_device(request.session, member)
        messages.success(request, _("じぶんの 端末に もどしました。"))
    answer = redirect("me")
    sessions.mark_shared(answer, shared)
    return answer


# ---------------------------------------------------------------- household


def _household_page(
    request: HttpRequest,
    *,
    status: int = 200,
    form: PickupAdultForm | None = None,
    bad: str = "",
    link: str = "",
) -> HttpResponse:
    """The page with every household; ``bad`` names the household whose form came back."""
    member = me_of(request)
    context = {
        "households": list(queries.households_with_people(member)),
        "form": form,
        "bad": bad,
        "link": link,
        "blank": PickupAdultForm(),
        "member": member,
    }
    return render(request, "members/household.html", context, status=status)


def _household(request: HttpRequest, code: str) -> Household:
    found = queries.household_for(me_of(request), code)
    if found is None:
        raise Http404
    return found


@login_required
@require_GET
def household(request: HttpRequest) -> HttpResponse:
    """Guardians, the open invitation and pick-up adults of each household that I guard."""
    return _household_page(request)


@login_required
@require_POST
def household_invite(request: HttpRequest) -> HttpResponse:
    """Make the link for a second guardian and show it once, in this very answer."""
    code = request.POST.get("household", "")
    if code:
        row, secret = services.invite_guardian(_household(request, code), by=me_of(request))
    else:
        row, secret = services.new_household_invitation(me_of(request))
    path = reverse("household_join", args=[secret])
    context = {"link": request.build_absolute_uri(path), "expires_at": row.expires_at}
    answer = render(request, "members/invitation_link.html", context)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@login_required
@require_POST
def household_revoke(request: HttpRequest, code: str) -> HttpResponse:
    """End the open link."""
    services.revoke_invitations(_household(request, code))
    messages.success(request, _("招待の リンクを 取り消しました。"))
    return redirect("household")


@login_required
@form_page
def household_join(request: HttpRequest, secret: str) -> HttpResponse:
    """Who invites me, and the button that makes me a guardian. The page tells nothing about the children."""
    member = me_of(request)
    try:
        if request.method == "POST":
            services.accept_invitation(secret, member=member)
            messages.success(request, _("家族に 入りました。"))
            return redirect("me")
        invitation = services.open_invitation(secret)
    except DomainError as error:
        return render(request, "members/join_refused.html", {"error": error}, status=error.status)
    own = invitation.invited_by_id == member.pk
    return render(request, "members/join.html", {"invitation": invitation, "own": own})


@login_required
@require_POST
def pickup_add(request: HttpRequest, code: str) -> HttpResponse:
    """Add somebody who may only fetch the children."""
    found = _household(request, code)
    form = PickupAdultForm(request.POST)
    if form.is_valid():
        try:
            adult = services.add_pickup_adult(found, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error.message))
            return _household_page(request, status=error.status, form=form, bad=code)
        messages.success(request, _("%(name)sさんを 足しました。") % {"name": adult.name})
        return redirect("household")
    return _household_page(request, status=422, form=form, bad=code)


@login_required
@require_POST
def pickup_end(request: HttpRequest, code: str, adult: str) -> HttpResponse:
    """This adult may no longer fetch the children."""
    if not services.end_pickup_adult(_household(request, code), adult):
        raise Http404
    messages.success(request, _("むかえの人から はずしました。"))
    return redirect("household")


# ---------------------------------------------------------------- tokens


def _tokens_page(request: HttpRequest, form: TokenForm, *, raw: str = "", status: int = 200) -> HttpResponse:
    context = {"tokens": queries.tokens_of(me_of(request)), "form": form, "raw": raw}
    answer = render(request, "members/tokens.html", context, status=status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@login_required
@form_page
def api_tokens(request: HttpRequest) -> HttpResponse:
    """List the tokens; make one. The token is shown in this answer and never again."""
    form = TokenForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _tokens_page(request, form)
    if not settings.HIDAMARI_DEMO:
        prove_anew(
            request
        )  # whoever finds a phone that is signed in shall not take a lasting key away with her
    if not form.is_valid():
        return _tokens_page(request, form, status=422)
    try:
        _token, raw = tokens.new_token(me_of(request), form.cleaned_data["label"], most=tokens.MAX_TOKENS)
    except DomainError as error:
        form.add_error(None, str(error.message))
        return _tokens_page(request, form, status=error.status)
    return _tokens_page(request, TokenForm(), raw=raw)


@login_required
@require_POST
def api_token_revoke(request: HttpRequest, code: str) -> HttpResponse:
    """End one of my own tokens."""
    if not tokens.revoke_token(me_of(request), code):
        raise Http404
    messages.success(request, _("トークンを とめました。"))
    return redirect("api_tokens")
