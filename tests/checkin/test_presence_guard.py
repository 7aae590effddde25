"""What the database refuses of a presence, whoever writes it."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, transaction

from hub.checkin.models import Presence
from tests import factories as make

pytestmark = pytest.mark.both_databases


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("left", "ended_as"),
    [(None, "out"), (timedelta(hours=1), ""), (timedelta(hours=-1), "out"), (timedelta(hours=1), "somehow")],
)
def test_presence_is_open_or_ended_and_never_half(
    left: timedelta | None, ended_as: str, cast: SimpleNamespace
) -> None:
    row = Presence.objects.create(
        hub=cast.ekimae, member=cast.misaki, kind="worker", entered_at=make.NOW, entered_by=cast.door
    )
    left_at = None if left is None else make.NOW + left
    with pytest.raises(IntegrityError, match="presence_end"), transaction.atomic():
        Presence.objects.filter(pk=row.pk).update(left_at=left_at, ended_as=ended_as)
    row.refresh_from_db()
    assert (row.left_at, row.ended_as) == (None, "")
