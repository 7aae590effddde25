"""Pages of a person's own account. The top's urls.py puts them under the language prefix."""

from allauth.account.views import logout
from django.urls import path

from hub.members import views

urlpatterns = [
    path("sign-out/", logout, name="sign_out"),
    path("me/account/", views.account, name="account"),
    path("me/account/sign-out-elsewhere/", views.sign_out_elsewhere, name="sign_out_elsewhere"),
    path("me/shared-device/", views.shared_device, name="shared_device"),
    path("me/household/", views.household, name="household"),
    path("me/household/invite/", views.household_invite, name="household_invite"),
    path("me/household/<str:code>/revoke/", views.household_revoke, name="household_revoke"),
    path("me/household/<str:code>/pickup/", views.pickup_add, name="pickup_add"),
    path("me/household/<str:code>/pickup/<str:adult>/end/", views.pickup_end, name="pickup_end"),
    path("join/<str:secret>/", views.household_join, name="household_join"),
    path("me/tokens/", views.api_tokens, name="api_tokens"),
    path("me/tokens/<str:code>/revoke/", views.api_token_revoke, name="api_token_revoke"),
]
