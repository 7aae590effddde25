"""Japanese holidays into a hub's own table, which people edit by hand (RULE-33).

The `holidays` package is verified for the near years only, so the table is what counts. A row that a person
edited (`is_manual`) is left alone by every later import.
"""

from datetime import date

import holidays as package

from hub.core.db import require_transaction
from hub.spaces.models import Holiday, Hub

#: RULE-33: closed like public offices from 29 December to 3 January.
NEW_YEAR = ((12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3))
NEW_YEAR_NAME = "年末年始のお休み"
NEW_YEAR_NAME_EN = "New Year holidays"
YEARS = range(1990, 2100)


def days_of(year: int) -> dict[date, tuple[str, str]]:
    """The closed days of a year with their Japanese and English names, in order."""
    japanese = package.country_holidays("JP", years=year, language="ja")
    english = package.country_holidays("JP", years=year, language="en_US")
    found = {date(year, month, day): (NEW_YEAR_NAME, NEW_YEAR_NAME_EN) for month, day in NEW_YEAR}
    found |= {day: (str(japanese[day]), str(english.get(day, ""))) for day in japanese if day.year == year}
    return dict(sorted(found.items()))


def import_year(hub: Hub, year: int) -> int:
    """Write the holidays of ``year`` into the hub's table; returns how many rows are new or have a new name.

    Inside the caller's transaction: `booking.closures.import_holidays` handles visits on days that become closed.
    """
    require_transaction()
    wanted = days_of(year)
    known = {row.date: row for row in Holiday.objects.filter(hub=hub, date__year=year)}
    fresh = [
        Holiday(hub=hub, date=day, name=name, name_en=name_en)
        for day, (name, name_en) in wanted.items()
        if day not in known
    ]
    renamed = []
    for day, (name, name_en) in wanted.items():
        row = known.get(day)
        if row is not None and not row.is_manual and (row.name, row.name_en) != (name, name_en):
            row.name, row.name_en = name, name_en
            renamed.append(row)
    # A day that the law moved (a holiday renamed to another day) goes, unless a person wrote it.
    gone = [row.pk for day, row in known.items() if day not in wanted and not row.is_manual]
    Holiday.objects.bulk_create(fresh)
    Holiday.objects.bulk_update(renamed, ["name", "name_en"])
    Holiday.objects.filter(pk__in=gone).delete()
    return len(fresh) + len(renamed) + len(gone)
