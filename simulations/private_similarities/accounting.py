"""What releases guarantee: conversions, calibration and composition, by brute force."""

from __future__ import annotations

import math

import numpy as np
from scipy.integrate import simpson

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost
from theorytk.privacy.composition import advanced_composition, laplace_composed_delta
from theorytk.privacy.conversions import (
    gaussian_delta,
    gaussian_sigma,
    pure_zcdp,
    sharp_zcdp_epsilon,
    zcdp_rho,
)

from .estimates import largest, violations

PAPER = "backurs2024similarities"
DRAWN = Assumption("parameters drawn at random over several orders of magnitude")
MANY = {"quick": dict(replicates=60), "paper": dict(replicates=1000)}

RHOS = {
    "least": pure_zcdp,
    "half square": lambda epsilon: epsilon**2 / 2,
    "bounded range": lambda epsilon: epsilon**2 / 8,
}


def private_pairs(epsilon, outcomes, pairs, rng):
    """Return pairs of laws, each (pairs, outcomes), of epsilon-private releases.

    Every such pair is randomised response followed by random maps; the first pair is
    randomised response itself.
    """
    maps = rng.dirichlet(np.full(outcomes, 0.3), size=(pairs, 2))
    maps[0] = np.eye(2, outcomes)
    response = np.array([[1, math.exp(-epsilon)], [math.exp(-epsilon), 1]])
    response /= response.sum(axis=1)[:, None]
    p, q = np.moveaxis(response @ maps, 1, 0)
    return p, q


def divergence_per_order(p, q):
    """Return the largest Renyi divergence over its order, at many orders from 1 on."""
    kept = np.where(p > 1e-300, p, 1.0), np.where(q > 1e-300, q, 1.0)
    loss = np.log(kept[0] / kept[1])
    found = [(p * loss).sum(axis=1).max()]
    for order in np.geomspace(1.05, 60, 30):
        moments = (p * np.exp((order - 1) * loss)).sum(axis=1)
        found.append(np.log(moments.max()) / (order - 1) / order)
    return max(found)


@experiment(
    "private-similarities/pure-to-zcdp",
    paper=PAPER,
    design=grid(outcomes=[2, 5], pairs=200),
    paired=("bound",),
    columns={"excess": Column("largest divergence over order and bound, less one, in absolute")},
    presets=MANY,
    block=20,
)
def pure_to_zcdp(*, outcomes, pairs, bound="least", rng):
    """Renyi divergences over their orders of random epsilon-private pairs against a bound.

    The bound is the least one or eps^2 / 2, or eps^2 / 8, which is for losses of range eps.
    """
    epsilon = math.exp(rng.uniform(-3, 1.5))
    worst = divergence_per_order(*private_pairs(epsilon, outcomes, pairs, rng))
    return {"excess": abs(worst / RHOS[bound](epsilon) - 1)}


@claim(
    "private-similarities/pure-to-zcdp",
    theorem="derived here (pure_zcdp); Bun, Steinke (2016), Proposition 1.4, prove eps^2 / 2",
    status="ours",
    statement=r"The least $\rho$ for which $\varepsilon$-privacy is $\rho$-zCDP is "
    r"$\varepsilon\tanh(\varepsilon/2)$.",
    experiment=pure_to_zcdp,
    kind="identity",
    region=AtMost(1e-9),
    reason="rounding; randomised response attains the value in the limit of order 1",
    assumptions=(DRAWN, Assumption("orders from 1 to 60")),
    control=(
        Control("eps^2 / 2 taken for the least value", bound="half square"),
        Control("eps^2 / 8, of losses of range eps", bound="bounded range"),
    ),
)
def least_rho(table):
    """Largest relative distance of the largest divergence over its order from the value."""
    return largest(table, "excess")


SIGMAS = {
    "least": gaussian_sigma,
    "classical": lambda epsilon, delta: math.sqrt(2 * math.log(1.25 / delta)) / epsilon,
    "by zCDP": lambda epsilon, delta: (2 * zcdp_rho(epsilon, delta)) ** -0.5,
}


def gaussian_hockey_stick(epsilon, mu):
    """Integrate the positive part of N(mu, 1) - exp(epsilon) N(0, 1)."""
    x = epsilon / mu + mu / 2 + np.linspace(0, 14, 40_001)
    density = np.exp(-((x - mu) ** 2) / 2) / math.sqrt(2 * math.pi)
    return simpson(density * -np.expm1(epsilon - mu * x + mu**2 / 2), x=x)


@experiment(
    "private-similarities/gaussian-calibration",
    paper=PAPER,
    design=grid(),
    paired=("rule",),
    columns={"error": Column("integrated delta over the delta asked for, less one, in absolute")},
    presets=MANY,
    block=60,
)
def gaussian_calibration(*, rule="least", rng):
    """Integrate the delta of Gaussian noise that a rule chose for epsilon and delta."""
    epsilon, delta = math.exp(rng.uniform(-3, 2)), math.exp(rng.uniform(-18, -2))
    sigma = SIGMAS[rule](epsilon, delta)
    return {"error": abs(gaussian_hockey_stick(epsilon, 1 / sigma) / delta - 1)}


@claim(
    "private-similarities/gaussian-calibration",
    theorem="Balle, Wang (2018), Theorem 8",
    statement=r"With $\sigma$ of `gaussian_sigma` the integral of "
    r"$(P-e^\varepsilon P')_+$ is $\delta$: no smaller $\sigma$ would do.",
    experiment=gaussian_calibration,
    kind="identity",
    region=AtMost(1e-6),
    reason="Simpson's rule with 40,000 cells",
    assumptions=(DRAWN, Assumption("continuous noise")),
    control=(
        Control("the classical formula taken for exact", rule="classical"),
        Control("noise by way of zCDP taken for the least", rule="by zCDP"),
    ),
)
def gaussian_is_calibrated(table):
    """Largest relative error of delta."""
    return largest(table, "error")


def laplace_hockey_stick(epsilon, k, scale, steps):
    """Sum the positive part of P - exp(epsilon) P' over all outcomes of k = 1 or 2 releases."""
    y = np.arange(-math.ceil(38 * scale), math.ceil(38 * scale) + steps + 1)
    norm = math.tanh(1 / (2 * scale))
    p, q = (norm * np.exp(-np.abs(y - at) / scale) for at in (0, steps))
    if k == 2:
        p, q = np.outer(p, p), np.outer(q, q)
    return np.maximum(p - math.exp(epsilon) * q, 0).sum()


@experiment(
    "private-similarities/laplace-accounting",
    paper=PAPER,
    design=grid(k=[1, 2], steps=[1, 4]),
    paired=("accounted", "matched"),
    columns={
        "error": Column("the law of the composed delta less the sum over outcomes, in absolute"),
        "gain": Column("delta of continuous noise less the sum over outcomes"),
    },
    presets=MANY,
    block=20,
)
def laplace_accounting(*, k, steps, accounted="discrete", matched="scale", rng):
    """Delta of one or two discrete Laplace releases, `steps` of the grid apart on neighbours.

    It is compared with continuous noise of the same scale, or of the same variance.
    """
    each = rng.uniform(0.5, 2)
    epsilon, scale = rng.uniform(0, 0.95) * k * each, steps / each
    if matched == "variance":
        scale = 1 / (2 * math.asinh(1 / (2 * scale)))
    true = laplace_hockey_stick(epsilon, k, scale, steps)
    counted = steps if accounted == "discrete" else None
    return {
        "error": abs(laplace_composed_delta(steps / scale, k, epsilon, steps=counted) - true),
        "gain": laplace_composed_delta(each, k, epsilon) - true,
    }


@claim(
    "private-similarities/laplace-accounting",
    theorem="derived here (laplace_composed_delta)",
    status="ours",
    statement=r"The least $\delta$ of $k$ discrete Laplace releases is the mean of "
    r"$(1-e^{\varepsilon-L})_+$ over a sum $L$ of losses "
    r"$\varepsilon_0(1-2j/s)$, with $s$ the sensitivity in steps of the grid.",
    experiment=laplace_accounting,
    kind="identity",
    region=AtMost(1e-10),
    reason="rounding of sums of a million outcomes",
    assumptions=(DRAWN, Assumption("one and two releases, where all outcomes can be summed")),
    control=Control("discrete noise accounted as continuous", accounted="continuous"),
)
def laplace_accounted(table):
    """Largest error of delta."""
    return largest(table, "error")


@claim(
    "private-similarities/discrete-is-not-dominated",
    theorem="derived here (laplace_composed_delta)",
    status="ours",
    statement=r"Discrete Laplace noise is never more private than continuous noise of the same "
    r"scale; with a sensitivity of one step, $s=1$, it is randomised response and strictly less "
    "private.",
    experiment=laplace_accounting,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a difference of deltas above 1e-10: rounding",
    assumptions=(DRAWN, Assumption("one and two releases, where all outcomes can be summed")),
    control=Control("noises of the same variance compared", matched="variance"),
)
def not_dominated(table):
    """Share of parameters with which discrete noise has the smaller delta."""
    return violations(table, "gain", 1e-10)


CONVERSIONS = {
    "sharp": sharp_zcdp_epsilon,
    "root without its 2": lambda rho, delta: rho + math.sqrt(2 * rho * math.log(1 / delta)),
}
ADVANCED = {
    "as printed": advanced_composition,
    "root without its 2": lambda epsilon, k, delta: (
        epsilon * math.sqrt(k * math.log(1 / delta)) + k * epsilon * math.expm1(epsilon)
    ),
}


@experiment(
    "private-similarities/zcdp-conversion",
    paper=PAPER,
    design=grid(release=["Gaussian", "randomised response"]),
    paired=("conversion", "bound", "advanced"),
    columns={
        "ratio": Column("least delta at the converted epsilon over the delta asked for"),
        "over_advanced": Column("converted epsilon over that of advanced composition"),
    },
    presets=MANY,
    block=30,
)
def zcdp_conversion(*, release, conversion="sharp", bound="least", advanced="as printed", rng):
    """Compose k randomised responses, or take the Gaussian of equal rho, and convert.

    `bound` is the rho of one randomised response.
    """
    each, k = math.exp(rng.uniform(-4, 0)), int(rng.integers(1, 60))
    delta = 10 ** rng.uniform(-6, -2)
    rho = k * RHOS[bound](each)
    epsilon = CONVERSIONS[conversion](rho, delta)
    if release == "Gaussian":
        true = float(gaussian_delta(epsilon, math.sqrt(2 * k * pure_zcdp(each))))
    else:
        true = laplace_composed_delta(each, k, epsilon, steps=1)
    return {"ratio": true / delta, "over_advanced": epsilon / ADVANCED[advanced](each, k, delta)}


@claim(
    "private-similarities/zcdp-conversion",
    theorem="Canonne, Kamath, Steinke (2020), Corollary 13",
    statement=r"Releases that are $\rho$-zCDP together are $(\varepsilon,\delta)$-private with "
    r"$\varepsilon$ of `sharp_zcdp_epsilon`.",
    experiment=zcdp_conversion,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a delta larger by a share of 1e-8: rounding",
    assumptions=(DRAWN, Assumption("Gaussian noise and randomised response, known exactly")),
    control=(
        Control("2 sqrt(rho ln(1/delta)) without one root of 2", conversion="root without its 2"),
        Control("eps^2 / 8 for each release, of losses of range eps", bound="bounded range"),
    ),
)
def conversion_is_valid(table):
    """Share of parameters with a larger delta."""
    return violations(table, "ratio", 1 + 1e-8)


@claim(
    "private-similarities/advanced-composition",
    theorem="derived here (pure_zcdp); Dwork, Rothblum, Vadhan (2010), Theorem III.3",
    status="ours",
    statement=r"For $k$ releases of $\varepsilon_0$-privacy zCDP never gives more than advanced "
    r"composition, $\varepsilon_0\sqrt{2k\ln(1/\delta)}+k\varepsilon_0(e^{\varepsilon_0}-1)$.",
    experiment=zcdp_conversion,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is an epsilon larger by a share of 1e-8: rounding",
    assumptions=(DRAWN,),
    control=Control("advanced composition without its root of 2", advanced="root without its 2"),
)
def advanced_is_no_better(table):
    """Share of parameters with which advanced composition gives less."""
    return violations(table, "over_advanced", 1 + 1e-8)
