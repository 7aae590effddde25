"""One contender as a process of its own: `python -m tests.races.contender MEMBER SEAT`, then "go" once per round.

It answers each line on stdin with the code of a refusal, "ok", or the error. Started by test_sqlite.py.
"""

import sys


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> None:
    import django

    django.setup()
    from hub.booking import services
    from hub.core.errors import DomainError
    from hub.members.models import Member
    from hub.spaces.models import Seat
    from tests import factories as make

    member = Member.objects.get(pk=int(sys.argv[1]))
    seat = Seat.objects.select_related("zone", "hub").get(pk=int(sys.argv[2]))
    request = make.request_for(member, seat.hub, seat=seat)
    say("ready")
    for _line in sys.stdin:
        try:
            services.book_visit(actor=member, request=request)
            say("ok")
        except DomainError as refusal:
            say(refusal.code)
        except Exception as crash:
            say(f"crash: {crash!r}")


if __name__ == "__main__":
    main()
