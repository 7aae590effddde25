"""The way in and わたし: pages where people, hubs and children meet. `hub.urls` puts them under the language prefix."""

from django.urls import path

from hub import views_me, views_welcome

urlpatterns = [
    path("welcome/", views_welcome.welcome, name="welcome"),
    path("after-sign-in/", views_welcome.after_sign_in, name="after_sign_in"),
    path("demo/sign-in/", views_welcome.demo_sign_in, name="demo_sign_in"),
    path("me/", views_me.me, name="me"),
    path("me/hub/", views_me.home_hub, name="home_hub"),
    path("me/account/delete/", views_me.account_delete, name="account_delete"),
]
