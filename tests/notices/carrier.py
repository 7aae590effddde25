"""A worker of the queue that is killed: `python -m tests.notices.carrier [STEP]`. Started by test_killed.py.

It does what `manage.py db_worker` and the tick do, with a lease of one second instead of five minutes, and ends when
nothing waits any more. STEP makes it kill itself there, once it has something to carry: "leased" (before the mail),
"carried" (after the mail, before it is written down). "careless" writes it down first and dies before the mail: the
harm that the order of the real thing prevents.
"""

import os
import signal
import sys
import time
from datetime import timedelta


def die(*_: object, **__: object) -> bool:
    os.kill(os.getpid(), signal.SIGKILL)
    return True


def main() -> None:
    import django

    django.setup()
    from hub.core import clock, tasks
    from hub.core.db import run_write
    from hub.notices import delivery
    from hub.notices.enums import Channel, DeliveryState
    from hub.notices.models import Delivery

    step = sys.argv[1] if len(sys.argv) > 1 else ""
    delivery.LEASE = tasks.STALE_AFTER = timedelta(seconds=1)
    carry = delivery.SENDERS[Channel.MAIL]
    if step == "leased":
        delivery.SENDERS[Channel.MAIL] = die
    elif step == "carried":
        delivery.SENDERS[Channel.MAIL] = lambda notice, message: carry(notice, message) and die()
    elif step == "careless":

        def written_down_first(notice, message):  # type: ignore[no-untyped-def]
            ended = {"state": DeliveryState.SENT, "ended_at": clock.now()}
            run_write(lambda: Delivery.objects.filter(notice=notice).update(**ended))
            return die()

        delivery.SENDERS[Channel.MAIL] = written_down_first
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        if tasks.run_pending(limit=1):
            continue
        if not Delivery.objects.filter(state=DeliveryState.WAITING).exists():
            return
        run_write(tasks.requeue_stale)
        delivery.hand_on_due()
        time.sleep(0.05)


if __name__ == "__main__":
    main()
