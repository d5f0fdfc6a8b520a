"""Selections: identities that the theorems give, the pruning by brute force, and the FDR."""

import numpy as np
import pytest

from theorytk.conformal.baselines import naive_selection
from theorytk.conformal.multiple_testing import bh, q_values
from theorytk.conformal.pvalues import conformal_pvalues
from theorytk.conformal.scores import clip_score
from theorytk.conformal.selection import Selection, cfbh, optcs_msel, wcs
from theorytk.conformal.sizes import leave_one_out_sizes

PRUNINGS = ["deterministic", "homogeneous", "heterogeneous"]
ARRAYS = ["selected", "p", "sizes", "evalues", "model"]

# One-sided normal quantile of 1e-6.
Z = 4.753


def draw(rng, models, n, m, *, signal=1.0, decimals=1):
    """Clipped scores of noisy predictions that tie, and which test points are positive."""
    y = rng.standard_normal(n + m)
    mu = np.round(signal * y + rng.standard_normal((models, n + m)), decimals)
    return clip_score(mu[:, :n], y[:n]), clip_score(mu[:, n:]), y[n:] > 0


def pruned(p, sizes, xi, q, beta=1.0):
    """T5: candidates within their thresholds, then the largest r with r of them xi beta size <= r.

    Rounding of q size / m is kept from deciding by a relative 1e-12, as everywhere.
    """
    m, slack = len(p), 1 + 1e-12
    candidates = [j for j in range(m) if p[j] <= slack * beta * q * sizes[j] / m]
    cost = {j: xi[j] * beta * sizes[j] for j in candidates}
    fits = [r for r in range(1, m + 1) if sum(x <= r * slack for x in cost.values()) >= r]
    return [j for j in candidates if cost[j] <= max(fits, default=0) * slack]


def test_cfbh_is_bh_on_conformal_p_values():
    rng = np.random.default_rng(0)
    for tie in ("conservative", "randomised"):
        cal, test, _ = draw(rng, 1, 60, 40)
        chosen = cfbh(cal[0], test[0], [0.1, 0.3], tie=tie, rng=1)
        p = conformal_pvalues(cal[0], test[0], tie=tie, rng=1)
        np.testing.assert_array_equal(chosen.p, [p, p])
        np.testing.assert_array_equal(chosen.selected, bh(p, [0.1, 0.3]))
        np.testing.assert_array_equal(chosen.selected, [q_values(p) <= 0.1, q_values(p) <= 0.3])


@pytest.mark.parametrize("pruning", PRUNINGS)
@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_one_model_is_cfbh_for_every_pruning(pruning, decimals):
    rng = np.random.default_rng(decimals)
    for _ in range(60):
        n, m = rng.integers(5, 60, 2)
        cal, test, _ = draw(rng, 1, n, m, decimals=decimals)
        q = float(rng.choice([0.35, 0.4, 0.5, 0.7]))
        one = optcs_msel(cal[0], test[0], q, pruning=pruning, rng=rng)
        bh_set = cfbh(cal[0], test[0], q, tie="conservative")
        np.testing.assert_array_equal(one.selected, bh_set.selected)
        np.testing.assert_array_equal(one.evalues[one.selected], bh_set.evalues[one.selected])


@pytest.mark.parametrize("pruning", PRUNINGS)
def test_pruning_of_models_by_brute_force(pruning):
    rng = np.random.default_rng(3)
    dropped = 0
    for _ in range(100):
        models, n, m = (int(k) for k in rng.integers(5, 25, 3))
        cal, test, _ = draw(rng, models, n, m, signal=0.5, decimals=int(rng.choice([1, 8])))
        q, beta = float(rng.choice([0.4, 0.5])), float(rng.choice([1.0, 0.9]))
        chosen = optcs_msel(cal, test, q, pruning=pruning, beta=beta, rng=rng)
        assert chosen.indices.tolist() == pruned(chosen.p, chosen.sizes, chosen.xi, q, beta)
        dropped += (chosen.evalues > 0).sum() - chosen.selected.sum()
        sizes = leave_one_out_sizes(cal, test, q)
        np.testing.assert_array_equal(chosen.sizes, sizes.max(axis=0))
        np.testing.assert_array_equal(sizes[chosen.model, np.arange(m)], chosen.sizes)
        every = conformal_pvalues(cal, test)
        np.testing.assert_array_equal(chosen.p, every[chosen.model, np.arange(m)])
        positive = chosen.evalues > 0
        np.testing.assert_allclose(
            chosen.evalues[positive], m / (beta * q * chosen.sizes[positive]), rtol=1e-14
        )
    assert dropped > 0


@pytest.mark.parametrize("pruning", PRUNINGS)
def test_weighted_pruning_by_brute_force(pruning):
    rng = np.random.default_rng(4)
    for _ in range(100):
        n, m = (int(k) for k in rng.integers(2, 40, 2))
        cal, test, _ = draw(rng, 1, n, m)
        w, v = rng.exponential(size=n), rng.exponential(size=m)
        chosen = wcs(cal[0], test[0], 0.4, w, v, pruning=pruning, rng=rng)
        np.testing.assert_array_equal(chosen.sizes, leave_one_out_sizes(cal[0], test[0], 0.4, w, v))
        assert chosen.indices.tolist() == pruned(chosen.p, chosen.sizes, chosen.xi, 0.4)
        assert chosen.model is None


def test_equal_weights_on_distinct_scores_are_cfbh():
    rng = np.random.default_rng(5)
    cal, test, _ = draw(rng, 1, 200, 100, decimals=15)
    chosen = wcs(cal[0], test[0], 0.2, np.ones(200), np.ones(100), tie="conservative", rng=0)
    expected = cfbh(cal[0], test[0], 0.2, tie="conservative")
    assert expected.selected.any()
    np.testing.assert_array_equal(chosen.selected, expected.selected)


@pytest.mark.parametrize("pruning", PRUNINGS)
def test_levels_together_are_the_levels_one_by_one(pruning):
    cal, test, positive = draw(np.random.default_rng(6), 5, 80, 50)
    levels, w, v = [0.3, 0.1, 0.5], np.linspace(1, 2, 80), np.linspace(2, 1, 50)

    def selections(q):
        yield optcs_msel(cal, test, q, pruning=pruning, rng=0)
        yield wcs(cal[0], test[0], q, w, v, pruning=pruning, rng=0)
        yield cfbh(cal[0], test[0], q, rng=0)

    singles = [list(selections(q)) for q in levels]
    for k, together in enumerate(selections(levels)):
        for name in ARRAYS:
            rows = [getattr(single[k], name) for single in singles]
            if rows[0] is not None:
                np.testing.assert_allclose(getattr(together, name), rows, rtol=1e-14)
        for name in ("fdp", "power"):
            rows = [getattr(single[k], name)(positive) for single in singles]
            np.testing.assert_array_equal(getattr(together, name)(positive), rows)
        for found, single in zip(together.indices, singles, strict=True):
            np.testing.assert_array_equal(found, single[k].indices)


def test_ties_between_models_are_broken_at_random_and_evenly():
    scores = np.zeros((4, 3000)) + np.linspace(1, 2, 3000)
    model = optcs_msel(scores[:, :99], scores, 0.5, rng=0).model
    counts = np.bincount(model, minlength=4)
    assert (np.abs(counts - 750) < 5.5 * np.sqrt(3000 * 3 / 16)).all()


def test_xi():
    cal, test, _ = draw(np.random.default_rng(7), 2, 30, 20)
    xi = {pruning: optcs_msel(cal, test, 0.4, pruning=pruning, rng=0).xi for pruning in PRUNINGS}
    assert (xi["deterministic"] == 1).all()
    assert len(set(xi["homogeneous"])) == 1
    assert len(set(xi["heterogeneous"])) == 20
    assert ((xi["heterogeneous"] > 0) & (xi["heterogeneous"] <= 1)).all()


@pytest.mark.parametrize("tie", ["conservative", "randomised"])
def test_fdr_and_e_values_with_noise_models_on_the_lattice(tie):
    """Where q (n + 1) / m is an integer the mean e-value of the nulls is exactly 1."""
    rng = np.random.default_rng(8)
    q, n, m, models, replicates = 0.1, 199, 20, 8, 1000
    fdp = {name: [] for name in [*PRUNINGS, "naive"]}
    means = []
    for _ in range(replicates):
        cal, test, positive = draw(rng, models, n, m, signal=0.0, decimals=12)
        for pruning in PRUNINGS:
            chosen = optcs_msel(cal, test, q, pruning=pruning, tie=tie, rng=rng)
            fdp[pruning].append(chosen.fdp(positive))
        means.append((chosen.evalues * ~positive).mean())
        fdp["naive"].append(naive_selection(cal, test, q, tie=tie, rng=rng).fdp(positive))
    for name, values in fdp.items():
        lower = np.mean(values) - Z * np.std(values) / np.sqrt(replicates)
        assert (lower <= q) == (name != "naive")
    assert abs(np.mean(means) - 1) < 5 * np.std(means) / np.sqrt(replicates)


def test_fdr_under_covariate_shift():
    rng = np.random.default_rng(9)
    q, replicates = 0.2, 800
    fdp = {name: [] for name in [*PRUNINGS, "unweighted"]}
    for _ in range(replicates):
        x = np.concatenate([rng.standard_normal(200), 1 + rng.standard_normal(100)])
        y = 0.8 - x + 0.5 * rng.standard_normal(300)
        mu = 0.8 - x + 0.4 * np.sin(3 * x)
        cal, test, positive = clip_score(mu[:200], y[:200]), clip_score(mu[200:]), y[200:] > 0
        w = np.exp(x)
        for pruning in PRUNINGS:
            chosen = wcs(cal, test, q, w[:200], w[200:], pruning=pruning, rng=rng)
            fdp[pruning].append(chosen.fdp(positive))
        fdp["unweighted"].append(cfbh(cal, test, q, rng=rng).fdp(positive))
    for name, values in fdp.items():
        lower = np.mean(values) - Z * np.std(values) / np.sqrt(replicates)
        assert (lower <= q) == (name != "unweighted")


def test_fdp_and_power():
    chosen = cfbh(np.arange(9.0), [-1.0, -2.0, 20.0, -3.0], 0.4, tie="conservative")
    assert chosen.selected.tolist() == [True, True, False, True]
    assert chosen.indices.tolist() == [0, 1, 3]
    assert chosen.fdp([True, False, True, False]) == 2 / 3
    assert chosen.power([1, 0, 1, 0]) == 0.5
    assert chosen.power([False] * 4) == 0
    for bad, message in (
        ([True], r"positive must have shape \(4\); got \(1,\)"),
        ([0.5, 1, 0, 0], "positive must be a mask of True and False"),
    ):
        with pytest.raises(ValueError, match=message):
            chosen.fdp(bad)


def test_empty_selection_is_a_mask_of_false():
    for chosen in (
        cfbh([0.0] * 9, [5.0, 6.0], 0.2, tie="conservative"),
        optcs_msel([[0.0] * 9], [[5.0, 6.0]], 0.2, rng=0),
        wcs([0.0] * 9, [5.0, 6.0], 0.2, [1.0] * 9, [1.0, 1.0], rng=0),
    ):
        assert isinstance(chosen, Selection)
        assert chosen.selected.dtype == bool
        assert chosen.selected.tolist() == [False, False]
        assert chosen.indices.tolist() == []
        assert chosen.fdp([True, False]) == chosen.power([True, False]) == 0


def test_level_that_no_p_value_can_reach_warns():
    with pytest.warns(RuntimeWarning, match=r"1 / \(n \+ 1\) = 0\.25, exceeds the level 0\.2"):
        cfbh([1.0, 2.0, 3.0], [0.0], 0.2, tie="conservative")
    with pytest.warns(RuntimeWarning, match=r"exceeds the level 0\.2"):
        optcs_msel([[1.0, 2.0, 3.0]], [[0.0]], 0.25, beta=0.8, rng=0)
    assert cfbh([1.0, 2.0, 3.0], [0.0], 0.25, tie="conservative").selected.all()


def test_constant_models_are_named():
    cal, test = np.ones((3, 20)), [[1.0, 2.0], [1.0, 1.0], [1.0, 1.0]]
    cal[1, :5] = np.inf
    with pytest.warns(RuntimeWarning, match="predictions are constant in model 1, 2: all"):
        optcs_msel(cal, test, 0.3, rng=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cfbh([[1.0]], [[1.0]], 0.1), r"cal must be the scores of one model.*\(1, 1\)"),
        (lambda: cfbh([1.0], [1.0], 0.1, tie="rand"), "tie must be one of .*; got 'rand'"),
        (lambda: cfbh([], [1.0], 0.1), "cal must have shape"),
        (lambda: cfbh([1.0], [1.0], 1.2), "q must be > 0 and < 1; got 1.2"),
        (lambda: optcs_msel([[1.0]], [[1.0]], 0.1, beta=0), "beta must be a number > 0 and <= 1"),
        (
            lambda: optcs_msel([[1.0] * 20], [[1.0]], 0.1, pruning="none"),
            "pruning must be one of 'deterministic', 'homogeneous', 'heterogeneous'; got 'none'",
        ),
        (
            lambda: optcs_msel([[1.0], [1.0]], [[1.0], [np.nan]], 0.1),
            "test must be finite; got nan at point 0 of model 1",
        ),
        (lambda: wcs([1.0], [1.0], 0.1, None, [1.0]), "cal_weight must be an array of weights"),
        (lambda: wcs([1.0], [1.0], 0.1, [1.0], [-1.0]), "test_weight must be >= 0 and not all"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
