from django.apps import AppConfig


class CommunityConfig(AppConfig):
    name = "hub.community"
    label = "community"
    verbose_name = "ひろば"
    default_auto_field = "django.db.models.BigAutoField"
