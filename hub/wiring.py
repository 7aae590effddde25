"""Who listens to whom: hooks, live groups and the access table, in one place."""

from hub import access
from hub.core import hooks, live
from hub.spaces import access as spaces_access


def connect() -> None:
    """Called once when the apps are ready."""
    spaces_access.use(access.TABLE)
    live.register("hub", spaces_access.may_watch_hub)
    hooks.subscribe("child_decided", "hub.childcare.children.mail_child_decided")
