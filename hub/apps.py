from django.apps import AppConfig


class HubConfig(AppConfig):
    """The top: pages and commands where all apps meet. Wires hooks, live groups and the access table."""

    name = "hub"
    label = "hub"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from hub import wiring

        wiring.connect()
