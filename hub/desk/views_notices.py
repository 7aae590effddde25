"""The words of everything that people are told, in both languages and with made-up data: to read before it goes out."""

from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from hub.desk.pages import page
from hub.notices import delivery, topics
from hub.notices.enums import Kind
from hub.notices.topics import Message, Topic
from hub.spaces.access import Action, staff_page
from hub.spaces.models import Hub

CURRENT = "desk_notices"


@dataclass(frozen=True)
class Wording:
    """One message as somebody gets it who reads ``language``; ``mail`` is its whole text."""

    language: str
    name: str
    message: Message
    mail: str
    mail_label: str


@dataclass(frozen=True)
class Case:
    """When it is sent, in the page's language, and how it reads in each."""

    title: str
    wordings: list[Wording] = field(default_factory=list)


def _cases(topic: Topic) -> list[Case]:
    cases = [Case(example.case) for example in topic.examples()]
    for language, name in settings.LANGUAGES:
        with translation.override(language):
            for case, example in zip(cases, topic.examples(), strict=True):
                text = delivery.mail_text(example.message)
                case.wordings.append(Wording(language, str(name), example.message, text, _("メールの 本文")))
    return cases


@staff_page(Action.READ_NOTICE_WORDS)
@require_GET
def examples(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Every kind with its cases. Nothing is sent and nothing is read: people, hub and visit are made up."""
    kinds: dict[Kind, list[Case]] = {}
    for topic in topics.everything():
        kinds.setdefault(topic.kind, []).extend(_cases(topic))
    return page(request, hub, "notices.html", CURRENT, {"kinds": list(kinds.items())})
