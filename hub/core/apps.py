from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "hub.core"
    label = "core"
    verbose_name = "土台"
    default_auto_field = "django.db.models.BigAutoField"
