"""The samplers against exact laws, a reference on the same random words, and their own tree."""

import itertools
import math
import os
from collections import defaultdict
from fractions import Fraction

import numba
import numpy as np
import pytest
from scipy.stats import chi2, norm

from theorytk.privacy import _noise_kernels
from theorytk.privacy.noise import (
    PrivacyWarning,
    discrete_gaussian,
    discrete_laplace,
    float_gaussian,
    float_laplace,
    noise_variance,
    quantise,
    release,
)

FALSE_ALARM = 1e-6
SCALES = [
    Fraction(1),
    Fraction(3, 2),
    Fraction(1, 7),
    Fraction(100),
    Fraction(0.1),
    Fraction(10**15 + 1, 7),
    Fraction(2**57 - 1, 2**61),
    Fraction(2**57),
]


class NeedChoiceError(Exception):
    """The sampler asks for an integer below this number."""


class RejectedError(Exception):
    """The sampler starts again."""


def exponential_event(factors, uniform):
    """Return True with probability exp(-product of a / n)."""
    k = 1
    while all(uniform(n) < a for a, n in [(1, k), *factors]):
        k += 1
    return k % 2 == 1


def laplace(scale, uniform, event=exponential_event):
    """Algorithm 2 of Canonne, Kamath, Steinke in Python's integers."""
    t, s = scale.numerator, scale.denominator
    while True:
        u = uniform(t)
        if not event([(u, t)], uniform):
            continue
        v = 0
        while event([], uniform):
            v += 1
        y = math.floor((u + t * v) / Fraction(s))
        if uniform(2) == 0:
            return y
        if y:
            return -y


def gaussian(scale, uniform, event=exponential_event):
    """Keep a Laplace y with probability exp(-(|y| / scale - 1)^2 / 2), by its digits in base 1."""
    t = scale.numerator
    while True:
        y = laplace(scale, uniform, event)
        whole, rest = divmod(abs(abs(y) / scale - 1), 1)
        part = (int(rest * t), t)
        factors = [[part, part, (1, 2)]]
        factors += [[(1, 2)]] * int(whole) ** 2 + [[part]] * int(whole)
        if all(event(each, uniform) for each in factors):
            return y


def seeded_bits(seed, count=50_000):
    """Return the source of uniform integers that the kernels use: bits of a generator's words."""
    words = np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64)
    bits = iter("".join(f"{word:064b}" for word in words.tolist()))

    def uniform(n):
        if n == 1:
            return 0
        while True:
            value = int("".join(itertools.islice(bits, (n - 1).bit_length())), 2)
            if value < n:
                return value

    return uniform


PAIRS = [(discrete_laplace, laplace), (discrete_gaussian, gaussian)]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("ours", "reference"), PAIRS)
def test_same_bits_give_the_integers_of_the_reference(ours, reference, scale):
    uniform = seeded_bits(5)
    expected = [reference(scale, uniform) for _ in range(60)]
    assert ours(scale, 60, 5).tolist() == expected


def branches(run, least):
    """Yield (probability, result) of every way through `run(choose)` that is not less likely."""
    stack = [((), 1.0)]
    while stack:
        path, probability = stack.pop()
        left = iter(path)

        def choose(probabilities, left=left):
            for choice in left:
                return choice
            raise NeedChoiceError(probabilities)

        try:
            yield probability, run(choose)
        except RejectedError:
            continue
        except NeedChoiceError as wanted:
            (probabilities,) = wanted.args
            likely = [(i, probability * p) for i, p in enumerate(probabilities)]
            stack += [((*path, i), p) for i, p in likely if p >= least]


@pytest.mark.parametrize("factors", [[], [(1, 3)], [(2, 3), (1, 3)], [(2, 3), (2, 3), (1, 2)]])
def test_event_has_the_probability_of_the_exponential(factors):
    def run(choose):
        return exponential_event(factors, lambda n: choose([1 / n] * n))

    decided = list(branches(run, 1e-6))
    happens = sum(probability for probability, event in decided if event)
    open_ = 1 - sum(probability for probability, _ in decided)
    assert open_ < 0.01
    exact = math.exp(-math.prod(a / n for a, n in factors))
    assert happens - 1e-12 <= exact <= happens + open_ + 1e-12


@pytest.mark.parametrize("scale", [Fraction(1), Fraction(3, 2), Fraction(5, 3), Fraction(1, 2)])
@pytest.mark.parametrize(("sampler", "power"), [(laplace, 1), (gaussian, 2)])
def test_reference_has_the_exact_law(sampler, power, scale):
    def run(choose):
        rounds = []

        def uniform(n):
            rounds.append(n)
            if n == scale.numerator and rounds.count(n) > 1:
                raise RejectedError
            return choose([1 / n] * n)

        def event(factors, _):
            happens = math.exp(-math.prod(a / n for a, n in factors))
            return bool(choose([1 - happens, happens]))

        return sampler(scale, uniform, event)

    law = defaultdict(float)
    for probability, y in branches(run, 1e-12):
        law[y] += probability
    total = sum(law.values())
    weights = {y: math.exp(-((abs(y) / scale) ** power) / power) for y in range(-60, 61)}
    for y, weight in weights.items():
        assert law[y] / total == pytest.approx(weight / sum(weights.values()), abs=1e-8)


def laplace_cdf(y, scale):
    """Return P(Y <= y) of the discrete Laplace law at integers."""
    ratio = math.exp(-1 / float(scale))
    tail = np.exp(-np.abs(np.where(y < 0, y, y + 1)) / float(scale)) / (1 + ratio)
    return np.where(y < 0, tail, 1 - tail)


def gaussian_cdf(y, scale):
    """Return P(Y <= y) of the discrete Gaussian law at integers."""
    sigma = float(scale)
    if sigma > 50:
        return norm.cdf((y + 0.5) / sigma)
    support = np.arange(-math.ceil(40 * sigma) - 1, math.ceil(40 * sigma) + 2)
    weights = np.exp(-((support / sigma) ** 2) / 2)
    cumulative = np.cumsum(weights) / weights.sum()
    return cumulative[np.searchsorted(support, y)]


@pytest.mark.parametrize("scale", [Fraction(1, 3), 1, 3.7, 1000, Fraction(2**45 + 1, 3)])
@pytest.mark.parametrize(
    ("ours", "cdf"), [(discrete_laplace, laplace_cdf), (discrete_gaussian, gaussian_cdf)]
)
def test_frequencies_fit_the_exact_law(ours, cdf, scale):
    n = 100_000
    sample = ours(scale, n, 11)
    width = math.ceil(float(scale) / 4)
    edges = np.arange(-12, 13) * width
    probabilities = np.diff(cdf(edges, scale), prepend=0.0, append=1.0)
    counts = np.bincount(np.searchsorted(edges, sample), minlength=len(edges) + 1)
    common = probabilities * n >= 10
    observed = np.append(counts[common], counts[~common].sum())
    expected = n * np.append(probabilities[common], probabilities[~common].sum())
    rare = expected < 1e-9
    assert not observed[rare].any()
    likelihood = observed[~rare] * np.log(np.maximum(observed[~rare], 1) / expected[~rare])
    degrees = int((~rare).sum()) - 1
    assert degrees >= 2
    assert chi2.sf(2 * likelihood.sum(), degrees) > FALSE_ALARM


@pytest.mark.parametrize("kind", ["laplace", "gaussian"])
@pytest.mark.parametrize("scale", [0.05, 0.4, 1.0, 3.9, 4.1, 30.0])
def test_variance_is_the_sum_over_the_law(kind, scale):
    y = np.arange(1, 3000)
    weights = np.exp(-y / scale if kind == "laplace" else -((y / scale) ** 2) / 2)
    exact = 2 * (y**2 @ weights) / (1 + 2 * weights.sum())
    assert noise_variance(scale, kind) == pytest.approx(exact, rel=1e-11)


@pytest.mark.parametrize("ours", [discrete_laplace, discrete_gaussian])
def test_sample_variance(ours):
    kind = ours.__name__.removeprefix("discrete_")
    for scale in (0.5, 2**40 + 0.5):
        sample = ours(scale, 100_000, 3) / scale
        variance = noise_variance(scale, kind) / scale**2
        error = math.sqrt(np.mean(sample**4) / len(sample))
        assert abs(np.mean(sample**2) - variance) < 5.5 * error


@pytest.mark.parametrize(("ours", "reference"), PAIRS)
def test_one_integer_however_many_more_are_drawn(ours, reference):
    # Single samples often run out of the bits first drawn and must go on with the next.
    for seed in range(150):
        first = reference(Fraction(7, 3), seeded_bits(seed, 500))
        assert ours(Fraction(7, 3), 1, seed).tolist() == [first]
        assert ours(Fraction(7, 3), (2, 5), seed)[0, 0] == first


@pytest.mark.parametrize("ours", [discrete_laplace, discrete_gaussian])
def test_generators_go_on(ours):
    rng = np.random.default_rng(8)
    assert ours(10**6, 20, rng).tolist() == ours(10**6, 20, 8).tolist()
    assert ours(10**6, 20, rng).tolist() != ours(10**6, 20, 8).tolist()
    assert ours(3, 0, rng).shape == (0,)


def test_without_rng_words_come_from_the_operating_system(monkeypatch):
    first, second = discrete_laplace(10**6, 20), discrete_laplace(10**6, 20)
    assert first.tolist() != second.tolist()
    rng = np.random.default_rng(4)

    def urandom(size):
        return rng.integers(0, 2**64, size // 8, dtype=np.uint64).tobytes()

    monkeypatch.setattr(os, "urandom", urandom)
    assert discrete_laplace(10**6, 20).tolist() == discrete_laplace(10**6, 20, 4).tolist()


def test_kernels_hold_no_floating_point_instruction():
    words, integers = numba.uint64[::1], numba.int64[::1]
    compiled = numba.njit(_noise_kernels.gaussian.py_func)
    compiled.compile((*[numba.int64] * 4, words, integers))
    code = "".join(compiled.inspect_llvm().values())
    assert "i64" in code
    assert "double" not in code
    assert "float" not in code


@pytest.mark.parametrize(("multiples", "fits"), [(63, True), (64, False)])
def test_a_multiple_that_does_not_fit_raises(multiples, fits):
    t = 2**57
    # u = 0 passes with 57 more zeros; bits 0, 01 end an event at k = 3 (a multiple), 1 at k = 2.
    bits = "0" * 114 + "001" * multiples + "1" + "0"
    starts = range(0, len(bits), 64)
    words = np.array([int(bits[i : i + 64].ljust(64, "0"), 2) for i in starts], np.uint64)
    out, at, done = (np.zeros(1, np.int64) for _ in range(3))
    one = np.ones(1, np.int64)
    arguments = (False, t * one, one, one, words, at, out, done)
    if fits:
        _noise_kernels.fill(*arguments)
        assert out[0] == t * multiples
    else:
        with pytest.raises(OverflowError):
            _noise_kernels.fill(*arguments)


def test_release_adds_integer_steps():
    sums = quantise([[0.3, -2.0], [0.26, 1.0]], 8).sum(axis=0)
    assert sums.tolist() == [77 + 67, -512 + 256]
    for kind, draw in (("laplace", discrete_laplace), ("gaussian", discrete_gaussian)):
        noisy = release(sums, Fraction(1, 3), bits=8, rng=2, kind=kind)
        expected = (sums + draw(Fraction(256, 3), 2, 2)) / 256
        assert noisy.tolist() == expected.tolist()


@pytest.mark.parametrize("kind", ["laplace", "gaussian"])
def test_groups_have_scales_of_their_own(kind):
    # Chi-squared tests of the exact laws of three groups, in many rows at once.
    scales, bits, sizes = [1.5, Fraction(1, 3), 4], [0, 3, 1], [2, 1, 3]
    rows = np.tile(np.arange(6), (20_000, 1))
    noisy = release(rows, scales, bits=bits, rng=6, kind=kind, sizes=sizes)
    start = 0
    for scale, b, size in zip(scales, bits, sizes, strict=True):
        steps = noisy[:, start : start + size] * 2**b - rows[:, start : start + size]
        start += size
        y = np.arange(-60, 61)
        exponent = np.abs(y) / (float(scale) * 2**b)
        law = np.exp(-exponent if kind == "laplace" else -(exponent**2) / 2)
        law /= law.sum()
        expected = steps.size * law
        common = expected > 10
        seen = np.array([(steps == value).sum() for value in y[common]])
        rest = steps.size - seen.sum(), steps.size - expected[common].sum()
        square = ((seen - expected[common]) ** 2 / expected[common]).sum()
        square += (rest[0] - rest[1]) ** 2 / rest[1]
        assert chi2.sf(square, common.sum()) > FALSE_ALARM


def test_a_group_is_drawn_as_it_would_be_alone():
    words = release(np.zeros((3, 4), int), [2.5, 2.5], bits=[3, 3], rng=1, sizes=[1, 3])
    assert words.tolist() == release(np.zeros((3, 4), int), 2.5, bits=3, rng=1).tolist()
    empty = release(np.zeros((2, 3), int), [1.0, 7.0, 2.5], bits=[0, 0, 3], rng=1, sizes=[0, 0, 3])
    assert empty.tolist() == release(np.zeros((2, 3), int), 2.5, bits=3, rng=1).tolist()


def test_floating_point_noise_warns():
    sums = np.arange(5)
    with pytest.warns(PrivacyWarning, match="discrete samplers"):
        noisy = release(sums, 0.5, bits=2, rng=2, noise="float")
    assert np.allclose(noisy, sums / 4 + np.random.default_rng(2).laplace(scale=0.5, size=5))
    with pytest.warns(PrivacyWarning):
        assert float_laplace(2.0, 3, 1) == pytest.approx(np.random.default_rng(1).laplace(0, 2, 3))
    with pytest.warns(PrivacyWarning):
        assert float_gaussian(2.0, 3, 1) == pytest.approx(np.random.default_rng(1).normal(0, 2, 3))


@pytest.mark.parametrize("scale", [0, -1, -0.5, Fraction(-1, 2), math.nan, math.inf])
def test_scale_out_of_range(scale):
    for draw, name in ((discrete_laplace, "scale"), (discrete_gaussian, "sigma")):
        with pytest.raises(ValueError, match=f"{name} must be a number > 0; got"):
            draw(scale, 3)


@pytest.mark.parametrize("scale", ["1", None, True, 1j])
def test_scale_that_is_no_number(scale):
    with pytest.raises(TypeError, match="scale must be a number > 0"):
        discrete_laplace(scale, 3)


def test_what_does_not_fit_into_64_bits():
    for scale in (2**57 + 1, Fraction(1, 2**62 + 1)):
        with pytest.raises(OverflowError, match=r"t <= 2\^57 and s <= 2\^62"):
            discrete_laplace(scale, 3)
    with pytest.raises(OverflowError, match=r"2\^62 steps of 2\^-40"):
        quantise([2.0**22], 40)
    top = np.array([2**63 - 1, -(2**63)] * 20)
    with pytest.raises(OverflowError, match="leaves 64 bits"):
        release(top, 100, bits=0, rng=0)


def test_bad_arguments_of_a_release():
    with pytest.raises(TypeError, match="values must be an array of integers"):
        release([0.5], 1, bits=4, rng=0)
    with pytest.raises(
        ValueError, match="kind must be one of 'laplace', 'gaussian'; got 'lapalce'"
    ):
        release([1], 1, bits=4, rng=0, kind="lapalce")
    with pytest.raises(ValueError, match="noise must be one of 'discrete', 'float'"):
        release([1], 1, bits=4, rng=0, noise="none")
    with pytest.raises(ValueError, match="bits must be an integer >= 0 and <= 56; got 57"):
        release([1], 1, bits=57, rng=0)
    with pytest.raises(ValueError, match=r"sizes must add up to the last axis .*; got \[1, 1\]"):
        release([1, 2, 3], [1.0, 1.0], bits=[0, 0], rng=0, sizes=[1, 1])
    assert release(3, 1, bits=0, rng=0).shape == ()
    with pytest.raises(ValueError, match="as many entries as scale and bits, 1 and 2"):
        release([1, 2], [1.0], bits=[0, 0], rng=0, sizes=[1, 1])
    with pytest.raises(ValueError, match="contributions must be finite"):
        quantise([math.nan], 3)
