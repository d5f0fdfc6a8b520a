"""Limits of cfBH against quadrature, closed forms, published figures and one large sample."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from theorytk.conformal.limits import asymptotic_limits, gaussian_limits
from theorytk.conformal.regressions import regression_data

TABLE = {  # score, q: -cut, threshold, fdr, power at sigma = 0.5, found once by quadrature
    ("clip", 0.1): (0.18279, 0.04275, 0.1, 0.76947),
    ("clip", 0.2): (-0.17838, 0.11416, 0.2, 0.91326),
    ("residual", 0.1): (1.10699, 0.01341, 0.00315, 0.26745),
    ("residual", 0.2): (0.89175, 0.03725, 0.00901, 0.36917),
    ("sub", 0.1): (0.43832, 0.03306, 0.05, 0.62809),
    ("sub", 0.2): (0.18279, 0.08550, 0.1, 0.76947),
}


@pytest.mark.parametrize("case", TABLE)
def test_table(case):
    found = gaussian_limits(*case, 0.5)
    assert (-found.cut, found.threshold, found.fdr, found.power) == pytest.approx(
        TABLE[case], abs=6e-6
    )


@pytest.mark.parametrize("sigma", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("q", [0.05, 0.3])
def test_clip_selects_where_the_share_of_nulls_is_the_level(q, sigma):
    found = gaussian_limits("clip", q, sigma)

    def share(sign):
        """P(X >= -cut and sign * Y >= 0) by quadrature."""
        density = lambda x: stats.norm.pdf(x) * stats.norm.cdf(sign * x / sigma)  # noqa: E731
        return integrate.quad(density, -found.cut, 12, epsabs=1e-13)[0]

    nulls, positives = share(-1), share(1)
    assert nulls / (nulls + positives) == pytest.approx(q, abs=1e-9)
    assert found.fdr == pytest.approx(q, abs=1e-9)
    assert found.power == pytest.approx(2 * positives, abs=1e-9)
    assert found.threshold == pytest.approx(nulls, abs=1e-9)
    assert gaussian_limits("sub", 2 * q, sigma).cut == pytest.approx(found.cut, abs=1e-9)


def test_closed_form():
    # F = v^2 and G = v on [0, 1], nulls the share 0.4 v: the cut solves v^2 = q v.
    found = asymptotic_limits(
        lambda v: np.clip(v, 0, 1) ** 2, lambda v: np.clip(v, 0, 1),
        lambda v: 0.4 * np.clip(v, 0, 1), 0.3, 0.4, (0.01, 1.5),
    )  # fmt: skip
    assert (found.cut, found.threshold, found.fdr, found.power) == pytest.approx(
        (0.3, 0.09, 0.4, 0.3)
    )


def test_nothing_and_everything():
    assert gaussian_limits("residual", 0.1, 1.5) == type(gaussian_limits("clip", 0.1, 1.0))(
        -math.inf, 0.0, 0.0, 0.0
    )
    everything = gaussian_limits("clip", 0.6, 0.5)
    assert (everything.fdr, everything.power) == pytest.approx((0.5, 1.0), abs=1e-12)


@pytest.mark.parametrize("q", [0.1, 0.2])
def test_one_large_sample(q):
    n = 100_000
    X, y = regression_data("gaussian", 2 * n, rng=3)
    score = -X[:, 0]
    cal = np.sort(np.where(y > 0, np.inf, score)[:n])
    p = (1 + np.searchsorted(cal, np.sort(score[n:]), side="right")) / (n + 1)
    size = int(np.max(np.flatnonzero(p <= q * np.arange(1, n + 1) / n))) + 1
    positive = y[n:][np.argsort(score[n:])] > 0
    limits = gaussian_limits("clip", q, 0.5)
    assert 1 - positive[:size].mean() == pytest.approx(limits.fdr, abs=0.01)
    assert positive[:size].sum() / positive.sum() == pytest.approx(limits.power, abs=0.03)


REFUSED = [
    (lambda: gaussian_limits("clipped", 0.1, 1.0), "did you mean 'clip'"),
    (lambda: gaussian_limits("clip", 1.0, 1.0), "q must be"),
    (lambda: gaussian_limits("clip", 0.1, 0.0), "sigma must be"),
    (lambda: asymptotic_limits(abs, abs, abs, 0.1, 1.0, (0, 1)), "pi0 must be"),
    (lambda: asymptotic_limits(abs, abs, abs, 0.1, 0.5, (1, 1)), r"bracket\[1\] must be"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
