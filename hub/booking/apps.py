from django.apps import AppConfig


class BookingConfig(AppConfig):
    name = "hub.booking"
    label = "booking"
    verbose_name = "予約"
    default_auto_field = "django.db.models.BigAutoField"
