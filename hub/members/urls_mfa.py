"""Addresses of the second factors under accounts/2fa/, by the names that allauth asks for.

Its own list is not included: it names a passkey by the number of its row.
"""

from django.urls import path

from hub.members import views_mfa as views

urlpatterns = [
    path("", views.index, name="mfa_index"),
    path("needed/", views.needed, name="second_factor"),
    path("done/", views.onward, name="second_factor_done"),
    path("authenticate/", views.authenticate, name="mfa_authenticate"),
    path("reauthenticate/", views.reauthenticate, name="mfa_reauthenticate"),
    path("app/", views.activate_app, name="mfa_activate_totp"),
    path("app/remove/", views.deactivate_app, name="mfa_deactivate_totp"),
    path("codes/", views.spare_codes, name="mfa_view_recovery_codes"),
    path("codes/new/", views.new_spare_codes, name="mfa_generate_recovery_codes"),
    path("codes/download/", views.download_spare_codes, name="mfa_download_recovery_codes"),
    path("passkeys/add/", views.add_passkey, name="mfa_add_webauthn"),
    path("passkeys/sign-in/", views.sign_in_by_passkey, name="mfa_login_webauthn"),
    path("passkeys/reauthenticate/", views.reauthenticate_by_passkey, name="mfa_reauthenticate_webauthn"),
    path("passkeys/<slug:code>/name/", views.passkey_name, name="mfa_edit_webauthn"),
    path("passkeys/<slug:code>/remove/", views.passkey_remove, name="mfa_remove_webauthn"),
]
