"""Addresses of handing out and taking work."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
