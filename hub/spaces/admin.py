"""The admin looks: hubs, visits and claims change through pages and services, which keep the promises."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from hub.spaces.models import (
    Closure,
    Holiday,
    Hub,
    Membership,
    OpeningHours,
    RoleInvitation,
    Seat,
    Visit,
    VisitClaim,
    Zone,
)


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Lists and shows, nothing else: neither added, changed nor deleted here."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SeenInline(admin.TabularInline[Any, Any]):
    """Rows below their parent, to look at."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class HoursInline(SeenInline):
    model = OpeningHours


class ClosureInline(SeenInline):
    model = Closure


@admin.register(Hub)
class HubAdmin(ReadOnlyAdmin):
    list_display = ("slug", "name", "timezone", "is_open", "horizon_days", "page_step")
    inlines = (HoursInline, ClosureInline)


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("member", "hub", "role", "status", "is_home", "changed_at", "changed_by")
    list_filter = ("hub", "role", "status")
    search_fields = ("member__name", "member__kana", "member__email")
    list_select_related = ("member", "hub", "changed_by")


@admin.register(RoleInvitation)
class RoleInvitationAdmin(ReadOnlyAdmin):
    list_display = ("email", "hub", "role", "created_at", "accepted_at")
    list_select_related = ("hub",)


@admin.register(Zone)
class ZoneAdmin(ReadOnlyAdmin):
    list_display = ("name", "hub", "kind", "position")
    list_select_related = ("hub",)


@admin.register(Seat)
class SeatAdmin(ReadOnlyAdmin):
    list_display = ("label", "hub", "zone", "plan_x", "plan_y", "is_active")
    list_filter = ("hub", "is_active")
    list_select_related = ("hub", "zone")


@admin.register(Holiday)
class HolidayAdmin(ReadOnlyAdmin):
    list_display = ("date", "name", "hub", "is_closed", "is_manual")
    list_filter = ("hub", "is_closed")
    list_select_related = ("hub",)


@admin.register(Visit)
class VisitAdmin(ReadOnlyAdmin):
    list_display = ("code", "member", "hub", "seat", "starts_at", "ends_at", "status", "source", "sequence")
    list_filter = ("hub", "status", "source")
    search_fields = ("code", "member__name", "member__kana")
    date_hierarchy = "starts_at"
    list_select_related = ("member", "hub", "seat")


@admin.register(VisitClaim)
class VisitClaimAdmin(ReadOnlyAdmin):
    list_display = ("visit", "member", "seat", "quarter")
    search_fields = ("visit__code",)
    list_select_related = ("visit", "member", "seat")
