"""What neighbours lose, by enumeration: every mechanism is exactly as noisy as it must be."""

from __future__ import annotations

import itertools

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate
from theorytk.privacy.hat import HierarchicalHat, hat_loss_supremum
from theorytk.privacy.squared_distance import squared_distance

from .common import LINES, PAPER

DETERMINISTIC = {"quick": dict(replicates=1), "paper": dict(replicates=1)}
CELL_ENDS = Assumption("points of a finite grid, where the largest loss is attained")
REASON = "points are whole multiples of 2^-32 of their range, and scales 1e-12 larger than exact"
LEFT_ENDS = 2.0**-32


def budget(kind):
    """Return the budget 1 of pure privacy or of zCDP."""
    return {"epsilon": 1.0} if kind == "pure" else {"rho": 1.0}


def largest_loss(mechanism, points, neighbours):
    """Return the largest privacy loss over points, or over pairs of points."""
    if neighbours == "add_remove":
        return float(mechanism.privacy_loss(points).max())
    first, second = np.array(list(itertools.combinations(range(len(points)), 2))).T
    return float(mechanism.privacy_loss(points[first], points[second]).max())


def cell_ends(levels):
    """Return both ends of every cell; the right one is the last point of its cell."""
    left = np.arange(2**levels) / 2**levels
    return np.concatenate([left, left[1:] - LEFT_ENDS, [1.0]])


@experiment(
    "private-similarities/largest-loss",
    paper=PAPER,
    design=grid(
        method=["hat", "tree", "exact-tree", "flat"],
        neighbours=["add_remove", "replace"],
        kind=["pure", "zcdp"],
        levels=6,
    ),
    paired=("calibrated", "scale"),
    columns={"loss": Column("largest privacy loss over the budget")},
    presets=DETERMINISTIC | {"paper": dict(replicates=1, levels=7)},
    algorithm="mechanism",
)
def largest_losses(
    *, method, neighbours, kind, levels, calibrated=None, scale=1, mechanism="own", rng
):
    """Largest privacy loss of a mechanism, by enumeration over all ends of cells.

    Noise scales are multiplied by `scale`, and calibrated for the relation `calibrated` if given.
    The algorithm is ``mechanism(levels, neighbours=..., epsilon=1.0)``, or with ``rho=1.0``, and
    returns a `LinearMechanism`.
    """
    build = LINES[method] if mechanism == "own" else mechanism
    built = build(levels, neighbours=calibrated or neighbours, **budget(kind))
    built = built.with_scales(scale * built.scales)
    return {"loss": largest_loss(built, cell_ends(levels), neighbours)}


@claim(
    "private-similarities/sensitivities",
    theorem="Section 4 for the tree; all derived here",
    status="ours",
    statement=r"With $L$ levels the $\ell_1$ sensitivity, equally the squared $\ell_2$ one, is "
    r"$1$ for the flat histogram, $L+1$ for the tree and $2L+1$ for the exact tree when a point is "
    r"added, and $2$, $2L$ and $4L$ when one is replaced: exactly, for no mechanism is more noisy "
    "than it must be.",
    experiment=largest_losses,
    at=dict(method=["tree", "exact-tree", "flat"]),
    kind="identity",
    region=AtMost(1e-7),
    reason=REASON,
    assumptions=(CELL_ENDS,),
    control=(
        Control("noise for an added point where points are replaced", calibrated="add_remove"),
        Control("scales 1% too small", scale=0.99),
    ),
)
def sensitivities(table):
    """Largest relative difference between loss and budget."""
    return exact_estimate(float(np.abs(table["loss"] - 1).max()), len(table))


@claim(
    "private-similarities/hat-sensitivity",
    theorem="derived here (hat_loss_supremum)",
    status="ours",
    statement=r"The hat mechanism loses exactly its budget: the largest loss "
    r"$\varepsilon_0+\sum_\ell\varepsilon_\ell\Lambda_\ell(x)$ of adding a point is $\varepsilon$, "
    r"and so is that of replacing one when the noise is scaled by its own supremum.",
    experiment=largest_losses,
    at=dict(method="hat"),
    kind="identity",
    region=AtMost(1e-7),
    reason=REASON,
    assumptions=(CELL_ENDS,),
    control=(
        Control("noise for an added point where points are replaced", calibrated="add_remove"),
        Control("scales 1% too small", scale=0.99),
    ),
)
def hat_sensitivity(table):
    """Largest relative difference between loss and budget."""
    return exact_estimate(float(np.abs(table["loss"] - 1).max()), len(table))


def takagi_brute_force(rates, neighbours):
    """Return the largest loss over all dyadic points, without the recursion of the library."""
    x = np.linspace(0, 1, 2 ** (len(rates) - 1) + 1)
    mechanism = HierarchicalHat(len(rates) - 1, 1 / rates)
    return largest_loss(mechanism, x, neighbours)


@experiment(
    "private-similarities/random-rates",
    paper=PAPER,
    design=grid(neighbours=["add_remove", "replace"], levels=6),
    paired=("read", "law"),
    columns={
        "residual": Column("largest loss by the law over that by enumeration, minus 1"),
        "sum": Column("sum of the rates over the largest loss"),
    },
    presets={"quick": dict(replicates=50), "paper": dict(replicates=300)},
    block=50,
    algorithm="law",
)
def random_rates(*, neighbours, levels, read=None, law="supremum", rng):
    """Largest loss of hats with random noise scales; `read` the relation that the law is told.

    The algorithm is ``law(rates, neighbours) -> float``, the largest loss.
    """
    rates = np.exp(rng.normal(size=levels + 1) - 0.5 * rng.random() * np.arange(levels + 1))
    exact = takagi_brute_force(rates, neighbours)
    laws = {"supremum": hat_loss_supremum, "sum": lambda rates, neighbours: rates.sum()}
    stated = laws.get(law, law)(rates, read or neighbours)
    return {"residual": stated / exact - 1, "sum": rates.sum() / exact}


@claim(
    "private-similarities/takagi-loss",
    theorem="derived here (hat_loss_supremum)",
    status="ours",
    statement=r"For any rates the largest loss of adding and of replacing a point is the maximum "
    r"of a generalised Takagi function, over dyadic points $x$; it is below the sum of the rates "
    "when a point is added.",
    experiment=random_rates,
    kind="identity",
    region=AtMost(1e-9),
    reason="hat values are whole multiples of a power of 2: only sums and quotients are rounded",
    assumptions=(Assumption("points are whole multiples of 2^-32 of the range"),),
    control=(
        Control("the sum of the rates", law="sum"),
        Control("the loss of adding taken for both", read="add_remove"),
    ),
)
def takagi_loss(table):
    """Largest residual."""
    return exact_estimate(float(np.abs(table["residual"]).max()), len(table))


def gaussian_hat(levels, rho, power):
    """Return hats with Gaussian noise 1 / sqrt(2 rho) on the ends and that over h^power."""
    heights = np.ldexp(1.0, -np.arange(levels + 1))
    return HierarchicalHat(levels, 1 / np.sqrt(2 * rho) / heights**power, "gaussian")


def covariance(mechanism, y):
    """Return the exact covariance of the answers at y, shape (q, q)."""
    unit = np.eye(int(mechanism.sizes.sum()))
    weights = np.array([mechanism.answers(mechanism.synthesise(e), y) for e in unit])
    return (weights.T * np.repeat(mechanism.variances, mechanism.sizes)) @ weights


@experiment(
    "private-similarities/gaussian-hat",
    paper=PAPER,
    design=grid(levels=[1, 4, 7], rho=[0.1, 2.0]),
    paired=("power",),
    columns={
        "loss": Column("largest |loss / rho - 1| over points of the grid"),
        "replaced": Column("largest |loss / rho - 2 |x - x'|| over pairs of them"),
        "covariance": Column("largest |2 rho covariance - (1 - |y - y'|)| over pairs of queries"),
    },
    presets=DETERMINISTIC,
)
def gaussian_hats(*, levels, rho, power=0.5, rng):
    """Losses and covariances of hats with Gaussian noise of 1 / h^power, on the grid."""
    mechanism = gaussian_hat(levels, rho, power)
    x = np.linspace(0, 1, 2**levels + 1)
    loss = mechanism.privacy_loss(x) / rho
    i, j = np.triu_indices(len(x))
    replaced = mechanism.privacy_loss(x[i], x[j]) / rho
    cov = 2 * rho * covariance(mechanism, x)
    return {
        "loss": np.abs(loss - 1).max(),
        "replaced": np.abs(replaced - 2 * (x[j] - x[i])).max(),
        "covariance": np.abs(cov - (1 - np.abs(x[:, None] - x))).max(),
    }


RATES = (
    Control("equal noise on all levels", power=0.0),
    Control("noise 1/h instead of 1/sqrt(h)", power=1.0),
    Control("the rates of pure privacy", power=2 / 3),
)
ROUNDING = "only rounding: sums of some hundred terms of order 1"


@claim(
    "private-similarities/zcdp-loss",
    theorem="derived here (hierarchical_hat)",
    status="ours",
    statement=r"With Gaussian noise $1/\sqrt{2\rho}$ on the ends and $1/\sqrt{2\rho h}$ on the "
    r"hats of width $h$, adding a point of the grid loses exactly $\rho$, wherever it is, and "
    r"replacing $x$ by $x'$ loses $2\rho|x-x'|$.",
    experiment=gaussian_hats,
    kind="identity",
    region=AtMost(1e-12),
    reason=ROUNDING,
    assumptions=(Assumption("points of the grid"),),
    control=RATES,
)
def zcdp_loss(table):
    """Largest residual."""
    return exact_estimate(float(table[["loss", "replaced"]].max().max()), len(table))


@claim(
    "private-similarities/zcdp-covariance",
    theorem="derived here (gaussian_distance_noise)",
    status="ours",
    statement=r"The noises of this mechanism at points $y,y'$ of the grid have covariance "
    r"$(1-|y-y'|)/(2\rho)$: every answer has the variance $1/(2\rho)$ of a single query.",
    experiment=gaussian_hats,
    kind="identity",
    region=AtMost(1e-12),
    reason=ROUNDING,
    assumptions=(Assumption("points of the grid"),),
    control=RATES,
)
def zcdp_covariance(table):
    """Largest residual."""
    return exact_estimate(float(table["covariance"].max()), len(table))


@experiment(
    "private-similarities/squared-loss",
    paper=PAPER,
    design=grid(d=[1, 2, 3], neighbours=["add_remove", "replace"], kind=["pure", "zcdp"]),
    paired=("calibrated", "scale"),
    columns={"loss": Column("largest privacy loss over the budget")},
    presets=DETERMINISTIC,
)
def squared_loss(*, d, neighbours, kind, calibrated=None, scale=1, rng):
    """Largest loss of the sums for squared distances over a grid of 5 points per coordinate."""
    mechanism = squared_distance([0.5] * d, neighbours=calibrated or neighbours, **budget(kind))
    mechanism = mechanism.with_scales(scale * mechanism.scales)
    points = np.array(list(itertools.product(np.linspace(0, 1, 5), repeat=d)))
    return {"loss": largest_loss(mechanism, points, neighbours)}


@claim(
    "private-similarities/squared-sensitivity",
    theorem="derived here (squared_distance)",
    status="ours",
    statement=r"For $\ell_2^2$ in $[0,R]^d$ the count, the centred coordinates and the centred "
    r"squared norm have sensitivities $1$, $dR/2$ ($\ell_1$; $\sqrt dR/2$ in $\ell_2$) and "
    r"$dR^2/4$, all attained by a corner; the largest loss of a replacement is attained by pairs "
    "that are not both corners if the noise is Laplace.",
    experiment=squared_loss,
    kind="identity",
    region=AtMost(1e-6),
    reason="scales are 2^-28 d larger for the rounding of points; the grid has the worst pairs",
    assumptions=(Assumption("cubes, for which the worst pairs are known", checked=True),),
    control=(
        Control("noise for an added point where points are replaced", calibrated="add_remove"),
        Control("scales 1% too small", scale=0.99),
    ),
)
def squared_sensitivity(table):
    """Largest relative difference between loss and budget."""
    return exact_estimate(float(np.abs(table["loss"] - 1).max()), len(table))
