"""People and a hub that do not exist and are in no table: for the page on which staff read what is told to people."""

from django.utils.translation import gettext as _

from hub.members.models import Member
from hub.spaces.models import Hub


def hub() -> Hub:
    return Hub(slug="example", name=_("見本のハブ"), name_en="Example hub", phone="0000-00-0000")


def member() -> Member:
    return Member(name=_("見本 さくら"))
