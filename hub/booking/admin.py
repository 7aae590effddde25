"""The admin looks: the waiting list changes through pages and services, which keep the promises."""

from django.contrib import admin

from hub.booking.models import Excuse, LateAsk, Offer, WaitChild, WaitEntry
from hub.spaces.admin import ReadOnlyAdmin, SeenInline


class WaitChildInline(SeenInline):
    model = WaitChild


@admin.register(WaitEntry)
class WaitEntryAdmin(ReadOnlyAdmin):
    list_display = ("code", "member", "hub", "day", "minutes", "state", "asked_at")
    list_filter = ("hub", "state")
    date_hierarchy = "day"
    list_select_related = ("member", "hub")
    inlines = (WaitChildInline,)


@admin.register(Offer)
class OfferAdmin(ReadOnlyAdmin):
    list_display = ("code", "entry", "visit", "state", "made_at", "expires_at")
    list_filter = ("state",)
    list_select_related = ("entry", "visit")


@admin.register(LateAsk)
class LateAskAdmin(ReadOnlyAdmin):
    list_display = ("visit", "asked_at", "keep_until")
    list_select_related = ("visit",)


@admin.register(Excuse)
class ExcuseAdmin(ReadOnlyAdmin):
    list_display = ("visit", "kind", "given_by", "given_at")
    list_select_related = ("visit", "given_by")
