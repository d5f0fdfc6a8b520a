"""Published regressions: their means retyped point by point, their noise by its law."""

import math

import numpy as np
import pytest
from scipy import stats

from theorytk.conformal.regressions import SETTINGS, regression_data

FALSE_ALARM = 1e-7


def steps(x):
    if x[0] * x[1] > 0:
        return 0.25 + x[3] if x[3] > 0.5 else 0.0
    return x[3] - 0.25 if x[3] < -0.5 else 0.0


def smooth(x):
    return 2 * (x[0] * x[1] + x[2] ** 2 + math.exp(x[3] - 1) - 1)


def tilted(x):
    return (0.5 if x[0] * x[1] > 0 else 1.0) + x[3]


def clamped(x):
    if x[0] * x[1] > 0:
        return 4 * (x[3] if x[3] > 0.5 else 0.5)
    return 4 * (x[3] if x[3] < -0.5 else -0.5)


def product(x):
    return 5 * (x[0] * x[1] + math.exp(x[3] - 1))


def every_20th(x):
    return sum(x[i] for i in range(len(x)) if i % 20 == 0)


def bent(mu):
    return 0.25 * mu**2 * (abs(mu) < 2) + 0.5 * abs(mu) * (abs(mu) >= 1)


def flat(scale):
    return lambda mu: scale


def falling(divisor):
    return lambda mu: (5.5 - abs(mu)) / divisor


EXPECTED = {
    "jin-msel-1": (steps, flat(1)), "jin-msel-2": (smooth, flat(1.5)),
    "jin-msel-3": (steps, falling(2)), "jin-msel-4": (smooth, falling(2)),
    "jin-full-1": (tilted, flat(2)), "jin-full-2": (smooth, flat(1.5)),
    "jin-full-3": (tilted, falling(2)), "jin-full-4": (smooth, falling(3)),
    "liang-1": (every_20th, flat(1)), "liang-2": (every_20th, flat(1)),
    "liang-3": (lambda x: sum(x) / len(x), flat(0.01)), "liang-4": (every_20th, flat(1)),
    "cfbh-1": (clamped, flat(1)), "cfbh-2": (product, flat(1.5)),
    "cfbh-3": (product, falling(2)), "cfbh-4": (product, bent),
    "cfbh-5": (steps, flat(1)), "cfbh-6": (smooth, flat(1.5)),
    "cfbh-7": (smooth, falling(2)), "cfbh-8": (smooth, bent),
    "gaussian": (lambda x: x[0], flat(1)),
}  # fmt: skip


def test_every_setting_is_expected():
    assert set(SETTINGS) == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_setting(name):
    mean, scale = EXPECTED[name]
    X, y = regression_data(name, 400, sigma=0, rng=4)
    np.testing.assert_allclose(y, [mean(x) for x in X], atol=1e-12)
    again, noisy = regression_data(name, 400, sigma=0.7, rng=4)
    np.testing.assert_array_equal(again, X)
    scales = np.array([scale(m) for m in y])
    noise = (noisy - y)[scales != 0] / (0.7 * scales[scales != 0])
    law = stats.t(3) if name == "liang-2" else stats.norm()
    assert stats.kstest(noise, law.cdf).pvalue > FALSE_ALARM


@pytest.mark.parametrize("name", EXPECTED)
def test_covariates(name):
    X, _ = regression_data(name, 500, rng=5)
    d = SETTINGS[name].d
    assert X.shape == (500, d)
    if name == "liang-4":  # squared norms of a multivariate t are d times Fisher's F
        assert stats.kstest((X**2).mean(axis=1), stats.f(d, 3).cdf).pvalue > FALSE_ALARM
        return
    law = stats.uniform(-1, 2) if name.startswith(("jin", "cfbh")) else stats.norm()
    assert stats.kstest(X.ravel(), law.cdf).pvalue > FALSE_ALARM


def test_papers_sizes_and_overrides():
    sizes = {name: (s.d, s.sigma) for name, s in SETTINGS.items()}
    assert sizes["jin-msel-3"] == (20, 1.0)
    assert sizes["jin-full-3"] == (10, 0.5)
    assert sizes["liang-3"] == (100, 3.0)
    assert regression_data("jin-full-1", 3, d=4, rng=0)[0].shape == (3, 4)
    one, two = (regression_data("liang-1", 3, rng=r)[1] for r in (0, np.random.default_rng(0)))
    np.testing.assert_array_equal(one, two)


REFUSED = [
    (lambda: regression_data("jin-msel-5", 3), "did you mean 'jin-msel-"),
    (lambda: regression_data("liang-1", 0), "n must be"),
    (lambda: regression_data("jin-msel-1", 3, d=3), "d must be an integer >= 4"),
    (lambda: regression_data("liang-1", 3, sigma=-1), "sigma must be"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
