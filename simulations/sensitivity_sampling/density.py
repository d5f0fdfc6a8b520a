"""Reweighted leverage scores above p = 2: change of density, its flattening, and the mixture."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, violations_estimate
from theorytk.sensitivity.leverage import leverage_scores
from theorytk.sensitivity.lewis import lewis_weights
from theorytk.sensitivity.sampling import flattened_scores
from theorytk.sensitivity.sensitivities import sensitivities
from theorytk.sensitivity.theory import flattening_bound, mixture_density_bound

from .common import FULL_RANK, PAPER, random_matrix

RANK = Assumption(FULL_RANK)
REASON = "a violation is a ratio above 1 + 1e-8: the width of the certified intervals, 1e-9"
DENSITIES = {
    "sensitivity": lambda A, sigma, p: sigma,
    "uniform": lambda A, sigma, p: np.ones(len(A)),
    "leverage": lambda A, sigma, p: leverage_scores(A),
    "mixture": lambda A, sigma, p: sigma / sigma.sum() + lewis_weights(A, p).weights / A.shape[1],
}


@experiment(
    "sensitivity-sampling/density",
    paper=PAPER,
    design=grid(p=[2.5, 4, 8], density="sensitivity"),
    paired=("density",),
    columns={
        "family": Column("family of the random matrix", dtype="str"),
        "over_total": Column("largest reweighted leverage score over mu, over the total"),
        "over_mixture": Column("the same over its bound for the mixture with Lewis weights"),
    },
    presets={"quick": dict(replicates=100), "paper": dict(replicates=1000)},
    block=50,
)
def density(*, p, density, rng):
    """Leverage scores of diag(mu)^(1/2 - 1/p) A over mu, for mu = sigma / S or another density."""
    family, A = random_matrix(rng)
    found = sensitivities(A, p)
    largest = flattened_scores(A, DENSITIES[density](A, found.values, p), p, rounds=0).bounds[0]
    return {
        "family": family,
        "over_total": largest / found.total,
        "over_mixture": largest / mixture_density_bound(A.shape[1]),
    }


def violations(ratios):
    """Return the share of ratios that exceed 1 by more than rounding."""
    return violations_estimate(int((ratios > 1 + 1e-8).sum()), len(ratios))


@claim(
    "sensitivity-sampling/change-of-density",
    theorem="entropy estimates (appendix); derived again here",
    statement=r"For $p>2$ and $\mu_i=\sigma_i/\mathfrak S$ the leverage scores of "
    r"$\mathrm{diag}(\mu)^{1/2-1/p}A$ are at most $\mathfrak S\mu_i$: the step behind "
    r"$\mathfrak S^{2-2/p}$ rows.",
    experiment=density,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(RANK,),
    control=(
        Control("all rows alike", density="uniform"),
        Control("leverage scores in the place of the sensitivities", density="leverage"),
    ),
)
def change_of_density(table):
    """Share of instances with a larger leverage score."""
    return violations(table["over_total"])


@claim(
    "sensitivity-sampling/lewis-mixture",
    theorem="derived here (mixture_density_bound)",
    status="ours",
    statement=r"For $p>2$ and $\mu=\frac12(\sigma/\mathfrak S+w/d)$, $w$ the Lewis weights, the "
    r"leverage scores of $\mathrm{diag}(\mu)^{1/2-1/p}A$ are at most $2d\mu_i$, which puts "
    r"$d\,\mathfrak S^{1-2/p}$ in the place of $\mathfrak S^{2-2/p}$ and of $d^{p/2}$: an order "
    r"of rows that is never above either.",
    experiment=density,
    at=dict(density="mixture"),
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(RANK, Assumption("the order of rows itself is not tested here")),
    control=(
        Control("sensitivities alone", density="sensitivity"),
        Control("all rows alike", density="uniform"),
    ),
)
def lewis_mixture(table):
    """Share of instances with a leverage score above its bound."""
    return violations(table["over_mixture"])


@experiment(
    "sensitivity-sampling/flattening",
    paper=PAPER,
    design=grid(p=[2.5, 4, 8], rounds=4, bound="proved"),
    paired=("bound",),
    columns={
        "family": Column("family of the random matrix", dtype="str"),
        "ratio": Column("largest ratio of the density B after a round to its bound"),
    },
    presets={"quick": dict(replicates=100), "paper": dict(replicates=1000)},
    block=50,
)
def flattening(*, p, rounds, bound, rng):
    """Densities B = max tau_i(diag(mu)^(1/2 - 1/p) A) / mu_i along rounds of flattening.

    They start from mu = sigma / S; a round mixes mu with the leverage scores. The bound is the
    proved one, or it is read without its factor 2 or as the rank.
    """
    family, A = random_matrix(rng)
    found = flattened_scores(A, sensitivities(A, p).values, p, rounds=rounds).bounds
    allowed = np.array([flattening_bound(b, A.shape[1], p) for b in found[:-1]])
    wrong = {"proved": allowed, "without the 2": allowed / 2, "rank": A.shape[1]}
    return {"family": family, "ratio": np.max(found[1:] / wrong[bound])}


@claim(
    "sensitivity-sampling/flattening",
    theorem="abstract (leverage scores and sensitivities together); derived here",
    status="ours",
    statement=r"For $p>2$ let $B(\mu)=\max_i\tau_i/\mu_i$ with the leverage scores $\tau$ of "
    r"$\mathrm{diag}(\mu)^{1/2-1/p}A$. Replacing $\mu$ by $\frac12(\mu+\tau/d)$ gives "
    r"$B\le2d^{2/p}B_{\mathrm{old}}^{1-2/p}$: from $\mu=\sigma/\mathfrak S$ the "
    r"$d^{2/p}\mathfrak S^{1-2/p}$ behind the rate of the paper after one round, and order $d$ "
    r"after many.",
    experiment=flattening,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a ratio above 1 + 1e-8: rounding",
    assumptions=(RANK,),
    control=(
        Control("the factor 2 forgotten", bound="without the 2"),
        Control("one round taken to reach the rank, as Lewis weights do", bound="rank"),
    ),
)
def flattening_bounded(table):
    """Share of instances with a larger density after some round."""
    return violations(table["ratio"])
