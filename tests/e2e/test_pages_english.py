"""English is complete: no Japanese is left on /en/ pages, apart from what people typed (names, reasons, addresses)."""

import re

import pytest

from tests.e2e import pages
from tests.e2e.conftest import MakePerson, Site
from tests.e2e.pages import DESK, PEOPLE, Codes, Shown


@pytest.fixture(scope="module")
def codes(site: Site) -> Codes:
    return pages.codes_of(site)


@pytest.fixture(scope="module")
def typed(site: Site) -> re.Pattern[str]:
    """Everything Japanese that stands in the demo's tables as data: it is shown as it was typed."""
    return pages.typed_in(site)


#: Not the demo's inbox, which holds mails in the language of their readers, nor the page for whoever builds pages.
READ = [one for one in PEOPLE + DESK if not one.path.startswith(("/demo/", "/styleguide/"))]


@pytest.mark.parametrize("shown", READ, ids=str)
def test_english_page(shown: Shown, reader: MakePerson, codes: Codes, typed: re.Pattern[str]) -> None:
    person = reader(shown.who, locale="en-GB")
    page = person.open("/en" + shown.path.format(**codes))
    left = [line for line in page.evaluate(pages.JAPANESE) if pages.CJK.search(typed.sub("", line))]
    assert left == []
    assert page.locator("html").get_attribute("lang") == "en"
