"""Who listens to whom: hooks, live groups and the access table, in one place."""

from hub import access
from hub.booking import (
    closure_words,
    no_show,
    offers,
    reminders,
    services,
    waiting,
    weather,
    week,
    week_words,
)
from hub.booking import mail as visit_words
from hub.childcare import mail as child_words
from hub.core import hooks, live, sessions
from hub.members import factors
from hub.notices import topics
from hub.notices.enums import Kind
from hub.spaces import access as spaces_access
from hub.spaces import mail as people_words
from hub.spaces.access import Action
from hub.work import statements


def connect() -> None:
    """Called once when the apps are ready."""
    spaces_access.use(access.TABLE)
    sessions.use(spaces_access.sign_in_too_old, factors.note)
    live.register("hub", spaces_access.may_watch_hub)
    live.register("door", spaces_access.watcher(Action.SCAN))
    live.register("day", spaces_access.watcher(Action.SEE_DAY))
    live.register("care", spaces_access.watcher(Action.CARE_FOR_CHILDREN))
    live.register("me", spaces_access.is_oneself)
    topics.register(reminders.TOPIC, Kind.REMINDER, reminders.compose, reminders.examples)
    topics.register(visit_words.TOPIC, Kind.CHANGE, visit_words.compose, visit_words.examples)
    topics.register(child_words.TOPIC, Kind.PAPERS, child_words.compose, child_words.examples)
    topics.register(people_words.ROLE, Kind.ACCOUNT, people_words.compose_role, people_words.examples_role)
    topics.register(
        people_words.FACTORS, Kind.ACCOUNT, people_words.compose_factors, people_words.examples_factors
    )
    hooks.subscribe("child_decided", "hub.childcare.mail.tell_decided")
    services.use_queue(waiting.fill)
    topics.register(offers.TOPIC, Kind.OFFER, offers.compose, offers.examples)
    topics.register(no_show.TOPIC, Kind.CHANGE, no_show.compose, no_show.examples)
    hooks.subscribe("child_decided", "hub.booking.waiting.child_decided")
    topics.register(closure_words.TOPIC, Kind.CHANGE, closure_words.compose, closure_words.examples)
    topics.register(
        closure_words.INSIDE, Kind.PICKUP, closure_words.compose_inside, closure_words.examples_inside
    )
    topics.register(weather.TOPIC, Kind.CHANGE, weather.compose, weather.examples)
    topics.register(week.TOPIC, Kind.CHANGE, week_words.compose, week_words.examples)
    topics.register(statements.READY, Kind.WORK, statements.compose_ready, statements.examples_ready)
    topics.register(statements.OVERDUE, Kind.WORK, statements.compose_overdue, statements.examples_overdue)
