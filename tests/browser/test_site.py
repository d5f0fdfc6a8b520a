"""The documentation site, opened from disk: a page of each kind, and the search."""

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

pytestmark = pytest.mark.browser

SITE = Path(os.environ.get("THEORYTK_DOCS", "build/docs")).absolute()
DESKTOP, PHONE = (1280, 900), (390, 844)
LOOKS = [(DESKTOP, "light"), (PHONE, "dark")]
PAGES = [
    "index.html",
    "conformal_selection.html",
    "generated/gallery/index.html",
    "generated/gallery/matrix-sensing/index.html",
    "generated/ledger/index.html",
    "generated/ledger/matrix-sensing.html",
    "generated/exercises/index.html",
    "generated/exercises/stochastic-interpolants/break-the-ode.html",
    "generated/api/theorytk.matrix_sensing.html",
    "search.html",
]


@pytest.fixture(params=PAGES)
def path(request):
    return SITE / request.param


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_opens_from_disk_alone_and_fits_a_phone(open_page, path, scheme):
    visit = open_page(path, size=PHONE, scheme=scheme)
    images = visit.page.locator("img").evaluate_all(
        "all => Promise.all(all.map((one) => (one.loading = 'eager', one.decode())))"
    )
    assert visit.page.locator("main h1").count() == 1
    assert visit.sticking_out() == visit.foreign() == visit.complaints == []
    assert len(images) > 0 or "gallery" not in path.parts
    ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    red = int(ground.partition("(")[2].partition(",")[0])
    assert red < 60 if scheme == "dark" else red > 240


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_axe_finds_nothing_serious(open_page, path, size, scheme):
    assert open_page(path, size=size, scheme=scheme).serious() == []


def search(open_page, words):
    """Return the search page once the search is over, and the files that it found."""
    visit = open_page(SITE / "search.html")
    visit.page.locator("main input[name=q]").fill(words)
    visit.page.locator("main input[name=q]").press("Enter")
    over = re.compile("finished|did not match")
    visit.page.locator("#search-results .search-summary", has_text=over).wait_for()
    links = visit.page.locator("#search-results li a").evaluate_all("all => all.map((a) => a.href)")
    return visit, [Path(unquote(urlparse(link).path)) for link in links]


def test_the_search_finds_pages_without_a_server(open_page):
    visit, found = search(open_page, "Thresholdout")
    assert SITE / "adaptive_data_analysis.html" in found
    assert all(path.is_file() for path in found)
    assert visit.foreign() == visit.complaints == []


def test_the_search_finds_nothing_where_there_is_nothing(open_page):
    _, found = search(open_page, "abracadabra")
    assert found == []
