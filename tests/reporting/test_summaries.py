"""Centres and intervals of figures, against scipy.stats."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from theorytk.reporting import summarise


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    k, replicate = np.repeat([1, 2], 12), np.tile(np.arange(12), 2)
    return pd.DataFrame({"k": k, "replicate": replicate, "error": rng.lognormal(size=24)})


def test_agrees_with_scipy(rows):
    found = summarise(rows, ["k"], "error", level=0.1)
    for k, group in rows.groupby("k"):
        row = found[found["k"] == k].iloc[0]
        expected = stats.t.interval(0.9, 11, group["error"].mean(), stats.sem(group["error"]))
        assert row["n"] == 12
        np.testing.assert_allclose([row["low"], row["high"]], expected, rtol=1e-12)


def test_logarithm_gives_the_geometric_mean(rows):
    found = summarise(rows, ["k"], "error", logarithm=True)
    expected = rows.groupby("k")["error"].apply(stats.gmean)
    np.testing.assert_allclose(found["centre"], expected, rtol=1e-12)
    assert (found["low"] < found["centre"]).all()


def test_one_replicate_and_nulls(rows):
    one = pd.DataFrame({"k": [1, 1], "error": [2.0, None]})
    found = summarise(one, ["k"], "error")
    assert found.loc[0, ["n", "low", "centre", "high"]].tolist() == [1, 2.0, 2.0, 2.0]


def test_bad_input(rows):
    with pytest.raises(ValueError, match="must be positive; got -1"):
        summarise(rows.assign(error=-1.0), ["k"], "error", logarithm=True)
    with pytest.raises(ValueError, match="level must be"):
        summarise(rows, ["k"], "error", level=1.0)
