"""Widths against written-out bounds minimised by scipy or dense grids, and exact coverage."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.stats import binom, norm

from theorytk.adaptive.bounds import BOUNDS, confidence_width, max_queries, samples_needed

CASES = [(10_000, 100, 0.05), (500, 3, 0.2), (2_000_000, 50_000, 0.001), (10_000, 1, 0.05)]


def zcdp(rho, delta):
    return rho + 2 * math.sqrt(rho * max(math.log(min(1, math.sqrt(math.pi * rho)) / delta), 0))


def least(objective, *starts):
    """Minimise over log parameters by Nelder and Mead's method from a product of starts."""
    mesh = np.array(np.meshgrid(*starts)).reshape(len(starts), -1).T
    options = {"xatol": 1e-10, "fatol": 1e-14, "maxiter": 4000}
    runs = [
        minimize(lambda x: objective(*np.exp(x)), x0, method="Nelder-Mead", options=options).fun
        for x0 in mesh
    ]
    return min(runs)


def jung(n, k, beta):
    def width(rho, delta):
        if delta >= 1:
            return 9.0
        sigma = 1 / (n * math.sqrt(2 * rho))
        return (
            sigma * norm.isf(delta / (2 * k)) + math.expm1(zcdp(k * rho, delta)) + 6 * delta / beta
        )

    return least(width, np.log([0.01 / k, 1e-4 / k]), np.log([1e-3, 1e-6]))


def bns(n, k, beta, c=6):
    copies = round(1 / beta)

    def width(rho, delta):
        if delta >= 1:
            return 9.0
        noise = math.sqrt(math.log(4 * k / delta) / rho) / n
        total = math.expm1(zcdp(k * rho, delta)) + c * copies * delta + noise
        return total / (1 - (1 - beta) ** copies)

    return least(width, np.log([0.01 / k, 1e-4 / k]), np.log([1e-4, 1e-7]))


def mutual_information(n, k, beta, factor=1.0):
    def width(rho):
        def over_lambda(u):  # lambda = 1 - exp(-u)
            return (2 * rho * k * n + u) / -math.expm1(-u)

        bounds = (1e-9, 10 + 2 * rho * k * n)
        options = {"xatol": 1e-10}
        f = minimize_scalar(over_lambda, bounds=bounds, method="bounded", options=options).fun
        return math.sqrt(f / (2 * n * beta)) + factor * math.sqrt(math.log(4 * k / beta) / rho) / n

    return least(width, np.log([0.01 / k, 1e-4 / k]))


def tanh_gdp(n, k, beta):
    def width(sigma, epsilon, alpha):
        mu = math.sqrt(k) / (n * sigma)
        delta = norm.cdf(-epsilon / mu + mu / 2) - math.exp(epsilon) * norm.cdf(
            -epsilon / mu - mu / 2
        )
        excess = 2 * k * (sigma * norm.pdf(alpha / sigma) - alpha * norm.sf(alpha / sigma))
        return alpha + math.tanh(epsilon / 4) + (excess + delta) / beta

    root = math.sqrt(k) / n
    sigma = np.log(math.sqrt(root))
    return least(width, [sigma], [math.log(3 * root) - sigma], [sigma + 1.4])


def tanh_zcdp(n, k, beta):
    z = norm.isf(beta / (2 * k))
    mean_beyond = quad(lambda t: t * norm.pdf(t), z, z + 12)[0] / norm.sf(z)

    def width(sigma, delta):
        if delta >= 1:
            return 9.0
        epsilon = zcdp(k / (2 * (n * sigma) ** 2), delta)
        return sigma * mean_beyond + math.tanh(epsilon / 4) + delta / beta

    return least(width, [0.5 * math.log(math.sqrt(k) / n)], np.log([1e-3, 1e-5]))


def dfhprr(n, k, beta):
    half = beta / 2

    def width(tau):
        tau = max(tau, math.sqrt(48 / n * math.log(4 / half)))
        log_delta = 4 / tau * math.log(half / 8)

        def spare(log_rho):
            rho = math.exp(log_rho)
            v = min(0, math.log(math.pi * rho) / 2) - log_delta
            return rho + 2 * math.sqrt(rho * max(v, 0)) - tau / 4

        rho = math.exp(brentq(spare, -60, 20, xtol=1e-14))
        return tau + norm.isf(half / (2 * k)) * math.sqrt(k / (2 * rho)) / n

    return minimize_scalar(width, bounds=(1e-3, 5), method="bounded", options={"xatol": 1e-12}).fun


def nissim_stemmer(n, k, beta):
    half = beta / 2

    def width(epsilon):
        delta = half * epsilon / (2 * math.log(2 / epsilon))
        if n < 2 * math.log(8 / delta) / epsilon**2:
            return 99.0 - epsilon
        rho = math.exp(brentq(lambda r: zcdp(math.exp(r), delta) - epsilon, -60, 20, xtol=1e-14))
        return 13 * epsilon + norm.isf(half / (2 * k)) * math.sqrt(k / (2 * rho)) / n

    grid = np.geomspace(1e-3, 0.7, 400)
    best = grid[np.argmin([width(e) for e in grid])]
    ends = (best / 1.03, min(best * 1.03, 0.735))
    return minimize_scalar(width, bounds=ends, method="bounded", options={"xatol": 1e-13}).fun


def dfhprr_pure(n, k, beta):
    def width(log_epsilon):
        epsilon = math.exp(log_epsilon)
        log_event = min(-2 * n * epsilon**2, 2 * math.log(beta / 6))
        # Hoeffding for all k queries at once has this probability, the beta of Theorem 6.
        tau = brentq(lambda t: math.log(2 * k) - 2 * n * t * t - log_event, 0, 50, xtol=1e-14)
        return tau + k / (n * epsilon) * math.log(2 * k / beta)

    grid = np.linspace(-9, 3, 200)
    best = grid[np.argmin([width(x) for x in grid])]
    ends = (best - 0.1, best + 0.1)
    return minimize_scalar(width, bounds=ends, method="bounded", options={"xatol": 1e-10}).fun


def laplace_pure(n, k, beta):
    def width(scale, alpha):
        excess = k * quad(lambda t: math.exp(-t / scale), alpha, alpha + 60 * scale)[0]
        return alpha + math.tanh(k / (n * scale) / 4) + excess / beta

    middle = math.log(math.sqrt(k / n))
    return least(width, [middle - 2], [middle])


def description_length(n, k, beta):
    def width(m):
        histories = sum((m + 1) ** j for j in range(k))
        return 1 / (2 * m) + math.sqrt(math.log(2 * histories / beta) / (2 * n))

    return min(width(m) for m in range(1, 200))


ORACLES = {
    "jung": (jung, 1e-9),
    "bns": (bns, 1e-9),
    "mutual-information": (mutual_information, 1e-8),
    "tanh-gdp": (tanh_gdp, 1e-8),
    "tanh-zcdp": (tanh_zcdp, 1e-8),
    "dfhprr": (dfhprr, 1e-8),
    "nissim-stemmer": (nissim_stemmer, 1e-7),
    "dfhprr-pure": (dfhprr_pure, 1e-8),
    "laplace-pure": (laplace_pure, 1e-7),
}


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("bound", ORACLES)
def test_width_is_the_least_of_the_written_out_bound(bound, case):
    oracle, tolerance = ORACLES[bound]
    assert confidence_width(*case, bound=bound).value == pytest.approx(oracle(*case), rel=tolerance)


@pytest.mark.parametrize("case", [case for case in CASES if 1 < case[1] < 1000], ids=str)
def test_description_length_counts_histories(case):
    value = confidence_width(*case, bound="description-length").value
    assert value == pytest.approx(description_length(*case), rel=1e-12)


def test_no_history_needs_no_grid():
    one = confidence_width(1000, 1, bound="description-length")
    assert one.value == pytest.approx(confidence_width(1000, 1, bound="split").value, abs=1e-9)


def test_published_widths():
    # What the code of Jung et al. and of Rogers et al. returns, to four digits.
    points = [10_000, 100_000, 1_000_000], [100, 1000, 10_000]
    published = {
        "jung": [0.2812, 0.1648, 0.0961],
        "bns": [0.4663, 0.2705, 0.1568],
    }
    for bound, values in published.items():
        widths = confidence_width(*points, bound=bound).value
        assert np.allclose(widths, values, atol=2.5e-4)
        assert (widths <= np.array(values) + 5e-5).all()  # its optimiser can stop short
    half = confidence_width(10_000, 100, bound="mutual-information", noise_factor=0.5)
    assert half.value == pytest.approx(0.1817, abs=5e-5)
    assert confidence_width(10_000, 100, bound="bns", c_delta=2).value == pytest.approx(
        bns(10_000, 100, 0.05, c=2), rel=1e-9
    )


def worst_miss(m, tau):
    """Return sup over p of P(|B / m - p| > tau) for B binomial: between breakpoints it is convex.

    Its supremum is approached from below some p where m (p + tau) is whole, or at the mirror image.
    """
    ones = np.arange(1, m + 1)
    p = ones / m - tau
    ones, p = ones[p > 0], p[p > 0]
    low = np.ceil(ones - 2 * m * tau - 1e-9) - 1
    return (binom.sf(ones - 1, m, p) + binom.cdf(low, m, p)).max()


@pytest.mark.parametrize(("m", "k", "beta"), [(1, 1, 0.05), (20, 5, 0.05), (200, 50, 0.2)])
def test_binomial_splitting_has_exact_coverage(m, k, beta):
    width = confidence_width(m * k + k - 1, k, beta, bound="split-binomial").value
    assert worst_miss(m, width + 1e-9) <= beta / k
    assert worst_miss(m, width - 1e-9) > 0.5 * beta / k  # one side is exactly beta / (2 k)
    every_p = np.linspace(0, 1, 2001)
    counts = np.arange(m + 1)[:, None]
    misses = binom.pmf(counts, m, every_p) * (abs(counts / m - every_p) > width + 1e-9)
    assert misses.sum(axis=0).max() <= beta / k
    assert width < confidence_width(m * k, k, beta, bound="split").value


def test_noise_of_the_published_curve_is_too_small():
    # P(the largest of k noises exceeds the noise term), exactly: above beta only at one half.
    n, k, beta = 10_000, 100, 0.05
    found = confidence_width(n, k, beta, bound="mutual-information")
    sigma = found.parameters["sigma"]
    term = sigma * math.sqrt(2 * math.log(4 * k / beta))
    assert -math.expm1(k * math.log1p(-2 * norm.sf(term / sigma))) < beta / 2
    assert -math.expm1(k * math.log1p(-2 * norm.sf(term / 2 / sigma))) > 0.9


@pytest.mark.parametrize("bound", BOUNDS)
def test_parameters_reproduce_the_width(bound):
    found = confidence_width(20_000, 50, bound=bound)
    given = {o: found.parameters[o] for o in BOUNDS[bound].options if o in found.parameters}
    assert confidence_width(20_000, 50, bound=bound, **given).value == pytest.approx(
        found.value, rel=1e-9
    )
    for name, value in given.items():
        for factor in (0.5, 2):
            other = confidence_width(20_000, 50, bound=bound, **{name: value * factor})
            assert other.value > found.value


@pytest.mark.parametrize("bound", BOUNDS)
def test_broadcasts_and_is_monotone(bound):
    n, k = np.array([[3000], [30_000], [300_000]]), np.array([1, 7, 60, 500])
    widths = confidence_width(n, k, bound=bound).value
    assert widths.shape == (3, 4)
    assert (np.diff(widths, axis=0) < 0).all()
    assert (np.diff(widths, axis=1) > 0).all()
    assert widths[1, 2] == confidence_width(30_000, 60, bound=bound).value
    assert (widths < confidence_width(n, k, 0.01, bound=bound).value).all()


def test_many_points_at_once():
    n = np.arange(1000, 2100)
    widths = confidence_width(n, 10, bound="laplace-pure").value
    assert widths.shape == (1100,)
    assert widths[[0, 700]].tolist() == [
        confidence_width(m, 10, bound="laplace-pure").value for m in (1000, 1700)
    ]


@pytest.mark.parametrize("bound", BOUNDS)
def test_counts_are_the_last_and_the_first_that_will_do(bound):
    tau = 0.4
    k = max_queries(1_000_000, tau, bound=bound)
    assert k > 0
    assert confidence_width(1_000_000, k, bound=bound).value <= tau
    assert confidence_width(1_000_000, k + 1, bound=bound).value > tau
    n = samples_needed(k, tau, bound=bound)
    assert n <= 1_000_000
    assert confidence_width(n, k, bound=bound).value <= tau
    assert confidence_width(n - 1, k, bound=bound).value > tau


def test_table_of_answerable_queries():
    n = [100_000, 200_000, 800_000, 1_600_000]
    counts = {b: max_queries(n, 0.1, bound=b) for b in ("split", "jung", "bns", "tanh-gdp")}
    assert counts["split"].dtype == np.int64
    assert counts["split"].tolist() == [219, 411, 1457, 2753]
    assert counts["jung"].tolist() == [153, 561, 7634, 28_395]
    assert counts["bns"].tolist() == [23, 85, 1176, 4399]
    assert (counts["tanh-gdp"] > 40 * counts["jung"]).all()
    assert max_queries(10_000, 0.1) > 3 * max_queries(10_000, 0.1, bound="split")


def test_no_guarantee_is_infinite_and_none_is_made_up():
    for bound in ("split", "split-binomial"):
        assert confidence_width([9, 10], 10, bound=bound).value[0] == math.inf
        assert max_queries(1, 0.1, bound=bound) == 0
    with pytest.raises(ValueError, match=r"'tanh-gdp' reaches tau for no count"):
        samples_needed(10, 0.1, sigma=0.2)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        (dict(n=0), "n must be an integer >= 1; got 0"),
        (dict(n=10.5), "n must be an integer >= 1; got 10.5"),
        (dict(n=math.nan), "n must be finite"),
        (dict(k=[3, -1]), "k must be an integer >= 1; got -1"),
        (dict(beta=0.0), "beta must be a number > 0 and < 1; got 0"),
        (dict(beta=1.0), "beta must be a number > 0 and < 1; got 1"),
        (dict(bound="junk"), "bound must be one of .*'jung'.*; got 'junk'; did you mean 'jung'"),
        (dict(bound="jung", sigma=0.0), "sigma must be a number > 0; got 0"),
        (dict(bound="jung", scale=1.0), "option of bound 'jung' must be one of 'sigma'; got"),
        (dict(bound="description-length", step=1.5), "step must be a number > 0 and <= 1"),
        (dict(bound="bns", c_delta=1.0), "c_delta must be a number >= 1.5"),
    ],
)
def test_bad_input(kwargs, message):
    with pytest.raises(ValueError, match=message):
        confidence_width(**{"n": 100, "k": 2, **kwargs})


@pytest.mark.parametrize("tau", [0.0, 1.0, -0.1, math.nan])
def test_bad_width(tau):
    with pytest.raises(ValueError, match="tau must be a number > 0 and < 1"):
        max_queries(100, tau)
    with pytest.raises(ValueError, match="tau must be a number > 0 and < 1"):
        samples_needed(10, tau)
