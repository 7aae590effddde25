"""Who listens to whom: hooks, live groups and the access table, in one place."""

from hub import access
from hub.booking import mail as visit_words
from hub.booking import week, week_words
from hub.core import hooks, live, sessions
from hub.members import factors
from hub.notices import topics
from hub.notices.enums import Kind
from hub.spaces import access as spaces_access
from hub.spaces.access import Action


def connect() -> None:
    """Called once when the apps are ready."""
    spaces_access.use(access.TABLE)
    sessions.use(spaces_access.sign_in_too_old, factors.note)
    live.register("hub", spaces_access.may_watch_hub)
    live.register("door", spaces_access.watcher(Action.SCAN))
    live.register("day", spaces_access.watcher(Action.SEE_DAY))
    live.register("care", spaces_access.watcher(Action.CARE_FOR_CHILDREN))
    live.register("me", spaces_access.is_oneself)
    topics.register(visit_words.TOPIC, Kind.CHANGE, visit_words.compose)
    topics.register(week.TOPIC, Kind.CHANGE, week_words.compose)
    hooks.subscribe("child_decided", "hub.childcare.children.mail_child_decided")
