"""Sphinx builds the site from docs/ and from what `make reproduce` stored; type `make docs`."""

import os
import sys
from pathlib import Path

import theorytk

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))

project = "theorytk"
author = "The theorytk developers"
release = version = theorytk.__version__
language = "en-GB"
exclude_patterns = ["_ext", "_static", "images"]
suppress_warnings: list[str] = []

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx_design",
    "sphinxcontrib.bibtex",
    "mathml",
    "names",
    "site_pages",
]

# Where `make reproduce` wrote its ledger and figures.
theorytk_results = os.environ.get("THEORYTK_RESULTS") or str(HERE.parent / "results")

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_dmath_double_inline = True
html_math_renderer = "mathml"

# A single pair of backticks in a docstring is code; `names` links it if it is a public name.
default_role = "literal"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_type_aliases = {"ArrayLike": "ArrayLike", "NDArray": "NDArray"}
python_use_unqualified_type_names = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# Nothing outside theorytk can be looked up without a network; all inside must be found.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!theorytk\b).*")]

bibtex_bibfiles = ["generated/papers.bib"]
bibtex_default_style = "plain"
bibtex_reference_style = "author_year"

html_theme = "pydata_sphinx_theme"
html_title = "theorytk"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
html_copy_source = False
# A summary of each hit would be fetched, which browsers refuse for files.
html_show_search_summary = False
html_sidebars: dict[str, list[str]] = {page: [] for page in ("index", "bibliography", "classroom")}
html_theme_options = {
    "collapse_navigation": True,
    "footer_end": [],
    "footer_start": ["copyright"],
    "header_links_before_dropdown": 7,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_nav_level": 1,
    "show_prev_next": False,
}
