"""How long notices are kept, and forgetting everything of somebody who leaves."""

from datetime import timedelta

from django.db.models import Q

from hub.core import clock
from hub.core.db import require_transaction
from hub.members.models import Member
from hub.notices.models import Choice, Notice, PushSubscription

READ_DAYS = 90  # what she has seen
ALL_DAYS = 400  # everything else: a year and a little


def forget_old() -> int:
    """Delete old notices with what became of them; returns how many notices. Inside the caller's transaction."""
    require_transaction()
    now = clock.now()
    seen = Q(read_at__isnull=False, created_at__lt=now - timedelta(days=READ_DAYS))
    PushSubscription.objects.filter(removed_at__lt=now - timedelta(days=ALL_DAYS)).delete()
    old = Notice.objects.filter(seen | Q(created_at__lt=now - timedelta(days=ALL_DAYS)))
    return old.delete()[1].get("notices.Notice", 0)


def forget_member(member: Member) -> None:
    """Delete what ``member`` was told, where she was told it and how she wanted it. Inside the caller's transaction."""
    require_transaction()
    for model in (Notice, PushSubscription, Choice):
        model.objects.filter(member=member).delete()
