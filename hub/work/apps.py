from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "hub.work"
    label = "work"
    verbose_name = "しごと"
    default_auto_field = "django.db.models.BigAutoField"
