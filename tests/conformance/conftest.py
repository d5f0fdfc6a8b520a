"""One project and one reproduction of it for all conformance tests.

They are those that THEORYTK_PROJECT and THEORYTK_RESULTS name, else this checkout and a new one.
"""

import os
from pathlib import Path

import pytest

import theorytk as tk
from theorytk.project import load

load(os.environ.get("THEORYTK_PROJECT") or Path(tk.__file__).resolve().parent.parent)


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """Return a results folder that holds the quick reproduction of everything registered."""
    given = os.environ.get("THEORYTK_RESULTS")
    folder = given or str(tmp_path_factory.mktemp("results"))
    tk.reproduce(results=folder)
    return folder


@pytest.fixture(scope="session")
def ledger(results):
    """Return the verdicts on the stored rows, controls included."""
    return {
        claim["id"]: claim
        for claim in tk.verify(controls=True, stored=True, results=results).to_dict()["claims"]
    }
