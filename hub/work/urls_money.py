"""Addresses of percents, statements, the hub's month."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
