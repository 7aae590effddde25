"""A statement in the demo, written in its own process: `manage.py shell -c "from tests.e2e.stated import state; ..."`."""

from datetime import date
from types import SimpleNamespace

from hub.core.db import run_write
from hub.members.models import Member
from hub.spaces.models import Hub
from hub.work import statements
from tests.work import earned


def state(email: str) -> None:
    """Two units of work by the member of this address, and her statement of December."""
    hub = Hub.objects.get(slug="ekimae")
    cast = SimpleNamespace(ekimae=hub, director=Member.objects.get(email="director@demo.example"))
    member = Member.objects.get(email=email)
    earned.earn(earned.order_of(cast, price_yen=10_001), member, [1, 2], date(2026, 12, 7))
    run_write(lambda: statements._state(hub, member.pk, date(2026, 12, 1)))
