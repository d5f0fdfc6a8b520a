"""The reduced simulation against the full one, against the closed forms and by hand."""

import numpy as np
import pytest

from theorytk.adaptive.attack_laws import (
    expected_selected,
    feature_selection_accuracy,
    signal_accuracy,
)
from theorytk.adaptive.feature_selection import HOLDOUTS, feature_selection

FIELDS = ("train", "holdout", "fresh", "reported")


def moments(method, holdout, n_signal, reps=250):
    """Return means and second moments of everything by repetition, shape (reps, columns)."""
    rows = []
    for seed in range(reps):
        result = feature_selection(
            150,
            200,
            sizes=[0, 2, 5, 12, 40],
            n_signal=n_signal,
            holdout=holdout,
            method=method,
            rng=seed + 1000 * (method == "full"),
        )
        x = np.concatenate([getattr(result, field)[1:] for field in FIELDS])
        gap = x - 0.5
        # Products of neighbouring sizes and sets: the joint law, not only the means.
        rows.append(
            np.concatenate([x, gap[:-1] * gap[1:], gap[:-4] * gap[4:], [result.n_selected]])
        )
    return np.array(rows)


@pytest.mark.parametrize("holdout", HOLDOUTS)
@pytest.mark.parametrize("n_signal", [0, 8])
def test_reduced_and_full_simulations_have_the_same_law(holdout, n_signal):
    reduced = moments("reduced", holdout, n_signal)
    full = moments("full", holdout, n_signal)
    difference = reduced.mean(axis=0) - full.mean(axis=0)
    error = np.sqrt((reduced.var(axis=0) + full.var(axis=0)) / len(full))
    # 44 comparisons: false alarm below 1e-6.
    assert np.abs(difference / error).max() < 5.8


def test_without_signal_the_study_follows_the_closed_forms():
    sizes = [20, 100, 200, 450]
    results = [feature_selection(sizes=sizes, rng=seed) for seed in range(30)]
    train, holdout = feature_selection_accuracy(10_000, 10_000, sizes)
    # The closed forms are limits; at this n and d they are off by less than 0.001.
    for field, law in (("train", train), ("holdout", holdout), ("fresh", np.full(4, 0.5))):
        found = np.array([getattr(r, field) for r in results])
        error = found.std(axis=0, ddof=1) / np.sqrt(30)
        assert (np.abs(found.mean(axis=0) - law) < 6 * error + 0.001).all()
    passed = [r.n_selected for r in results]
    assert abs(np.mean(passed) - expected_selected(10_000)) < 6 * np.sqrt(503 / 30)


def test_with_signal_fresh_accuracy_follows_the_closed_form():
    sizes = [100, 400]
    found = np.array(
        [feature_selection(sizes=sizes, n_signal=20, rng=seed).fresh for seed in range(30)]
    )
    error = found.std(axis=0, ddof=1) / np.sqrt(30)
    # A signal variable fails to pass with a probability below 1e-6.
    assert (np.abs(found.mean(axis=0) - signal_accuracy(10_000, sizes)) < 6 * error).all()


def test_thresholdout_reports_what_is_nearer_the_truth():
    standard, protected = (
        np.mean([feature_selection(sizes=[500], holdout=h, rng=s).reported[0] for s in range(20)])
        for h in ("standard", "thresholdout")
    )
    assert standard > 0.62
    assert abs(protected - 0.5) < 0.04


@pytest.mark.parametrize("method", ["reduced", "full"])
def test_no_variable_is_a_coin(method):
    for holdout in HOLDOUTS:
        result = feature_selection(50, 50, sizes=[0], holdout=holdout, method=method, rng=0)
        assert [float(getattr(result, field)[0]) for field in FIELDS] == [0.5] * 4


def test_thresholdout_without_threshold_and_noise_is_the_holdout():
    options = {"sizes": [1, 5, 20], "n_signal": 3, "method": "full", "rng": 0}
    standard = feature_selection(100, 80, **options)
    exact = feature_selection(
        100, 80, holdout="thresholdout", threshold=0.0, tolerance=0.0, **options
    )
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(exact, field), getattr(standard, field))


def test_thresholdout_with_a_large_threshold_never_looks_at_the_holdout():
    result = feature_selection(100, 80, holdout="thresholdout", threshold=1e6, rng=0)
    unused = feature_selection(100, 80, holdout="unused", rng=0)
    np.testing.assert_array_equal(result.reported, result.train)
    assert result.n_selected == unused.n_selected


def test_sizes_beyond_what_passes_keep_all_that_pass():
    result = feature_selection(100, 60, sizes=[1, 50, 60], rng=0)
    assert result.n_selected < 50
    for field in FIELDS:
        assert getattr(result, field)[1] == getattr(result, field)[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 1}, "n must be an integer >= 2; got 1"),
        ({"d": 0}, "d must be an integer >= 1; got 0"),
        ({"d": 10, "n_signal": 11}, "n_signal must be an integer >= 0 and <= 10; got 11"),
        ({"sizes": [5, 5]}, "sizes must be integers >= 0 that strictly increase"),
        ({"sizes": []}, "sizes must be integers"),
        ({"sizes": [0.5]}, "sizes must be integers"),
        ({"sizes": [-1, 2]}, "sizes must be integers"),
        ({"bias": np.nan}, "bias must be a number"),
        ({"threshold": -1.0}, "threshold must be a number >= 0; got -1"),
        ({"tolerance": -1.0}, "tolerance must be a number >= 0; got -1"),
        ({"holdout": "none"}, "holdout must be one of"),
        ({"method": "fast"}, "method must be one of"),
    ],
)
def test_bad_input_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        feature_selection(**options)
