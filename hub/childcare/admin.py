"""The admin looks at rooms, roster, law, places and quarters; health text is not shown here at all."""

from django.contrib import admin

from hub.childcare.models import (
    CarePlace,
    Carer,
    CareRoom,
    CareRule,
    Child,
    ChildClaim,
    RoomQuarter,
    Shift,
    ShiftChange,
)
from hub.spaces.admin import ReadOnlyAdmin


@admin.register(Child)
class ChildAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "kana", "birthday", "hub", "status", "submitted_at", "decided_at")
    list_filter = ("hub", "status")
    search_fields = ("code", "name", "kana")
    list_select_related = ("hub",)


@admin.register(CareRule)
class CareRuleAdmin(ReadOnlyAdmin):
    """The dated law. New law comes as a migration or from an import, with its source."""

    list_display = ("scheme", "table", "valid_from", "r0", "r1", "r2", "r3", "r45", "plus", "source")
    list_filter = ("scheme", "table")


@admin.register(CareRoom)
class CareRoomAdmin(ReadOnlyAdmin):
    list_display = ("name", "hub", "scheme", "table", "places", "youngest", "oldest", "is_active")
    list_select_related = ("hub",)


@admin.register(Carer)
class CarerAdmin(ReadOnlyAdmin):
    list_display = ("name", "hub", "qualification", "is_active")
    list_select_related = ("hub",)


@admin.register(Shift)
class ShiftAdmin(ReadOnlyAdmin):
    list_display = ("carer", "room", "weekday", "starts", "ends", "valid_from", "valid_to")
    list_filter = ("room", "weekday")
    list_select_related = ("carer", "room")


@admin.register(ShiftChange)
class ShiftChangeAdmin(ReadOnlyAdmin):
    list_display = ("date", "carer", "room", "kind", "starts", "ends")
    list_filter = ("room", "kind")
    list_select_related = ("carer", "room")


@admin.register(RoomQuarter)
class RoomQuarterAdmin(ReadOnlyAdmin):
    list_display = (
        "room", "quarter", "n0", "n1", "n2", "n3", "n45", "staff", "required", "qualified", "qualified_required",
        "places", "shortfall", "qualified_shortfall", "over",
    )  # fmt: skip
    list_filter = ("room",)
    list_select_related = ("room",)
    ordering = ("-quarter",)


@admin.register(CarePlace)
class CarePlaceAdmin(ReadOnlyAdmin):
    list_display = ("visit", "child", "room", "starts_at", "ends_at", "status")
    list_filter = ("room", "status")
    search_fields = ("visit__code", "child__name")
    list_select_related = ("visit", "child", "room")


@admin.register(ChildClaim)
class ChildClaimAdmin(ReadOnlyAdmin):
    list_display = ("place", "child", "quarter", "age_class")
    list_select_related = ("place", "child")
