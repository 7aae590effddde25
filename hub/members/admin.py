"""The admin looks at people and mends little: roles, households and tokens have pages and services of their own."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from hub.core import live
from hub.members.models import ApiToken, Guardian, Household, Member


class ReadOnlyInline(admin.TabularInline[Any, Any]):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class GuardianshipInline(ReadOnlyInline):
    model = Guardian
    fields = ("household", "member", "created_at")


class TokenInline(ReadOnlyInline):
    model = ApiToken
    fields = ("label", "created_at", "last_used_on", "revoked_at")


@admin.register(Member)
class MemberAdmin(admin.ModelAdmin[Member]):
    """Only "may sign in" and "may open this admin" change here; nobody is made or deleted here."""

    list_display = ("code", "name", "kana", "email", "is_active", "is_staff", "is_demo", "date_joined")
    list_filter = ("is_active", "is_staff", "is_demo")
    search_fields = ("code", "name", "kana", "email")
    ordering = ("-date_joined",)
    fields = (
        "code", "name", "kana", "email", "phone", "language", "date_joined", "last_login", "erased_at",
        "is_active", "is_staff",
    )  # fmt: skip
    readonly_fields = fields[:-2]
    inlines = (GuardianshipInline, TokenInline)

    def save_model(self, request: HttpRequest, obj: Member, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        live.recheck(obj.code)  # who may no longer sign in is out at once

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Household)
class HouseholdAdmin(admin.ModelAdmin[Household]):
    list_display = ("code", "created_at")
    search_fields = ("code", "guardians__member__name", "guardians__member__email")
    fields = readonly_fields = ("code", "created_at")
    inlines = (GuardianshipInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
