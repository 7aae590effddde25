"""The demo's inbox: mails are files there, and this page shows them to whoever tries the demo. 404 elsewhere."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

P = ParamSpec("P")
MOST = 30  # mails on the page
NAME = re.compile(r"^[0-9A-Za-z_-]{1,60}\.log$")  # as Django's file backend names its files
RULE = re.compile(rb"^-{79}\r?\n?", re.MULTILINE)  # what it writes after each mail
CODE = re.compile(r"^\s*(\d{6})\s*$", re.MULTILINE)


@dataclass(frozen=True)
class File:
    """An attachment: its place among the parts of the mail, and its name."""

    part: int
    name: str


@dataclass(frozen=True)
class Mail:
    name: str
    number: int
    to: str
    subject: str
    sent: datetime | None
    text: str
    code: str = ""
    files: list[File] = field(default_factory=list)


def demo_only(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Outside the demo there is nothing here: mails go to their owners."""

    @wraps(view)
    def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not settings.HIDAMARI_DEMO:
            raise Http404
        return view(request, *args, **kwargs)

    return inner  # type: ignore[return-value]  # wraps keeps the arguments


def _messages(path: Path) -> list[EmailMessage]:
    """The mails of one file, in the order in which they were sent."""
    return [
        message_from_bytes(chunk, _class=EmailMessage, policy=policy.default)
        for chunk in RULE.split(path.read_bytes())
        if chunk.strip()
    ]


def _files() -> list[Path]:
    """Mail files, the newest first."""
    folder = Path(settings.MAIL_FOLDER)
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if NAME.match(path.name) and path.is_file()]
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)


def _mail(name: str, number: int, message: EmailMessage) -> Mail:
    body = message.get_body(("plain",))
    text = str(body.get_content()).strip() if body is not None else ""
    code = CODE.search(text)
    sent = message["Date"]
    return Mail(
        name=name,
        number=number,
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        sent=sent.datetime if sent is not None else None,
        text=text,
        code=code[1] if code else "",
        files=[
            File(number, part.get_filename() or "")
            for number, part in enumerate(message.walk())
            if part.get_content_disposition() == "attachment" or part.get_content_type() == "text/calendar"
        ],
    )


def mails() -> Iterator[Mail]:
    """Mails that were sent, the newest first."""
    for path in _files():
        for number, message in reversed(list(enumerate(_messages(path)))):
            yield _mail(path.name, number, message)


@require_safe
@never_cache
@demo_only
def inbox(request: HttpRequest) -> HttpResponse:
    """The newest mails to anybody; a 6-digit code stands out."""
    found: list[Mail] = []
    for mail in mails():
        found.append(mail)
        if len(found) == MOST:
            break
    return render(request, "demo/inbox.html", {"mails": found})


@require_safe
@never_cache
@demo_only
def attachment(request: HttpRequest, name: str, number: int, part: int) -> HttpResponse:
    """One attachment, always as a download."""
    path = Path(settings.MAIL_FOLDER) / name
    if not NAME.match(name) or not path.is_file():
        raise Http404
    messages = _messages(path)
    parts = list(messages[number].walk()) if number < len(messages) else []
    if part >= len(parts):
        raise Http404
    content = parts[part].get_payload(decode=True)
    if not isinstance(content, bytes):
        raise Http404
    is_calendar = parts[part].get_content_type() == "text/calendar"
    response = HttpResponse(
        content, content_type="text/calendar" if is_calendar else "application/octet-stream"
    )
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{"visit.ics" if is_calendar else "file"}"'
    )
    return response
