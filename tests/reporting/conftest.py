"""A ledger with every kind of entry, a paper and a drawn figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from theorytk.registry import Covered, Paper
from theorytk.reporting import Figure, curve, subplots, theory

EMPTY = dict.fromkeys(("estimate", "interval", "n", "method", "slack", "resolution"))


def region(lo=None, hi=None, margin=0.0):
    kind = "at most" if lo is None else "at least" if hi is None else "between"
    return {"kind": kind, "lo": lo, "hi": hi, "margin": margin}


def control(name, mistake, estimate, interval, verdict="contradicted", reason=""):
    return {
        "name": name,
        "mistake": mistake,
        "estimate": estimate,
        "interval": interval,
        "verdict": verdict,
        "caught": verdict == "contradicted",
        "reason": reason,
    }


def claim(id, **fields):
    return {
        "id": f"matrix-sensing/{id}",
        "paper": "doe2024",
        "theorem": "Theorem 3.1",
        "statement": "The error $e_t$ falls: $$e_t \\le e^{-\\eta t}$$ for all $t$.",
        "status": "theorem",
        "assumptions": [
            {"text": "the operator has RIP $\\delta$", "checked": False},
            {"text": "$k > r$", "checked": True},
        ],
        "kind": "statistical",
        "decides": "quick",
        "experiment": "matrix-sensing/run",
        **EMPTY,
        "region": None,
        "margin_reason": "",
        "verdict": "supported",
        "points": [],
        "reason": "",
        "controls": [],
        "control_verdict": None,
        "figures": [],
        "seconds": 1.25,
        "provenance": {"fingerprint": "3f9ac2e1", "seed": 11, "preset": "quick"},
        **fields,
    }


@pytest.fixture
def ledger():
    grid = [
        {"label": f"k = {k}", "estimate": -1.0, "interval": [-1.1, -0.9], "verdict": "supported"}
        for k in (4, 5)
    ]
    claims = [
        claim(
            "rate",
            estimate=-0.0498,
            interval=[-0.0521, -0.0475],
            region=region(hi=-0.04, margin=0.002),
            margin_reason="at finite $t$ the slope is short of its limit",
            n=12000,
            method="Student t",
            slack=1.24,
            resolution=0.0031,
            figures=["matrix-sensing/rate", "matrix-sensing/undrawn"],
            controls=[control("step=0", "the step is forgotten", -0.0131, [-0.0149, -0.0112])],
        ),
        claim(
            "grid",
            status="ours",
            estimate=-1.0,
            interval=[-1.1, -0.9],
            region=region(-1, -1, 0.2),
            points=grid,
            n=20,
            controls=[
                control("k=r", "not over-parametrised", -31.4, [-35.0, -28.0]),
                control("a=1", "large start", None, None, "undecided", "no estimate: diverged"),
            ],
        ),
        claim("limit", verdict="not_refuted", kind="refutable", estimate=0.0, interval=[0, 9e-4]),
        claim("wrong", verdict="contradicted", status="erratum", estimate=3.0, interval=[2, 4]),
        claim("open", verdict="undecided", estimate=1.9, interval=[None, None], status="empirical"),
        claim("later", verdict="deferred", reason="decided at the paper preset"),
        claim("torch", verdict="skipped", reason="needs theorytk[torch]"),
        claim("stray", paper="nobody1999", assumptions=[], provenance=None, controls=None),
    ]
    return {"claims": claims, "preset": "quick", "seconds": 83.4}


@pytest.fixture
def paper():
    return Paper(
        "doe2024",
        "matrix-sensing",
        "On the Rate of $f$",
        ("Ada Doe", "Bo Roe"),
        2024,
        "ICLR",
        "2310.01769",
        "https://example.org/paper",
        "Descent on $f$ is slow.",
        (
            Covered("Theorem 3.1", "verified", by=("matrix-sensing/rate", "matrix-sensing/gone")),
            Covered("Table 1", "not reproducible", "the data are not public"),
        ),
    )


@pytest.fixture
def tables():
    t = np.arange(5.0)
    return {"matrix-sensing/run": pd.DataFrame({"t": t, "error": np.exp(-t)})}


@pytest.fixture
def rate():
    def draw(tables):
        rows = tables["matrix-sensing/run"]
        fig, axes = subplots()
        curve(axes[0, 0], rows["t"], rows["error"], 0.9 * rows["error"], 1.1 * rows["error"])
        theory(axes[0, 0], rows["t"], np.exp(-rows["t"]))
        axes[0, 0].set(xlabel="iteration (1)", ylabel="error (1)")
        return fig, rows

    return Figure(
        "matrix-sensing/rate",
        "doe2024",
        ("matrix-sensing/run",),
        "The rate for $k > r$",
        "It falls as $e^{-t}$.",
        "Figure 1, own parameters",
        draw,
    )


@pytest.fixture
def drawn(rate, tables, tmp_path):
    paths = rate.save(tables, tmp_path / "figures", "seed 11")
    said = {k: getattr(rate, k) for k in ("title", "caption", "reproduces", "paper")}
    return {rate.id: {**said, **paths}}
