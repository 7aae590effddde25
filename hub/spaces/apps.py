from django.apps import AppConfig


class SpacesConfig(AppConfig):
    name = "hub.spaces"
    label = "spaces"
    verbose_name = "場所"
    default_auto_field = "django.db.models.BigAutoField"
