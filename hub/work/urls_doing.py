"""Addresses of doing a unit, reviewing it, appeals."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
