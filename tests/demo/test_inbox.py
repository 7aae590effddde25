"""The demo's inbox: newest first, the code stands out, everything escaped, nothing outside the demo."""

import os
from pathlib import Path

import pytest
from django.core.mail import EmailMessage, get_connection
from django.test import Client

BACKEND = "django.core.mail.backends.filebased.EmailBackend"


@pytest.fixture
def folder(settings, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    settings.HIDAMARI_DEMO = True
    settings.MAIL_FOLDER = tmp_path / "mail"
    return settings.MAIL_FOLDER  # type: ignore[no-any-return]


_turn = iter(range(1, 1000))


def send(folder: Path, subject: str, body: str, *, ics: str = "") -> Path:
    message = EmailMessage(subject, body, "hub@localhost", ["new@example.org"])
    if ics:
        message.attach("visit.ics", ics, "text/calendar")
    turn = next(_turn)
    path = folder / f"20261207-094000-{turn}.log"
    connection = get_connection(BACKEND, file_path=str(folder))
    connection._fname = str(path)  # type: ignore[attr-defined]  # its own names repeat within a second
    connection.send_messages([message])
    os.utime(path, (1_800_000_000 + turn,) * 2)
    return path


def test_inbox_shows_the_code_in_big_digits(folder: Path, client: Client, db: None) -> None:
    send(folder, "入るための 番号", "番号は つぎの とおりです。\n\n    482913\n\n10分 以内に")
    page = client.get("/demo/inbox/").content.decode()
    assert page.count('<p class="big-code num">') == 1
    assert '<span class="vh">6けたの 数字</span>482913</p>' in page
    assert "new@example.org" in page


def test_inbox_shows_the_newest_first(folder: Path, client: Client, db: None) -> None:
    send(folder, "一つめ", "a")
    send(folder, "二つめ", "b")
    mails = client.get("/demo/inbox/").context["mails"]
    assert [mail.subject for mail in mails] == ["二つめ", "一つめ"]


def test_two_mails_in_one_file_are_two_mails(folder: Path, client: Client, db: None) -> None:
    connection = get_connection(BACKEND, file_path=str(folder))
    connection.open()
    for n in (1, 2):
        connection.send_messages([EmailMessage(f"その{n}", f"本文{n}", "a@localhost", ["b@example.org"])])
    connection.close()
    mails = client.get("/demo/inbox/").context["mails"]
    assert [(mail.subject, mail.text) for mail in mails] == [("その2", "本文2"), ("その1", "本文1")]


def test_inbox_escapes_what_people_wrote(folder: Path, client: Client, db: None) -> None:
    send(folder, "<script>alert(1)</script>", "<img src=x onerror=alert(2)>")
    page = client.get("/demo/inbox/").content.decode()
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(2)&gt;" in page


def test_calendar_file_can_be_fetched(folder: Path, client: Client, db: None) -> None:
    path = send(folder, "予約できました", "本文", ics="BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    mail = client.get("/demo/inbox/").context["mails"][0]
    assert [file.name for file in mail.files] == ["visit.ics"]
    answer = client.get(f"/demo/inbox/{path.name}/{mail.number}/{mail.files[0].part}/")
    assert answer.content.startswith(b"BEGIN:VCALENDAR")
    assert answer["Content-Type"] == "text/calendar"
    assert answer["Content-Disposition"] == 'attachment; filename="visit.ics"'


@pytest.mark.parametrize(
    "name", ["..%2Fkeys", "nothing.log", ".log", "x.txt", "%2Fetc%2Fpasswd", "..", "a%00.log"]
)
def test_other_files_cannot_be_fetched(folder: Path, client: Client, db: None, name: str) -> None:
    folder.mkdir()
    (folder / "x.txt").write_text("secret")
    assert client.get(f"/demo/inbox/{name}/0/0/").status_code == 404


@pytest.mark.parametrize(("number", "part"), [(1, 0), (0, 9)])
def test_part_that_is_not_there_is_404(
    folder: Path, client: Client, db: None, number: int, part: int
) -> None:
    path = send(folder, "一つ", "a")
    assert client.get(f"/demo/inbox/{path.name}/{number}/{part}/").status_code == 404


def test_empty_inbox_says_so(folder: Path, client: Client, db: None) -> None:
    assert "まだ メールは ありません" in client.get("/demo/inbox/").content.decode()


def test_inbox_is_404_outside_the_demo(folder: Path, client: Client, db: None, settings) -> None:  # type: ignore[no-untyped-def]
    path = send(folder, "一つ", "a")
    settings.HIDAMARI_DEMO = False
    assert client.get("/demo/inbox/").status_code == 404
    assert client.get(f"/demo/inbox/{path.name}/0/0/").status_code == 404


def test_inbox_is_read_only(folder: Path, client: Client, db: None) -> None:
    assert client.post("/demo/inbox/").status_code == 405
