"""Pages of the second factors, under accounts/2fa/. Signing in and adding follow allauth's views; the rest is ours.

Where somebody came from (a staff page that asked for a factor) waits in the session until she has set one up.
"""

from typing import Any

from allauth.account.adapter import get_adapter as account_adapter
from allauth.mfa.base.views import AuthenticateView, ReauthenticateView
from allauth.mfa.recovery_codes.views import (
    DownloadRecoveryCodesView,
    GenerateRecoveryCodesView,
    ViewRecoveryCodesView,
)
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.internal import auth as keys
from allauth.mfa.webauthn.internal import flows as key_flows
from allauth.mfa.webauthn.views import AddWebAuthnView, LoginWebAuthnView, ReauthenticateWebAuthnView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from hub.core import qr
from hub.members import factors
from hub.members.forms_mfa import PasskeyNameForm, proved
from hub.members.views import form_page, me_of, prove_anew

ONWARD = "second_factor_next"


def _onward(request: HttpRequest) -> str:
    """The page that asked for a factor, or empty."""
    return str(request.session.get(ONWARD, ""))


# ---------------------------------------------------------------- what I have


@login_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Passkeys, app and spare codes, each with when it was last used and the way to change it."""
    return render(request, "mfa/index.html", {"factors": factors.factors_of(me_of(request))})


@login_required
@require_GET
def needed(request: HttpRequest) -> HttpResponse:
    """Why staff pages want a second factor, and the two ways to set one up. With one, it leads on."""
    wanted = request.GET.get("next", "")
    safe = wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    if safe:
        request.session[ONWARD] = wanted
    if factors.has_factor(me_of(request)):
        return redirect(request.session.pop(ONWARD, "") or reverse("mfa_index"))
    return render(request, "mfa/needed.html")


@login_required
@require_GET
def onward(request: HttpRequest) -> HttpResponse:
    """The end of setting up: back to the page that asked for it."""
    return redirect(request.session.pop(ONWARD, "") or reverse("mfa_index"))


# ---------------------------------------------------------------- passkeys


class AddPasskey(AddWebAuthnView):
    """The page makes the key with the browser and sends what the server has to keep."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        # Every key is made to sign in alone: it lies in the device and asks for face, finger or PIN.
        options = keys.begin_registration(self.request.user, True)
        return {**context, "js_data": {"creation_options": options}}

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        newest = factors.factors_of(me_of(self.request)).passkeys[-1]
        proved(newest.row, me_of(self.request))
        return response


def _passkey(request: HttpRequest, code: str) -> factors.Passkey:
    found = factors.passkey_of(me_of(request), code)
    if found is None:
        raise Http404
    return found


@login_required
@form_page
def passkey_name(request: HttpRequest, code: str) -> HttpResponse:
    """Call a passkey something else. Changes nothing else, so nobody has to prove herself for it."""
    key = _passkey(request, code)
    form = PasskeyNameForm(request.POST if request.method == "POST" else None, initial={"name": key.name})
    if request.method == "POST" and form.is_valid():
        factors.rename(key, form.cleaned_data["name"])
        messages.success(request, _("名前を 変えました。"))
        return redirect("mfa_index")
    context = {"form": form, "key": key}
    return render(request, "mfa/webauthn/edit_form.html", context, status=422 if form.is_bound else 200)


@login_required
@form_page
def passkey_remove(request: HttpRequest, code: str) -> HttpResponse:
    """A page that asks, then the end of a passkey; a mail says so."""
    key = _passkey(request, code)
    prove_anew(request)
    if request.method == "POST":
        key_flows.remove_authenticator(request, key.row)
        return redirect("mfa_index")
    context = {"key": key, "last": factors.factors_of(me_of(request)).is_last}
    return render(request, "mfa/webauthn/authenticator_confirm_delete.html", context)


# ---------------------------------------------------------------- app


class ActivateApp(ActivateTOTPView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        secret = context["form"].secret
        groups = [secret[at : at + 4] for at in range(0, len(secret), 4)]
        return {**context, "qr": qr.square(context["totp_url"]), "secret": " ".join(groups)}

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        app = factors.factors_of(me_of(self.request)).app
        if app is not None:
            factors.mark_step(app, form.step)
            proved(app, me_of(self.request))
        return response


class DeactivateApp(DeactivateTOTPView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "last": factors.factors_of(me_of(self.request)).is_last}


# ---------------------------------------------------------------- spare codes


class SpareCodes(ViewRecoveryCodesView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "onward": _onward(self.request)}


# ---------------------------------------------------------------- signing in


class Authenticate(AuthenticateView):
    """The second step of signing in. After five wrong codes the sign-in begins anew."""

    def form_invalid(self, form: Any) -> HttpResponse:
        if getattr(form, "exhausted", False):
            for sentence in form.errors["code"]:
                account_adapter().add_message(self.request, messages.ERROR, message=sentence)
            aborted: HttpResponse = self.stage.abort()
            return aborted
        response: HttpResponse = super().form_invalid(form)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mine = factors.factors_of(self.stage.login.user)
        return {**super().get_context_data(**kwargs), "factors": mine}


class _NewKey:
    """Security.md T24: a step up gets a new session id."""

    request: HttpRequest

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]  # the view beside it has it
        self.request.session.cycle_key()
        return response


class Reauthenticate(_NewKey, ReauthenticateView):
    """Proving oneself by a code."""


class ReauthenticateByPasskey(_NewKey, ReauthenticateWebAuthnView):
    """Proving oneself by a passkey. A key that does not fit leaves one on the page, with the reason."""

    def form_invalid(self, form: Any) -> HttpResponse:
        return render(self.request, self.template_name, {**self.get_context_data(), "form": form})


add_passkey = AddPasskey.as_view()
sign_in_by_passkey = LoginWebAuthnView.as_view()
activate_app = ActivateApp.as_view()
deactivate_app = DeactivateApp.as_view()
spare_codes = SpareCodes.as_view()
new_spare_codes = GenerateRecoveryCodesView.as_view()
download_spare_codes = DownloadRecoveryCodesView.as_view()
authenticate = Authenticate.as_view()
reauthenticate = Reauthenticate.as_view()
reauthenticate_by_passkey = ReauthenticateByPasskey.as_view()
