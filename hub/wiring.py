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
from hub.work import offer_words, review_words, statements


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
    for topic, compose, examples in (
        (review_words.RETURNED, review_words.compose_returned, review_words.examples_returned),
        (review_words.REJECTED, review_words.compose_rejected, review_words.examples_rejected),
        (review_words.ASKED, review_words.compose_asked, review_words.examples_asked),
        (review_words.ANSWERED, review_words.compose_answered, review_words.examples_answered),
        (review_words.LEVEL, review_words.compose_level, review_words.examples_level),
        (review_words.APPEAL, review_words.compose_appeal, review_words.examples_appeal),
        (review_words.APPEALED, review_words.compose_appealed, review_words.examples_appealed),
    ):
        topics.register(topic, Kind.WORK, compose, examples)
    topics.register(offer_words.OFFER, Kind.WORK, offer_words.compose_offer, offer_words.examples_offer)
    topics.register(offer_words.BACK, Kind.WORK, offer_words.compose_back, offer_words.examples_back)
    hooks.subscribe("child_sick", "hub.work.returning.child_sick")
    topics.register(statements.READY, Kind.WORK, statements.compose_ready, statements.examples_ready)
    topics.register(statements.OVERDUE, Kind.WORK, statements.compose_overdue, statements.examples_overdue)
