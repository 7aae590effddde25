"""The admin looks at clients, orders and files. Units are not here: what stands in them has one door (`material`)."""

from django.contrib import admin

from hub.spaces.admin import ReadOnlyAdmin, SeenInline
from hub.work.models import Client, Lot, Order, OrderTerms, UnitImport


class LotInline(SeenInline):
    model = Lot


@admin.register(Client)
class ClientAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "hub", "contact_name")
    list_filter = ("hub",)
    list_select_related = ("hub",)


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ("code", "title", "client", "hub", "state", "unit_count", "units_kept", "deadline")
    list_filter = ("hub", "state", "kind")
    list_select_related = ("client", "hub")
    inlines = (LotInline,)


@admin.register(OrderTerms)
class OrderTermsAdmin(ReadOnlyAdmin):
    list_display = ("order", "client_name", "amount_yen", "deliver_on", "kept_until")
    list_select_related = ("order",)


@admin.register(UnitImport)
class UnitImportAdmin(ReadOnlyAdmin):
    list_display = ("code", "order", "state", "rows_good", "rows_bad", "rows_kept", "created_at")
    list_filter = ("state",)
    list_select_related = ("order",)
