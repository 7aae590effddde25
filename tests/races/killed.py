"""A worker that is killed: `python -m tests.races.killed`, then one line "OP CODE N" per kill.

For each line a child of this process does OP and dies by SIGKILL just before its N-th statement (or comes to its end
before that). The answer is "killed" or "done". Started by test_waiting_killed.py and test_import_killed.py.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def do(operation: str, code: str) -> None:
    from hub.booking import services, waiting
    from hub.booking.models import Offer
    from hub.spaces.models import Visit
    from hub.work import imports

    if operation in ("check", "keep"):
        (imports.check_file if operation == "check" else imports.keep_rows)(code)
        return
    if operation == "cancel":
        visit = Visit.objects.select_related("member").get(code=code)
        services.cancel_visit(actor=visit.member, code=code)
        return
    offer = Offer.objects.select_related("entry__member").get(code=code)
    if operation == "accept":
        waiting.accept(actor=offer.entry.member, code=code)
    else:
        waiting.decline(actor=offer.entry.member, code=code)


def die_before(number: int) -> Callable[..., Any]:
    seen = 0

    def wrapper(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    return wrapper


def main() -> None:
    import django

    django.setup()
    from django.db import connection

    say("ready")
    for line in sys.stdin:
        operation, code, number = line.split()
        child = os.fork()
        if child == 0:
            try:
                with connection.execute_wrapper(die_before(int(number))):
                    do(operation, code)
            except BaseException as crash:
                say(f"crash: {crash!r}")
                os._exit(1)
            os._exit(0)
        _pid, status = os.waitpid(child, 0)
        say("killed" if os.WIFSIGNALED(status) else "done" if status == 0 else "failed")


if __name__ == "__main__":
    main()
