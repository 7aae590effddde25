from django.apps import AppConfig


class ChildcareConfig(AppConfig):
    name = "hub.childcare"
    label = "childcare"
    verbose_name = "預かり"
    default_auto_field = "django.db.models.BigAutoField"
