"""Every page of the desk, on a wide screen and down to 320 px, in light and in dark."""

import pytest

from tests.e2e import pages
from tests.e2e.conftest import MakePerson, Site
from tests.e2e.pages import DESK, WIDE_DESK, Codes, Shown


@pytest.fixture(scope="module")
def codes(site: Site) -> Codes:
    return pages.codes_of(site)


@pytest.mark.parametrize("shown", DESK, ids=str)
def test_desk_page(shown: Shown, reader: MakePerson, codes: Codes) -> None:
    person = reader(shown.who, viewport={"width": WIDE_DESK[0], "height": WIDE_DESK[1]})
    assert pages.look(pages.show(shown, person, codes)) == []
