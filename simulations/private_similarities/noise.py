"""Noise on a real computer: its exact laws, the grid it lives on, and what floats betray."""

from __future__ import annotations

import math
import warnings

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, distribution_distance_estimate
from theorytk.privacy.audit_sampling import granularity_audit
from theorytk.privacy.noise import (
    PrivacyWarning,
    discrete_gaussian,
    discrete_laplace,
    noise_variance,
    quantise,
    release,
)

from .estimates import means, violations

PAPER = "backurs2024similarities"
FIXED = Assumption("one small and one large scale; the samplers take any rational one")
GENERATOR = Assumption("random words of a generator taken for independent fair bits", checked=False)
SMALL = {"laplace": 0.7, "gaussian": 0.5}
EXACT = {"laplace": discrete_laplace, "gaussian": discrete_gaussian}


def continuous(kind, scale, size, rng):
    """Return floating-point noise of a kind."""
    draw = rng.laplace if kind == "laplace" else rng.normal
    return draw(scale=scale, size=size)


def two_zeros(kind, scale, size, rng):
    """Return integer noise of random sign, in which +0 and -0 both count."""
    noise = np.abs(EXACT[kind](scale, 8 * size, rng))
    # Exact magnitudes hold 0 once: it is kept always, the others half as often.
    return noise[(noise == 0) | (rng.random(len(noise)) < 0.5)][:size] * rng.choice([-1, 1], size)


SAMPLERS = {
    "exact": lambda kind, scale, size, rng: EXACT[kind](scale, size, rng),
    "rounded": lambda *args: np.rint(continuous(*args)),
    "floored": lambda *args: np.floor(continuous(*args)),
    "two zeros": two_zeros,
}


@experiment(
    "private-similarities/noise-draws",
    paper=PAPER,
    design=grid(kind=list(SMALL), batch=500),
    paired=("sampler",),
    columns={"value": Column("integer noise plus a uniform number, whose law is continuous")},
    presets={"quick": dict(replicates=100), "paper": dict(replicates=400)},
    block=25,
    algorithm="sampler",
)
def noise_draws(*, kind, batch, sampler="exact", rng):
    """Integer noise of scale 0.7 (Laplace) or sigma 0.5 (Gaussian).

    The algorithm is ``sampler(kind, scale, size, rng) -> integers``, shape (size,).
    """
    draw = SAMPLERS.get(sampler, sampler)
    return {"value": draw(kind, SMALL[kind], batch, rng) + rng.random(batch)}


def integer_law(kind):
    """Return the distribution function of integer noise plus a uniform number."""
    y = np.arange(-40, 41)
    ratio = y / SMALL[kind]
    weights = np.exp(-np.abs(ratio) if kind == "laplace" else -(ratio**2) / 2)
    levels = np.append(0, np.cumsum(weights / weights.sum()))
    return lambda x: np.interp(x, np.arange(-40, 42), np.minimum(levels, 1))


@claim(
    "private-similarities/discrete-noise-law",
    theorem="Canonne, Kamath, Steinke (2020), Algorithms 2 and 3",
    statement=r"The samplers in integer arithmetic have the laws $P(y)\propto e^{-|y|/b}$ and "
    r"$P(y)\propto e^{-y^2/(2\sigma^2)}$ on the integers.",
    experiment=noise_draws,
    region=AtMost(0, margin=0.02),
    reason="the laws are exact; the margin is what 50,000 draws resolve",
    assumptions=(FIXED, GENERATOR),
    control=(
        Control("continuous noise rounded to integers", sampler="rounded"),
        Control("continuous noise rounded down", sampler="floored"),
        Control("zero drawn with either sign", sampler="two zeros"),
    ),
)
def discrete_law(table):
    """Distance of distribution functions, per kind; a uniform number makes them continuous."""
    groups = table.groupby("kind")
    return {
        k: distribution_distance_estimate(g["value"].to_numpy(), integer_law(k)) for k, g in groups
    }


@experiment(
    "private-similarities/noise-squares",
    paper=PAPER,
    design=grid(kind=list(SMALL), scale=[1, 40], batch=5000),
    paired=("law",),
    columns={"ratio": Column("mean square of the noise over its law")},
    presets={"quick": dict(replicates=50), "paper": dict(replicates=200)},
    block=25,
)
def noise_squares(*, kind, scale, batch, law="discrete", rng):
    """Mean square of integer noise over its variance, or over that of continuous noise."""
    noise = EXACT[kind](scale, batch, rng)
    plain = scale**2 * (2 if kind == "laplace" else 1)
    variance = noise_variance(scale, kind) if law == "discrete" else plain
    return {"ratio": np.mean(noise**2.0) / variance}


@claim(
    "private-similarities/noise-variance",
    theorem="derived here (noise_variance)",
    status="ours",
    statement=r"Discrete Laplace noise has the variance $1/(2\sinh^2(1/(2b)))$, below $2b^2$; "
    r"discrete Gaussian noise that of its series, $\sigma^2$ for large $\sigma$.",
    experiment=noise_squares,
    region=Between(1, 1, margin=0.05),
    reason="the law is exact; the margin is what 250,000 draws resolve",
    assumptions=(FIXED, GENERATOR),
    control=Control("the variance of continuous noise of the same scale", law="continuous"),
)
def variance_is_exact(table):
    """Mean ratio, per kind and scale."""
    return means(table, "ratio", ["kind", "scale"])


@experiment(
    "private-similarities/quantised-sums",
    paper=PAPER,
    design=grid(bits=[4, 10], n=50),
    paired=("rounded",),
    columns={"change": Column("largest change of the sum by one point, over the sensitivity")},
    presets={"quick": dict(replicates=60), "paper": dict(replicates=1000)},
    block=60,
)
def quantised_sums(*, bits, n, rounded="each", rng):
    """Change of a sum on the grid, in steps, when a point is added; each contributes at most 1/3.

    The sensitivity is that of one rounded contribution; `rounded` "total" rounds the sum instead.
    """
    x = rng.random((40, n + 1)) / 3
    x[:, -1] = 1 / 3
    parts = [x[:, :-1], x] if rounded == "each" else [x[:, :-1].sum(axis=1), x.sum(axis=1)]
    sums = [quantise(part, bits).reshape(40, -1).sum(axis=1) for part in parts]
    return {"change": (sums[1] - sums[0]).max() / quantise(1 / 3, bits)}


@claim(
    "private-similarities/quantised-sensitivity",
    theorem="derived here (quantise)",
    status="ours",
    statement=r"If each contribution is rounded to the grid before the sum, the sum on the grid "
    r"has the sensitivity of one rounded contribution, $\mathrm{round}(\Delta2^b)$ steps; "
    "a rounded sum can change by one step more.",
    experiment=quantised_sums,
    kind="refutable",
    region=AtMost(0),
    reason="integers: a violation is a change of at least one step more",
    assumptions=(Assumption("contributions of at most 1/3, which no grid holds"),),
    control=Control("the sum rounded once, at the end", rounded="total"),
)
def sensitivity_is_exact(table):
    """Share of instances in which a sum changes by more."""
    return violations(table, "change", 1)


def float_sums(value, kind, size, rng):
    """Return a true value plus floating-point noise of scale 1, many times."""
    return value + continuous(kind, 1.0, size, rng)


@experiment(
    "private-similarities/last-bits",
    paper=PAPER,
    design=grid(kind=list(SMALL), value=[0.3, 0.6, 1, 3, 40], batch=2000),
    paired=("spacing",),
    columns={"betrayed": Column("share of sums that are no multiples of the spacing")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
)
def last_bits(*, kind, value, batch, spacing="binade", rng):
    """Sums of a true value and floating-point noise of scale 1 as multiples of a spacing.

    It is 2^(e - 53) for a true value from 2^e on, or 2^-53 always, or the last bit of the value.
    """
    e = math.floor(math.log2(value))
    step = 2.0 ** {"binade": e - 53, "fixed": -53, "last bit": e - 52}[spacing]
    return {"betrayed": np.mean(float_sums(value, kind, batch, rng) % step != 0)}


@claim(
    "private-similarities/granularity-binade",
    theorem="derived here (granularity_audit), after Mironov (2012)",
    status="ours",
    statement=r"The sum of floating-point noise and a true value from $2^e$ up to $2^{e+1}$ is a "
    r"multiple of $2^{e-53}$, always; with the true value 0 it need not be.",
    experiment=last_bits,
    kind="refutable",
    region=AtMost(0),
    reason="an exact property of binary floating-point numbers",
    assumptions=(Assumption("IEEE 754 double precision, rounding to nearest", checked=False),),
    control=(
        Control("the spacing 2^-53, right for true values from 1 on, kept", spacing="fixed"),
        Control("the last bit of the true value", spacing="last bit"),
    ),
)
def multiples(table):
    """Share of batches in which a sum is no multiple."""
    return violations(table, "betrayed", 0)


@experiment(
    "private-similarities/granularity",
    paper=PAPER,
    design=grid(kind=list(SMALL), value=[0.3, 1, 3], n=4000),
    paired=("noise", "spacing"),
    columns={
        "certified": Column("epsilon certified at confidence 0.999"),
        "missed": Column("1 if the audit passes, else 0"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
)
def granularity(*, kind, value, n, noise="float", spacing="binade", rng):
    """Audit of the last bits of noise of scale `value`, and sensitivity as large: loss 1 or 1/2.

    The grid of discrete noise has step 2^-32.
    """
    true = np.repeat([[0], [int(quantise(value, 32))]], n, axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PrivacyWarning)
        values = release(true, value, bits=32, rng=rng, kind=kind, noise=noise)
    step = 2.0 ** (math.floor(math.log2(value)) - 53 if spacing == "binade" else -53)
    found = granularity_audit(values[0], values[1], claimed=1, spacing=step)
    return {"certified": found.certified, "missed": float(not found.violated)}


@claim(
    "private-similarities/float-granularity",
    theorem="Mironov (2012); the event derived here (granularity_audit)",
    status="ours",
    statement=r"Floating-point Laplace and Gaussian noise of one unit is caught: the last bits of "
    r"4000 releases certify more than $\varepsilon=1$, whatever the true value. "
    "Integer noise on a grid is not caught.",
    experiment=granularity,
    kind="refutable",
    region=AtMost(0),
    reason="a sum betrays with probability above 0.1: none of 20 audits misses it",
    assumptions=(Assumption("the samplers of this generator", checked=False),),
    control=(
        Control("integer noise on a grid", noise="discrete"),
        Control("the spacing 2^-53, right for true values from 1 on, kept", spacing="fixed"),
    ),
)
def floats_are_caught(table):
    """Share of audits that pass floating-point noise."""
    return violations(table, "missed", 0)


@experiment(
    "private-similarities/finest-bits",
    paper=PAPER,
    design=grid(noise=["float", "discrete"], value=[0, 1], batch=4000),
    columns={
        "bits": Column("exponent b of the grid 2^-b", dtype="int"),
        "finer": Column("share of releases that are no multiples of 2^-b"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
)
def finest_bits(*, noise, value, batch, rng):
    """How fine the last bits of a release with Laplace noise of scale 1 are; grid of 2^-32."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PrivacyWarning)
        sums = release(np.full(batch, value << 32), 1.0, bits=32, rng=rng, noise=noise)
    return [{"bits": b, "finer": np.mean(sums % 2.0**-b != 0)} for b in range(24, 64, 2)]
