from django.apps import AppConfig


class MembersConfig(AppConfig):
    name = "hub.members"
    label = "members"
    verbose_name = "人"
    default_auto_field = "django.db.models.BigAutoField"
