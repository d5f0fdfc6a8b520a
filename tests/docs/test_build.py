"""A page with a mistake does not build, one without does: probes of the settings on tiny sites."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import theorytk

pytestmark = pytest.mark.slow

ROOT = Path(theorytk.__file__).resolve().parents[1]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CONF = """
from pathlib import Path

__file__ = {conf!r}
exec(Path(__file__).read_text(encoding="utf-8"))
extensions = [name for name in extensions if name not in ("names", "site_pages")]
bibtex_bibfiles = ["papers.bib"]
html_static_path = []
"""
HOSTILE = "a*b*c <b>d</b> [e](f) | `g` _h_ #i $x^2$ ~~j~~ {k}"


def build(folder, page):
    """Build a site of one page with the flags of ``make docs``; return what became of it."""
    (folder / "conf.py").write_text(CONF.format(conf=str(ROOT / "docs" / "conf.py")))
    (folder / "papers.bib").write_text("@misc{a2000, title={A}, author={B}, year={2000}}")
    (folder / "index.md").write_text(page, encoding="utf-8")
    [flags] = re.findall(r"sphinx-build (.*) -d build/doctrees docs build/docs", MAKEFILE)
    called = [sys.executable, "-m", "sphinx", *flags.split(), str(folder), str(folder / "html")]
    return subprocess.run(called, capture_output=True, text=True)


def test_a_page_builds_without_the_network(tmp_path):
    page = "# Title\n\n## Part\n\n[back](#part), {cite:t}`a2000`, $x_1$.\n\n$$x_2\\tag{1.1}$$\n\n"
    done = build(tmp_path, page + "```{bibliography}\n```\n")
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "html" / "index.html").read_text(encoding="utf-8")
    assert html.count("<math") == 2
    assert '<span class="number">(1.1)</span>' in html
    assert re.findall(r'src="https?:[^"]*', html) == []


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ("[a page](no_such_page.md)", "no_such_page"),
        ("[a place](#no-such-place)", "no-such-place"),
        ("{py:func}`theorytk.no_such_name`", "no_such_name"),
        ("{cite:t}`nobody1900`", "nobody1900"),
        (r"$\nosuchcommand x$", "nosuchcommand"),
    ],
)
def test_a_mistake_does_not_build(tmp_path, mistake, said):
    done = build(tmp_path, f"# Title\n\n{mistake}\n")
    assert done.returncode != 0
    assert said in done.stderr


def test_words_of_the_registry_are_no_markup(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    from stored import words

    done = build(tmp_path, f"# Title\n\nbefore {words(HOSTILE)} after\n")
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "html" / "index.html").read_text(encoding="utf-8")
    [shown] = re.findall(r"before (.*) after", html)
    before, after = HOSTILE.split("$x^2$")
    escaped = [text.replace("<", "&lt;").replace(">", "&gt;") for text in (before, after)]
    assert re.sub("<math.*</math>", "FORMULA", shown) == "FORMULA".join(escaped)


def test_says_what_to_do_if_nothing_is_stored(tmp_path):
    called = [sys.executable, "-m", "sphinx", "--quiet", str(ROOT / "docs"), str(tmp_path / "html")]
    done = subprocess.run(
        [*called, "-D", f"theorytk_results={tmp_path}"], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "run `make reproduce` first" in done.stderr
    assert "Traceback" not in done.stderr
