from django.apps import AppConfig


class CheckinConfig(AppConfig):
    name = "hub.checkin"
    label = "checkin"
    verbose_name = "入口"
    default_auto_field = "django.db.models.BigAutoField"
