"""Audits that know the noise, mutation, and the front doors."""

import math

import numpy as np
import pytest
from scipy.stats import chi2, dlaplace, gamma

from theorytk.privacy.audit_result import AuditReport, AuditResult
from theorytk.privacy.audit_scale import scale_audit, scale_limit
from theorytk.privacy.audit_structural import (
    WorstPair,
    release_pair,
    structural_audit,
    worst_pair,
)
from theorytk.privacy.audits import audit, black_box_audit, mutation_audit
from theorytk.privacy.dyadic_tree import dyadic_tree
from theorytk.privacy.exact_tree import exact_tree
from theorytk.privacy.exponential_spline import exponential_spline
from theorytk.privacy.flat_histogram import flat_histogram
from theorytk.privacy.guarantees import PrivacyGuarantee
from theorytk.privacy.hat import hierarchical_hat
from theorytk.privacy.noise import PrivacyWarning, discrete_gaussian, discrete_laplace
from theorytk.privacy.random_features import random_features
from theorytk.privacy.squared_distance import squared_distance

MECHANISMS = [dyadic_tree, exact_tree, flat_histogram, hierarchical_hat]
BUDGETS = [{"epsilon": 1.0}, {"rho": 0.5}]
NEIGHBOURS = ["add_remove", "replace"]
GRID = np.linspace(0, 1, 33)


def losses(mechanism, points, other):
    """Return the losses of changes from points to others, from their definition."""
    scale = np.repeat(mechanism.scales, mechanism.sizes)
    for a, b in zip(points, other, strict=True):
        change = np.abs(a - b)
        share = np.array([c / s if c else 0.0 for c, s in zip(change, scale, strict=True)])
        yield (share**2).sum() / 2 if mechanism.kind == "gaussian" else share.sum()


@pytest.mark.parametrize("build", MECHANISMS)
@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("neighbours", NEIGHBOURS)
def test_worst_pair_by_brute_force(build, budget, neighbours):
    mechanism = build(3, neighbours=neighbours, **budget)
    points = np.linspace(0, 1, 9)
    each = mechanism.contributions(points)
    if neighbours == "replace":
        first, second = np.repeat(each, 9, axis=0), np.tile(each, (9, 1))
    else:
        first, second = each, np.zeros_like(each)
    pair = worst_pair(mechanism, points, neighbours)
    assert pair.loss == pytest.approx(max(losses(mechanism, first, second)), rel=1e-12)
    assert pair.loss == pytest.approx(mechanism.privacy_loss(pair.point, pair.other)[0])


@pytest.mark.parametrize("build", MECHANISMS)
@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("neighbours", NEIGHBOURS)
def test_every_halved_scale_is_caught(build, budget, neighbours):
    mechanism = build(4, neighbours=neighbours, **budget)
    claim = PrivacyGuarantee(neighbours=neighbours, **budget)
    found = mutation_audit(mechanism, claim, points=GRID, n_trials=150, rng=0)
    assert not found.control.violated
    assert found.passed
    assert [m.group for m in found.mutants] == [
        group for group, scale in zip(mechanism.groups, mechanism.scales, strict=True) if scale
    ]
    for mutant in found.mutants:
        exact, sampled = mutant.report.results
        assert exact.violated
        assert sampled.violated
        assert mutant.group in sampled.event


@pytest.mark.parametrize("budget", BUDGETS)
def test_kernel_mechanisms_with_halved_scales_are_caught(budget):
    claim = PrivacyGuarantee(neighbours="add_remove", **budget)
    spline = exponential_spline(4, 3.0, **budget)
    assert mutation_audit(spline, claim, points=GRID, rng=0).passed
    features = random_features(np.linspace(0.1, 5, 12)[None, :], rng=0, **budget)
    points = np.linspace(0, 20, 50)[:, None]
    found = mutation_audit(features, claim, points=points, rng=0)
    assert found.passed
    assert not audit(features, claim, points=points, n_trials=2000, rng=0).violated


def test_mutation_tells_a_mutant_that_stays_private():
    """With twice the noise needed, halving one scale breaks no promise of the whole."""
    generous = hierarchical_hat(4, epsilon=0.5)
    claim = PrivacyGuarantee(neighbours="add_remove", epsilon=1.0)
    found = mutation_audit(generous, claim, points=GRID, rng=0)
    assert not any(m.report.results[0].violated for m in found.mutants)
    assert all(m.report.results[1].violated for m in found.mutants)
    assert "level 4" in repr(found)
    assert repr(found).count("\n") == 1 + len(found.mutants)


def test_structural_audit_sees_the_wrong_relation():
    for budget, unit in (({"epsilon": 1.0}, "epsilon"), ({"rho": 0.5}, "rho")):
        tree = dyadic_tree(5, **budget)
        claimed = next(iter(budget.values()))
        right = structural_audit(tree, GRID, claimed=claimed)
        wrong = structural_audit(tree, GRID, claimed=claimed, neighbours="replace")
        assert (right.violated, wrong.violated) == (False, True)
        assert wrong.parameter == unit
        assert wrong.certified == pytest.approx(claimed * 10 / 6)


def test_structural_audit_in_several_dimensions():
    mechanism = squared_distance([1.0, 0.5, 2.0], epsilon=1.0)
    corners = np.array(np.meshgrid(*[[0.0, 1.0]] * 3)).reshape(3, -1).T
    result = structural_audit(mechanism, corners, claimed=1.0)
    assert result.certified == pytest.approx(1.0, abs=1e-6)
    assert not result.violated
    assert result.event == "adding (0, 0, 0)"


@pytest.mark.parametrize("neighbours", NEIGHBOURS)
def test_no_noise_is_an_infinite_loss(neighbours):
    tree = dyadic_tree(3, epsilon=1.0, neighbours=neighbours)
    silent = tree.with_scales(np.where(np.arange(4) == 2, 0.0, tree.scales))
    pair = worst_pair(silent, GRID, neighbours)
    assert pair.loss == math.inf
    assert silent.privacy_loss(pair.point, pair.other)[0] == math.inf
    claim = PrivacyGuarantee(neighbours=neighbours, epsilon=1.0)
    report = audit(silent, claim, points=GRID, rng=0)
    assert len(report.results) == 1
    assert report.violated
    with pytest.raises(ValueError, match="no noise on 'level 2'"):
        release_pair(silent, pair, 10, rng=0)


def test_release_pair_has_the_exact_law_of_a_count():
    """On the data with the point a score is the whole loss where the noise is >= 0."""
    mechanism, n = flat_histogram(2, epsilon=0.7), 20000
    pair = WorstPair(0.7, np.array([0.1]), None)
    scores, other = release_pair(mechanism, pair, n, rng=0)
    assert set(np.round(np.concatenate([scores, other]), 9)) == {0.7, -0.7}
    p = dlaplace(0.7).sf(-1)
    sd = math.sqrt(p * (1 - p) / n)
    assert (scores > 0).mean() == pytest.approx(p, abs=6 * sd)
    assert (other < 0).mean() == pytest.approx(p, abs=6 * sd)


@pytest.mark.parametrize("budget", BUDGETS)
def test_release_pair_scores_match_whole_releases(budget):
    mechanism, n = hierarchical_hat(2, neighbours="replace", **budget), 1500
    pair = worst_pair(mechanism, np.linspace(0, 1, 9), "replace")
    scores = np.array(release_pair(mechanism, pair, n, rng=0))
    rng = np.random.default_rng(1)
    scale = np.repeat(mechanism.scales, mechanism.sizes)
    power = 2 if mechanism.kind == "gaussian" else 1
    whole = np.zeros((2, n))
    means = np.array([mechanism.contributions(x)[0] for x in (pair.point, pair.other)])
    for data, x in enumerate((pair.point, pair.other)):
        for i in range(n):
            away = np.abs((mechanism.release(x, rng) - means) / scale) ** power / power
            whole[data, i] = (away[1] - away[0]).sum()
    sd = np.sqrt(2 / n) * whole.std(axis=1)
    assert (np.abs(scores.mean(axis=1) - whole.mean(axis=1)) < 6 * sd).all()
    # E exp(-score) = 1 on the first data.
    ratio = np.exp(-scores[0])
    assert ratio.mean() == pytest.approx(1.0, abs=6 * ratio.std() / math.sqrt(n))


@pytest.mark.parametrize(("kind", "law"), [("laplace", gamma), ("gaussian", chi2)])
def test_scale_limit_is_just_above_the_exact_one(kind, law):
    rng = np.random.default_rng(0)
    n = 5000
    noise = 3 * (rng.laplace(size=n) if kind == "laplace" else rng.normal(size=n))
    if kind == "laplace":
        exact = np.abs(noise).sum() / law.ppf(0.001, n)
    else:
        exact = math.sqrt((noise**2).sum() / law.ppf(0.001, n))
    found = scale_limit(noise, kind=kind)
    assert exact < found < 1.02 * exact


@pytest.mark.parametrize("scale", [0.4, 1.0, 20.0])
@pytest.mark.parametrize(
    ("kind", "draw"), [("laplace", discrete_laplace), ("gaussian", discrete_gaussian)]
)
def test_scale_limit_covers_discrete_noise(kind, draw, scale):
    noise = draw(scale, (300, 200), rng=0)
    limits = [scale_limit(row, kind=kind, bits=0, confidence=0.9) for row in noise]
    # Misses of probability 0.1 each exceed this with probability 1e-6.
    assert sum(limit < scale for limit in limits) <= 58
    assert np.median(limits) < 1.6 * scale
    finer = scale_limit(noise[0] / 2**8, kind=kind, bits=8, confidence=0.9)
    assert finer == pytest.approx(limits[0] / 2**8, rel=1e-9)


@pytest.mark.parametrize("n", [1, 2, 100])
def test_scale_limit_of_no_noise(n):
    assert scale_limit(np.zeros(n)) == 0.0
    # All of n discrete samples are 0 with probability tanh(1 / (2 scale))^n.
    assert scale_limit(np.zeros(n), bits=0) == pytest.approx(
        1 / (2 * math.atanh(0.001 ** (1 / n))), rel=1e-6
    )


def test_scale_audit_of_several_groups():
    tree = dyadic_tree(3, epsilon=1.0)
    assert not scale_audit(tree, tree.scales, GRID, rng=0).violated
    result = scale_audit(tree, tree.scales * [1, 1, 3, 1], GRID, rng=0)
    assert result.event == "noise of 'level 2'"
    assert 2 < result.certified < 3
    exempt = tree.scales * [0, 1, 1, 1]
    assert not scale_audit(tree.with_scales(exempt), exempt, GRID, rng=0).violated


def test_audit_of_float_noise_is_caught_by_its_last_bits():
    claim = PrivacyGuarantee(neighbours="add_remove", epsilon=1.0)
    with pytest.warns(PrivacyWarning):
        report = audit(flat_histogram(3, epsilon=1.0, noise="float"), claim, rng=0)
    assert [result.violated for result in report.results] == [False, False, True]
    assert not audit(flat_histogram(3, epsilon=1.0), claim, rng=0).violated


@pytest.mark.parametrize("build", [flat_histogram, hierarchical_hat])
@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("neighbours", NEIGHBOURS)
def test_audit_passes_and_catches(build, budget, neighbours):
    mechanism = build(4, neighbours=neighbours, **budget)
    claim = PrivacyGuarantee(neighbours=neighbours, **budget)
    assert not audit(mechanism, claim, points=GRID, rng=0).violated
    weak = audit(mechanism.with_scales(mechanism.scales / 3), claim, points=GRID, rng=0)
    assert [result.violated for result in weak.results] == [True, True, False]
    assert weak.results[1].delta == (0.0 if "epsilon" in budget else 0.01)


def test_black_box_audit():
    claim = PrivacyGuarantee(neighbours="add_remove", epsilon=1.0)

    def counts(data, rng, scale=1.0):
        return np.bincount(data, minlength=3) + discrete_laplace(scale, 3, rng)

    none, one = np.array([], dtype=np.int64), np.array([1])
    options = dict(score=lambda releases: releases[:, 1], rng=0)
    assert not black_box_audit(counts, claim, none, one, **options).violated
    report = black_box_audit(lambda data, rng: counts(data, rng, 0.4), claim, none, one, **options)
    assert [result.violated for result in report.results] == [True, False]
    blind = dict(score=lambda releases: releases[:, 0], rng=0)
    assert black_box_audit(counts, claim, none, one, **blind).results[0].certified < 0.3


def test_results_read_well():
    passed = AuditResult("two-sample", 0.9, 1.0, delta=0.01, confidence=0.999, n_trials=50)
    assert repr(passed) == (
        "<two-sample audit passed: epsilon >= 0.9 at delta 0.01, claimed 1, confidence 0.999, "
        "50 trials>"
    )
    failed = AuditResult("structural", 2.0, 1.0, parameter="rho", n_trials=3, event="adding 0.5")
    assert "VIOLATED: rho >= 2, claimed 1, 3 trials, adding 0.5" in repr(failed)
    assert not AuditResult("structural", 1.0 + 1e-12, 1.0).violated
    report = AuditReport((passed, failed))
    assert report.violated
    assert repr(report) == f"{passed!r}\n{failed!r}"


PURE = PrivacyGuarantee(neighbours="add_remove", epsilon=1.0)
ZCDP = PrivacyGuarantee(neighbours="add_remove", rho=0.5)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: worst_pair(dyadic_tree(2, epsilon=1.0), []), "at least 1"),
        (lambda: worst_pair(dyadic_tree(2, epsilon=1.0), [0.5], "replace"), "at least 2"),
        (lambda: worst_pair(dyadic_tree(2, epsilon=1.0), [0.5], "swap"), "neighbours"),
        (lambda: worst_pair(dyadic_tree(2, epsilon=1.0), [1.5]), r"x must lie in \[0, 1\]"),
        (lambda: structural_audit(dyadic_tree(2, epsilon=1.0), [0.5], claimed=-1), "claimed"),
        (lambda: scale_limit([]), "at least one value"),
        (lambda: scale_limit([1.0], kind="uniform"), "kind"),
        (lambda: scale_limit([1.0], confidence=1.0), "confidence"),
        (lambda: scale_audit(dyadic_tree(2, epsilon=1.0), [1.0], [0.5]), "scales"),
        (lambda: audit(dyadic_tree(2, epsilon=1.0), PURE, confidence=0.0), "confidence"),
        (lambda: audit(dyadic_tree(2, epsilon=1.0), PURE, n_trials=1), "n_trials"),
        (lambda: audit(dyadic_tree(2, rho=0.5), ZCDP, delta=0.0), "delta"),
        (lambda: audit(dyadic_tree(2, epsilon=1.0), ZCDP), "must state a pure epsilon"),
        (lambda: mutation_audit(dyadic_tree(2, epsilon=1.0), PURE, factor=1.0), "factor"),
    ],
)
def test_bad_arguments(call, named):
    with pytest.raises(ValueError, match=named):
        call()
