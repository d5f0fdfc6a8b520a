"""The detector's report by enumeration of pairs and thresholds."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from theorytk.diffusion.hallucination import (
    HallucinationRule,
    cap_slope,
    default_grid,
    detector_report,
    exact_denoiser,
    least_variable,
    level_weights,
    sample_chain,
    steep_schedule,
    tabulate,
    three_in_a_row,
    trajectory_variance,
)


@pytest.mark.parametrize("seed", range(20))
def test_report_by_enumeration(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 120))
    label = np.r_[0, 1, rng.integers(0, 2, n)]
    score = rng.integers(0, 12, n + 2) / 4 + label  # many ties
    retain, remove = rng.uniform(0.3, 1.0, 2)
    report = detector_report(label, score, retain=retain, remove=remove)
    bad, good = score[label == 1], score[label == 0]
    assert report.auroc == pytest.approx(roc_auc_score(label, score), abs=1e-12)
    thresholds = np.unique(good)
    kept = np.array([np.mean(good <= c) for c in thresholds])
    gone = np.array([np.mean(bad > c) for c in thresholds])
    first = np.flatnonzero(kept >= retain - 1e-9)[0]
    assert report.threshold_retaining == thresholds[first]
    assert report.removed == gone[first]
    enough = np.flatnonzero(gone >= remove - 1e-9)
    if enough.size:
        assert report.threshold_removing == thresholds[enough[-1]]
        assert report.retained == kept[enough[-1]]
    else:
        assert report.threshold_removing == -np.inf
        assert report.retained == 0.0
    assert (report.n_hallucinated, report.n_in_support) == (bad.size, good.size)


def test_variance_by_hand():
    paths = np.random.default_rng(0).standard_normal((20, 7, 3))
    found = trajectory_variance(paths, (4, 9))
    for i in range(7):
        rows = [paths[4:9, i, a] for a in range(3)]
        expected = np.mean([sum((r - r.mean()) ** 2) / 5 for r in rows])
        assert found[i] == pytest.approx(expected, rel=1e-12)


def test_late_variance_separates_hallucinations_of_a_capped_denoiser():
    schedule, target = steep_schedule(), three_in_a_row()
    exact = exact_denoiser(target, schedule)
    table = tabulate(exact, schedule, default_grid(target, 2048), t_start=400)
    table = cap_slope(table, schedule, 2.0, level_weights(target, schedule, table))
    reports = []
    for window in ((0, 10), (60, 120)):
        result = sample_chain(table, schedule, 50_000, t_start=400, window=window, rng=0)
        far = HallucinationRule(target, between=True)(result.x)
        reports.append(detector_report(far, result.hal))
    late, early = reports
    # Standard errors are below 0.02 with 200 hallucinations.
    assert late.n_hallucinated > 150
    assert late.auroc == pytest.approx(0.954, abs=0.03)
    assert late.removed > early.removed + 0.2
    assert abs(early.auroc - 0.5) < 0.12


def test_least_variable_keeps_the_earlier_of_equals():
    score = np.random.default_rng(0).integers(0, 5, 200).astype(float)
    kept = least_variable(score, 120)
    order = sorted(range(200), key=lambda i: (score[i], i))
    np.testing.assert_array_equal(kept, sorted(order[:120]))


def test_bad_input():
    for window in ((0, 1), (0, 21), (19, 21), (3, 3)):
        with pytest.raises(ValueError, match="window"):
            trajectory_variance(np.zeros((20, 2, 1)), window)
    with pytest.raises(ValueError, match="paths must have 3 dimension"):
        trajectory_variance(np.zeros((20, 2)))
    for label in ([0, 0, 0], [1, 1, 1], [0, 1, 2]):
        with pytest.raises(ValueError, match="hallucinated must hold both true and false"):
            detector_report(label, [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match=r"hallucinated must have shape \(3\)"):
        detector_report([0, 1], [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="score must be finite"):
        detector_report([0, 1], [0.1, np.nan])
    with pytest.raises(ValueError, match="retain must be a number > 0 and <= 1"):
        detector_report([0, 1], [0.1, 0.2], retain=0.0)
    with pytest.raises(ValueError, match="keep must be an integer >= 1 and <= 2"):
        least_variable([0.1, 0.2], 3)
