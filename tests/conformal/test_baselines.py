"""Baselines against their definitions, and which of them keep the false discovery rate."""

import numpy as np
import pytest

from theorytk.conformal.baselines import (
    naive_selection,
    random_selection,
    split_selection,
    unpruned_selection,
)
from theorytk.conformal.multiple_testing import bh
from theorytk.conformal.pvalues import conformal_pvalues
from theorytk.conformal.scores import clip_score
from theorytk.conformal.selection import optcs_msel

LEVELS = [0.2, 0.5]


def draw(rng, models=6, n=80, m=40, signal=0.5):
    y = rng.standard_normal(n + m)
    mu = signal * y + rng.standard_normal((models, n + m))
    cal, imputed = clip_score(mu[:, :n], y[:n]), clip_score(mu[:, :n])
    return cal, imputed, clip_score(mu[:, n:]), y[n:] > 0


def test_naive_takes_the_largest_bh_set():
    rng = np.random.default_rng(0)
    for _ in range(30):
        cal, _, test, _ = draw(rng)
        masks = bh(conformal_pvalues(cal, test), LEVELS)
        chosen = naive_selection(cal, test, LEVELS, rng=rng)
        for row in range(2):
            best = chosen.model[row, 0]
            assert (chosen.model[row] == best).all()
            assert masks[row, best].sum() == masks[row].sum(axis=1).max()
            np.testing.assert_array_equal(chosen.selected[row], masks[row, best])


def test_random_and_split_are_bh_of_one_model():
    rng = np.random.default_rng(1)
    for _ in range(30):
        cal, imputed, test, _ = draw(rng)
        chosen = random_selection(cal, test, 0.5, rng=rng)
        np.testing.assert_array_equal(chosen.p, conformal_pvalues(cal, test)[chosen.model[0]])
        for split in (chosen, split_selection(cal, imputed, test, 0.5, rng=rng)):
            np.testing.assert_array_equal(split.selected, bh(split.p, 0.5))


def test_split_calibrates_on_one_half_and_chooses_on_the_other():
    cal, imputed, test, _ = draw(np.random.default_rng(2), n=81)
    chosen = split_selection(cal, imputed, test, LEVELS, rng=5)
    order = np.random.default_rng(5).permutation(81)
    pilot = bh(conformal_pvalues(cal[:, order[:20]], imputed[:, order[20:40]]), LEVELS)
    for row in range(2):
        counts, best = pilot[row].sum(axis=1), chosen.model[row, 0]
        assert counts[best] == counts.max()
        expected = conformal_pvalues(cal[:, order[40:]], test)[best]
        np.testing.assert_array_equal(chosen.p[row], expected)


def test_the_share_that_chooses():
    cal, imputed, test, _ = draw(np.random.default_rng(2), n=90)
    chosen = split_selection(cal, imputed, test, 0.5, share=0.3, rng=5)
    order = np.random.default_rng(5).permutation(90)
    pilot = bh(conformal_pvalues(cal[:, order[:13]], imputed[:, order[13:27]]), 0.5)
    best = chosen.model[0]
    assert pilot[best].sum() == pilot.sum(axis=1).max()
    np.testing.assert_array_equal(chosen.p, conformal_pvalues(cal[:, order[27:]], test)[best])


def test_unpruned_holds_every_pruning():
    rng = np.random.default_rng(3)
    cal, _, test, _ = draw(rng, signal=0.2)
    wide = unpruned_selection(cal, test, LEVELS, rng=4).selected
    for pruning in ("deterministic", "homogeneous", "heterogeneous"):
        assert (wide >= optcs_msel(cal, test, LEVELS, pruning=pruning, rng=4).selected).all()


def test_choice_among_noise_inflates_the_naive_fdr_only():
    rng, q, replicates = np.random.default_rng(5), 0.2, 600
    fdp = {"naive": [], "random": [], "split": []}
    for _ in range(replicates):
        cal, imputed, test, positive = draw(rng, 8, 99, 20, signal=0.0)
        fdp["naive"].append(naive_selection(cal, test, q, rng=rng).fdp(positive))
        fdp["random"].append(random_selection(cal, test, q, rng=rng).fdp(positive))
        fdp["split"].append(split_selection(cal, imputed, test, q, rng=rng).fdp(positive))
    for name, values in fdp.items():
        lower = np.mean(values) - 4.753 * np.std(values) / np.sqrt(replicates)
        assert (lower <= q) == (name != "naive")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: naive_selection([[1.0]], [[np.nan]], 0.1), "test must be finite; got nan"),
        (lambda: naive_selection([[1.0]], [[1.0]], 0.1, tie="x"), "tie must be one of"),
        (lambda: random_selection([[1.0]], [[1.0]], 2), "q must be > 0 and < 1; got 2"),
        (lambda: unpruned_selection([[1.0]], [[1.0]], 0.1, beta=2), "beta must be a number"),
        (
            lambda: split_selection([[1.0] * 3], [[1.0] * 3], [[1.0]], 0.1),
            r"cal must have shape \(K, n\), share \* n >= 2, to be split; got \(1, 3\) and",
        ),
        (
            lambda: split_selection([[1.0] * 9], [[1.0] * 9], [[1.0]], 0.1, share=1),
            r"share must be a number > 0 and < 1; got 1",
        ),
        (
            lambda: split_selection([[1.0] * 4], [[1.0] * 3], [[1.0]], 0.1),
            r"imputed must have shape \(1, 4\); got \(1, 3\)",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
