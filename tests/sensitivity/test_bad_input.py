"""Bad input to every public function: an error that says what came, or the right result."""

from __future__ import annotations

import importlib
import math
import warnings

import dask.array
import numpy as np
import pytest

from theorytk.sensitivity import dask as chunked
from theorytk.sensitivity.adaptive import certified_sample
from theorytk.sensitivity.distortion import distortion
from theorytk.sensitivity.leverage import (
    BlockLeverage,
    leverage_scores,
    root_leverage_scores,
    sketched_leverage_scores,
)
from theorytk.sensitivity.lewis import lewis_weights, lewis_weights_onesided
from theorytk.sensitivity.regression import lp_regression
from theorytk.sensitivity.sampled_regression import sampled_regression
from theorytk.sensitivity.sampling import (
    augmented_scores,
    flattened_scores,
    root_leverage_sample,
    sample_rows,
)
from theorytk.sensitivity.sensitivities import sensitivities
from theorytk.sensitivity.sklearn import LpRowSampler
from theorytk.sensitivity.streaming import StreamingCoreset
from theorytk.sensitivity.totals import block_sensitivities, max_sensitivity, total_sensitivity

GAUSS = np.random.default_rng(0).standard_normal((20, 2))
WIDE = np.random.default_rng(1).standard_normal((2, 4))
LABELS = np.linspace(-1, 2, 20)


def labels(A):
    return np.interp(np.arange(len(A)), np.arange(20), LABELS)


def flat(A):
    return np.asarray(A).any(axis=1) * 1.0


def by_chunks(A):
    # np.array keeps what is wrong with A for the function to find.
    A = np.array(A)
    return dask.array.from_array(A, chunks=(7, *A.shape[1:]))


# One number or vector for every public function that takes a matrix. Of those that draw, it does
# not depend on rows of zeros, which come last.
WITH_P = {
    "root_leverage_scores": root_leverage_scores,
    "lewis_weights": lambda A, p: lewis_weights(A, p).weights,
    "sensitivities": lambda A, p: sensitivities(A, p).values,
    "sensitivities, reference": lambda A, p: sensitivities(A, p, reference=A).upper,
    "total_sensitivity": lambda A, p: total_sensitivity(A, p).value,
    "total_sensitivity, size": lambda A, p: total_sensitivity(A, p, size=10, rng=0).upper,
    "max_sensitivity": lambda A, p: max_sensitivity(A, p).upper,
    "block_sensitivities": lambda A, p: block_sensitivities(A, p, 1, rng=0),
    "distortion": lambda A, p: distortion(A, np.arange(len(A)) % 2 * 2.0, p, rng=0).lower,
    "root_leverage_sample": lambda A, p: root_leverage_sample(A, p, 1e9, rng=0).q,
    "StreamingCoreset": lambda A, p: StreamingCoreset(p, 40).partial_fit(A).coreset().weights,
    "dask.lewis_weights": lambda A, p: chunked.lewis_weights(by_chunks(A), p, tol=0.1).weights,
    "dask.coreset": lambda A, p: chunked.coreset(by_chunks(A), p, alpha=1e9, rng=0).weights,
    "LpRowSampler": lambda A, p: LpRowSampler(p, "leverage", random_state=0).fit(A).scores_,
    "lp_regression": lambda A, p: lp_regression(A, labels(A) * flat(A), p).cost,
    "sampled_regression": lambda A, p: (
        sampled_regression(A, labels(A) * flat(A), p, size=40, rng=0).fit.cost
    ),
    "certified_sample": lambda A, p: certified_sample(A, p, 1e-9, rng=0).sample.q,
}
WITHOUT_P = {
    "leverage_scores": leverage_scores,
    "sketched_leverage_scores": lambda A: sketched_leverage_scores(A, 2, rng=0).rank,
    "BlockLeverage": lambda A: BlockLeverage().partial_fit(A).scores(A),
    "augmented_scores": lambda A: augmented_scores(A, flat(A)),
    "dask.leverage_scores": lambda A: chunked.leverage_scores(by_chunks(A)).compute(),
}
# Their exponents are above those of the others.
HIGH_P = {
    "lewis_weights_onesided": lambda A, p: lewis_weights_onesided(A, p, 5).weights,
    "flattened_scores": lambda A, p: flattened_scores(A, flat(A), p).scores,
}
EVERY = {
    **{name: lambda A, f=f: f(A, 1) for name, f in WITH_P.items()},
    **{name: lambda A, f=f: f(A, 4) for name, f in HIGH_P.items()},
    **WITHOUT_P,
}
every = pytest.mark.parametrize("name", EVERY)


def call(name, A):
    return np.asarray(EVERY[name](A))


@pytest.mark.parametrize("p", [0.5, 0, -1.0])
@pytest.mark.parametrize("name", [*WITH_P, *HIGH_P])
def test_p_below_one_says_why(name, p):
    with pytest.raises(ValueError, match="p must be >= 1, for below the unit ball is not convex"):
        {**WITH_P, **HIGH_P}[name](GAUSS, p)


@pytest.mark.parametrize("p", [math.nan, "two", None, True, 1j])
@pytest.mark.parametrize("name", [*WITH_P, *HIGH_P])
def test_p_that_is_no_number(name, p):
    with pytest.raises((ValueError, TypeError), match="p must be a number"):
        {**WITH_P, **HIGH_P}[name](GAUSS, p)


INFINITE = {"sensitivities", "sensitivities, reference", "lp_regression", "lewis_weights_onesided"}


@pytest.mark.parametrize("name", sorted({*WITH_P, *HIGH_P} - INFINITE))
def test_p_infinite_where_it_has_no_meaning(name):
    with pytest.raises(ValueError, match=r"p must be (a number|finite).*got inf"):
        {**WITH_P, **HIGH_P}[name](GAUSS, math.inf)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@every
def test_entries_that_are_not_finite(name, value):
    A = GAUSS.copy()
    A[13, 1] = value
    with pytest.raises(ValueError, match=r"must be finite; got .* at index|NaN|infinity"):
        call(name, A)


# A sample may be empty, and regression on it is legal.
@pytest.mark.parametrize("shape", [(0, 3), (5, 0)])
@pytest.mark.parametrize("name", sorted({*EVERY} - {"lp_regression"}))
def test_matrices_without_entries(name, shape):
    with pytest.raises(ValueError, match=r"must have rows and columns|0 sample|0 feature"):
        call(name, np.zeros(shape))


@every
def test_no_matrix(name):
    for A in (np.ones(3), np.ones((2, 2, 2))):
        with pytest.raises((ValueError, TypeError), match=r"dimension|must have shape|2D|dim"):
            call(name, A)
    for A in (GAUSS + 1j, np.full((3, 2), "one"), np.full((3, 2), None)):
        with pytest.raises((ValueError, TypeError)):
            call(name, A)


# What is a maximum, a ratio or a draw of no rows.
NOT_OF_ZERO = {
    "LpRowSampler",
    "certified_sample",
    "dask.coreset",
    "distortion",
    "flattened_scores",
    "max_sensitivity",
    "sampled_regression",
}


@every
def test_zero_matrix(name):
    zero = np.zeros((4, 2))
    if name in NOT_OF_ZERO:
        with pytest.raises(ValueError, match=r"must not be zero|must have a positive entry"):
            call(name, zero)
    else:
        assert np.isfinite(call(name, zero)).all()


@every
def test_rank_deficient_columns_change_nothing(name):
    expected = call(name, GAUSS)
    mixed = GAUSS @ [[1.0, 2.0], [0.5, -1.0]]
    for A in (np.c_[GAUSS, mixed], np.c_[GAUSS[:, :1], GAUSS], np.c_[np.zeros(20), GAUSS]):
        np.testing.assert_allclose(call(name, A), expected, rtol=1e-7)


@every
def test_zero_rows_change_nothing(name):
    expected = call(name, GAUSS)
    found = call(name, np.vstack([GAUSS, np.zeros((3, 2))]))
    if name in ("augmented_scores", "StreamingCoreset") or found.ndim == 0:
        found = found if found.ndim == 0 else found[: len(expected)]
    elif name != "dask.coreset":
        np.testing.assert_array_equal(found[20:], 0)
        found = found[:20]
    np.testing.assert_allclose(found, expected, rtol=1e-7)


@every
def test_fewer_rows_than_columns(name):
    # Two independent rows are all of their space: every score but those of flattening is 1.
    found = call(name, WIDE)
    assert np.isfinite(found).all()
    if name in ("leverage_scores", "lewis_weights", "sensitivities", "certified_sample"):
        np.testing.assert_allclose(found, 1, rtol=1e-12)
    assert np.isfinite(call(name, WIDE[:1])).all()


@pytest.mark.parametrize("scale", [1e-200, 1e200])
@every
def test_units_do_not_matter(name, scale):
    if "regression" in name:
        # Residuals are in the units of the labels: the matrix may have any.
        scale = math.sqrt(scale)
    np.testing.assert_allclose(call(name, scale * GAUSS), call(name, GAUSS), rtol=1e-7)


@pytest.mark.parametrize("kind", [np.float32, np.int64, list, np.asfortranarray])
@every
def test_other_kinds_of_matrices(name, kind):
    whole = np.rint(8 * GAUSS)
    A = (
        whole.tolist()
        if kind is list
        else np.asarray(whole, dtype=kind)
        if isinstance(kind, type)
        else kind(whole)
    )
    np.testing.assert_allclose(call(name, A), call(name, whole), rtol=1e-7)


def test_more_rows_wanted_than_there_are():
    scores = flat(GAUSS)
    np.testing.assert_array_equal(sample_rows(scores, 1, size=1000).weights, np.ones(20))
    assert len(sample_rows(scores, 1, size=1000, replace=True, rng=0).idx) == 1000
    found = LpRowSampler(size=1000).fit(GAUSS)
    np.testing.assert_array_equal(found.indices_, np.arange(20))
    np.testing.assert_array_equal(found.weights_, np.ones(20))
    stream = StreamingCoreset(1, 1000).partial_fit(GAUSS).coreset()
    np.testing.assert_array_equal(stream.rows, GAUSS)
    rows = chunked.coreset(by_chunks(GAUSS), 1, size=1000).rows
    np.testing.assert_array_equal(rows, GAUSS)
    fit = sampled_regression(GAUSS, LABELS, 1, size=1000).fit
    assert fit.cost == pytest.approx(lp_regression(GAUSS, LABELS, 1).cost, rel=1e-9)
    total = total_sensitivity(GAUSS, 1, size=1000, rng=0)
    assert total.value == pytest.approx(total_sensitivity(GAUSS, 1).value, rel=0.1)


@pytest.mark.parametrize("options", [{"alpha": 1.0}, {"size": 1}, {"size": 1, "replace": True}])
def test_weights_that_would_overflow(options):
    with pytest.raises(ValueError, match="large enough for finite weights"):
        sample_rows([1e-310, 1.0], 1, rng=0, **options)
    with pytest.raises(ValueError, match="the sum of the scores must be a number"):
        sample_rows([1e308, 1e308], 1, rng=0, **options)


def test_scores_of_any_unit():
    for unit in (5e-324, 1e-300, 1e300):
        np.testing.assert_array_equal(sample_rows([unit, unit], 1, size=1, rng=0).q, [0.5, 0.5])


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 4])
@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_distortion_of_extreme_weights(p, unit):
    weights = np.random.default_rng(1).uniform(0.5, 1.5, 20)
    plain, found = (distortion(GAUSS, w, p, rng=0) for w in (weights, unit * weights))
    assert found.ratio_max == pytest.approx(unit * plain.ratio_max, rel=1e-6)
    assert found.ratio_min == pytest.approx(unit * plain.ratio_min, rel=1e-6)
    assert found.upper >= found.lower
    assert found.status == plain.status


def test_negative_scores_and_weights():
    for function in (augmented_scores, lambda A, s: flattened_scores(A, s, 4)):
        with pytest.raises(ValueError, match="scores must be >= 0; got -1"):
            function(GAUSS, np.append(flat(GAUSS[1:]), -1.0))


def solvers():
    # The package has a function of the module's name.
    return importlib.import_module("theorytk.sensitivity.sensitivities")


def heavy():
    return np.random.default_rng(0).standard_cauchy((40, 4))


@pytest.mark.parametrize("name", ["sensitivities", "total_sensitivity", "max_sensitivity"])
def test_a_solver_that_does_not_converge_warns_and_keeps_its_interval(monkeypatch, name):
    monkeypatch.setattr(solvers(), "MAX_ITER", 1)
    function = {
        "sensitivities": lambda: sensitivities(heavy(), 1.2),
        "total_sensitivity": lambda: total_sensitivity(heavy(), 1.2),
        "max_sensitivity": lambda: max_sensitivity(heavy(), 1.2),
    }[name]
    with pytest.warns(RuntimeWarning, match="certified intervals wider than tol"):
        rough = function()
    monkeypatch.undo()
    fine = function()
    assert np.all(rough.lower <= np.asarray(fine.upper) * (1 + 1e-9))
    assert np.all(rough.upper >= np.asarray(fine.lower) * (1 - 1e-9))
    assert np.max(np.asarray(rough.upper) / rough.lower) > 1 + 1e-6


def test_block_scores_stay_bounds_without_convergence(monkeypatch):
    A = heavy()
    fine = block_sensitivities(A, 1.2, 5, rng=0)
    monkeypatch.setattr(solvers(), "MAX_ITER", 1)
    with pytest.warns(RuntimeWarning, match="certified intervals wider than tol"):
        rough = block_sensitivities(A, 1.2, 5, rng=0)
    assert (rough >= fine * (1 - 1e-8)).all()
    assert (rough > fine * (1 + 1e-6)).any()


@pytest.mark.parametrize("p", [1, 1.5, 3, 6])
def test_lewis_weights_that_have_not_converged(p):
    A, exact = heavy(), lewis_weights(heavy(), p, tol=1e-12)
    with pytest.warns(RuntimeWarning, match="residual"):
        found = lewis_weights(A, p, max_iter=3)
    assert not found.converged
    assert np.abs(np.log(found.weights / exact.weights)).max() <= found.error_bound
    # One-sided for certain, converged or not.
    w = found.overestimates
    scores = leverage_scores(w[:, None] ** (0.5 - 1 / p) * A)
    assert (scores <= w * (1 + 1e-9)).all()
    with pytest.warns(RuntimeWarning, match="residual"):
        other = chunked.lewis_weights(by_chunks(A), p, max_iter=3)
    np.testing.assert_allclose(other.weights, found.weights, rtol=1e-9)


def test_regression_that_has_not_converged(monkeypatch):
    A, b = heavy(), np.linspace(-1, 1, 40)
    fine = lp_regression(A, b, 1.2)
    monkeypatch.setattr("theorytk.sensitivity._least_norm.MAX_ITER", 1)
    with pytest.warns(RuntimeWarning, match="certified relative gap"):
        rough = lp_regression(A, b, 1.2)
    assert not rough.converged
    assert rough.lower <= fine.cost * (1 + 1e-9)
    assert rough.cost >= fine.lower * (1 - 1e-9)


def test_totals_lie_in_their_intervals():
    for p in (1, 1.5, 2, 4):
        exact = total_sensitivity(heavy(), p)
        assert exact.lower <= exact.value <= exact.upper <= exact.lower * (1 + 1e-8)
        drawn = total_sensitivity(heavy(), p, size=5, rng=0)
        assert drawn.lower <= exact.value <= drawn.upper


def test_nothing_warns_on_good_input():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in EVERY:
            assert np.isfinite(call(name, GAUSS)).all()
