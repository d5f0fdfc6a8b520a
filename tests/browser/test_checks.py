"""Each check of the other files finds the mistake that it is there for, and passes without it."""

import pytest

pytestmark = pytest.mark.browser

PAGE = """<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8"><title>A page</title>
<style>body {{ background: #fff; color: #222 }}</style></head><body><main><h1>A page</h1>
<p>Words with <a href="#end">a link</a>.</p><details><summary>More</summary>{folded}</details>
{wrong}<p id="end">The end.</p></main></body></html>"""
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


@pytest.fixture
def page(open_page, tmp_path):
    def opened(wrong="", folded="Words.", **looks):
        path = tmp_path / "page.html"
        path.write_text(PAGE.format(wrong=wrong, folded=folded), encoding="utf-8")
        return open_page(path, **looks)

    return opened


def test_a_good_page_passes_every_check(page):
    good = page(f'<p><img src="{PIXEL}" alt="A dot"> <button>Press</button></p>', size=(390, 844))
    assert good.foreign() == good.complaints == good.unreached() == good.serious() == []
    assert good.sticking_out() == []


def test_an_image_from_elsewhere_is_seen(page):
    assert page('<img src="http://127.0.0.1:9/dot.png" alt="">').foreign()


@pytest.mark.parametrize("wrong", ["console.error('no')", "nobody()", "fetch('absent.json')"])
def test_a_complaint_is_heard(page, wrong):
    visit = page(f"<script>{wrong}</script>")
    visit.page.wait_for_timeout(100)
    assert visit.complaints


@pytest.mark.parametrize("place", ["wrong", "folded"])
def test_a_wide_box_is_seen_even_folded(page, place):
    found = page(**{place: '<div class="wide" style="width: 2000px">Wide</div>'}).sticking_out()
    assert any("DIV wide" in line for line in found)


def test_a_wide_box_that_scrolls_within_the_page_is_none(page):
    box = '<div tabindex="0" style="overflow-x: auto"><p style="width: 2000px">Wide</p></div>'
    assert page(box).sticking_out() == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('<div style="cursor: pointer" onclick="">Press</div>', "no key reaches DIV"),
        ('<button style="outline: none">Press</button>', "no focus to be seen on BUTTON"),
        ('<button style="position: fixed; left: -99px">Press</button>', "no focus to be seen"),
        ('<button tabindex="1">First</button>', "Tab goes back and forth"),
        ('<button onfocus="this.blur()">Press</button>', "Tab misses BUTTON"),
    ],
)
def test_what_the_keyboard_cannot_do_is_seen(page, wrong, said):
    assert any(said in line for line in page(wrong).unreached())


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ('<p style="color: #bbb">Pale</p>', "color-contrast"),
        ("<img src='data:,'>", "image-alt"),
        ("<input>", "label"),
    ],
)
def test_axe_finds_what_is_wrong(page, wrong, rule):
    assert any(line.startswith(rule) for line in page(wrong).serious())
