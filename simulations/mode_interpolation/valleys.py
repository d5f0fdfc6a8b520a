"""The mass between modes, exactly: of ideal and of smooth denoisers, without any sampling."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion.hallucination import (
    HallucinationRule,
    certified_mass,
    ddim_cdf,
    excess_loss,
    propagate_law,
    ramp_rate,
)
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate

from .common import (
    LABELS,
    PAPER,
    RULE,
    SCHEDULE,
    START,
    UNBOUNDED,
    capped,
    exact,
    mixture,
    schedule_of,
    tabulated,
    violated,
)

LADDER = [1.5, 2, 3, 4, 6]
DESIGN = dict(modes="1,2,3", bound=UNBOUNDED, labels=LABELS, variance="large")
ONCE = {"quick": dict(replicates=1), "paper": dict(replicates=1)}


def table_of(denoiser, modes, bound, labels, nodes=8192):
    """Return the table of the capped denoiser, or of one given by a target and a schedule."""
    if callable(denoiser):
        return tabulated(denoiser, modes, labels, nodes)
    return capped(modes, bound, labels, nodes)


def flow_cdf(table, labels, y):
    """Return the distribution function of DDIM's output."""
    schedule, start = schedule_of(labels)
    return ddim_cdf(table, schedule, y, t_start=start)


def relative_excess(table, modes, labels, nodes=8192):
    """Return the excess of the loss over the least one, relative to it.

    The least one is the mean over labels of E D'(y): the variance of x_0 given x_t is s^2 D'(y).
    """
    best, weights = exact(modes, labels, nodes)
    schedule, start = schedule_of(labels)
    alpha = schedule.alpha(schedule.t_of_label(np.arange(start + 1)))
    slopes = np.gradient(best.values, best.grid, axis=1) * alpha[:, None]
    least = np.mean(np.sum(weights * slopes, axis=1) / weights.sum(axis=1))
    return excess_loss(table, best, schedule, weights) / least


@experiment(
    "mode-interpolation/valleys",
    paper=PAPER,
    design=grid(**DESIGN),
    paired=("modes", "bound", "labels", "variance", "denoiser"),
    columns={
        "spacing": Column("distance of the modes on either side of a gap", unit="data"),
        "mass": Column("probability that the ancestral chain ends in the gap"),
        "ddim": Column("probability that DDIM does"),
        "excess": Column("excess of the denoising loss over the least one, relative"),
        "steepest": Column("largest slope in units of the data"),
    },
    presets=ONCE,
    algorithm="denoiser",
)
def valleys(*, modes, bound, labels, variance, denoiser="capped", rng):
    """Mass of each gap, exactly, for the best denoiser of slope at most `bound`.

    The algorithm is ``denoiser(target, schedule) -> (points (n, 1), label) -> (n, 1)``.
    """
    table, (schedule, start) = table_of(denoiser, modes, bound, labels), schedule_of(labels)
    law = propagate_law(table, schedule, variance=variance, t_start=start)
    gaps = HallucinationRule(mixture(modes)).gaps
    common = {
        "excess": relative_excess(table, modes, labels),
        "steepest": table.slopes(schedule).max(),
    }
    spacing, flow = np.diff(mixture(modes).law.means[:, 0]), flow_cdf(table, labels, gaps)
    return [
        {"spacing": d, "mass": law.probability([gap]), "ddim": high - low, **common}
        for d, gap, (low, high) in zip(spacing, gaps, flow, strict=True)
    ]


@experiment(
    "mode-interpolation/certified-valleys",
    paper=PAPER,
    design=grid(modes=["1,2,3", "1,2,4", "1,2,4,5"], bound=UNBOUNDED, labels=LABELS),
    paired=("bound", "labels", "denoiser"),
    columns={
        "mass": Column("probability of all gaps together"),
        "error": Column("what it may be off by: refinement, mass beyond the grid, rounding"),
    },
    presets=ONCE,
    algorithm="denoiser",
)
def certified(*, modes, bound, labels, denoiser="capped", rng):
    """Mass of all gaps with its error, for the best denoiser of slope at most `bound`.

    The algorithm is ``denoiser(target, schedule) -> (points (n, 1), label) -> (n, 1)``.
    """
    table, (schedule, start) = table_of(denoiser, modes, bound, labels), schedule_of(labels)
    gaps = HallucinationRule(mixture(modes)).gaps
    found = certified_mass(table, schedule, gaps, t_start=start)
    return {"mass": found.value, "error": found.refinement + found.escaped + found.mass_error}


@claim(
    "mode-interpolation/exact-score-no-hallucination",
    theorem="appendix: sampling with the true score; the numbers are ours",
    status="empirical",
    statement=r"With the exact score and $1000$ steps fewer than one in $10^7$ samples lies "
    r"between the modes: none is expected among the $10^7$ samples of the paper.",
    experiment=certified,
    kind="identity",
    region=AtMost(1e-7),
    reason="one sample in as many as the released code draws; the certified error is added",
    assumptions=(RULE, START),
    control=(
        Control("100 steps through the same noise levels", labels=100),
        Control("the best denoiser of slope at most 3", bound=3),
    ),
)
def exact_score(table):
    """Mass of the gaps and its error, per mixture."""
    rows = table.set_index("modes")[["mass", "error"]].sum(axis=1)
    return {modes: exact_estimate(value) for modes, value in rows.items()}


@claim(
    "mode-interpolation/few-steps-interpolate",
    theorem="derived here, by the exact law",
    status="ours",
    statement=r"Few steps suffice for hallucination: with the exact score and $100$ steps or fewer "
    r"more than one sample in $1000$ lies between the modes, and the rate falls in the number of "
    r"steps $N$ at least as $N^{-2}$.",
    experiment=certified,
    at=dict(modes="1,2,3", labels=[50, 100, 200, 400]),
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a rate that is too low, or that falls too little, for some N",
    assumptions=(RULE, START),
    control=Control("the best denoiser of slope at most 2, whatever the steps", bound=2),
)
def few_steps(table):
    """Share of numbers of steps, and of their doublings, that violate the statement."""
    rows = table.sort_values("labels")
    mass, labels = rows["mass"].to_numpy(), rows["labels"].to_numpy()
    fall = -np.diff(np.log(mass)) / np.diff(np.log(labels))
    return violated(np.concatenate([mass[labels <= 100] <= 1e-3, fall < 2]))


@claim(
    "mode-interpolation/rate-decreases-with-slope",
    theorem="section 4: hallucination as smoothness of the learned score; the law is ours",
    status="ours",
    statement=r"The smoother the denoiser the more it hallucinates: one unit more of the bound "
    r"$\Lambda$ on its slope halves the mass between modes at least.",
    experiment=valleys,
    at=dict(bound=LADDER),
    kind="refutable",
    region=AtMost(0),
    reason="by the exponent a unit of the bound is worth a factor (s_0/s_1)^2, below 1/2 here",
    assumptions=(RULE, START, Assumption("bounds from 1.5 to 6, the best denoiser of each")),
    control=Control("100 steps, whose own error hides the bound", labels=100),
)
def rate_by_slope(table):
    """Share of neighbouring bounds for which the mass falls less."""
    rates = table.groupby("bound")["mass"].sum().sort_index()
    halvings = -np.diff(np.log2(rates)) / np.diff(rates.index.to_numpy(dtype=float))
    return violated(halvings < 1)


def gap_ratio(table):
    """Return the mass of the wide gap [2, 4] over that of [1, 2], by bound."""
    rows = table.groupby(["bound", "spacing"])["mass"].sum().unstack()
    return rows[2.0] / rows[1.0]


@claim(
    "mode-interpolation/distance-effect",
    theorem="section 4: fewer samples between modes that are farther apart",
    status="empirical",
    statement=r"With modes at $1$, $2$ and $4$ the wide gap gets less than the narrow one, for the "
    r"best denoisers of slope at most $\Lambda\ge2$.",
    experiment=valleys,
    at=dict(modes="1,2,4", bound=[2, 3, 4, 6]),
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a ratio of masses of 1 or more",
    assumptions=(RULE, START),
    control=(
        Control("a bound of 1.5", bound=1.5),
        Control("a bound of 1.2", bound=1.2),
    ),
)
def distance_effect(table):
    """Share of bounds for which it gets more."""
    return violated(gap_ratio(table) >= 1)


@claim(
    "mode-interpolation/distance-effect-reverses",
    theorem="against section 4, for very smooth denoisers; derived here",
    status="erratum",
    statement=r"That samples between modes get fewer with their distance is not so for very smooth "
    r"denoisers: with $\Lambda\le1.5$ the gap from $2$ to $4$ gets more than that from $1$ to $2$.",
    experiment=valleys,
    at=dict(modes="1,2,4", bound=[1.2, 1.35, 1.5]),
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a ratio of masses of 1 or less",
    assumptions=(RULE, START),
    control=Control("a bound of 2, for which the printed statement holds", bound=2),
)
def distance_reversed(table):
    """Share of bounds for which it gets less."""
    return violated(gap_ratio(table) <= 1)


@claim(
    "mode-interpolation/ddim-hallucinates-more",
    theorem="derived here, from the two exponents",
    status="ours",
    statement=r"The same denoiser hallucinates more under DDIM than under the ancestral chain: by "
    r"a factor of at least $1.5$ for bounds $\Lambda$ from $1.5$ to $6$, which grows up "
    r"to $\Lambda=4$.",
    experiment=valleys,
    at=dict(bound=LADDER),
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a smaller factor, or one that falls from one bound up to 4 to the next",
    assumptions=(RULE, START),
    control=(
        Control("100 steps, whose noise fills the valley", labels=100),
        Control("a bound of 1.2", bound=1.2),
    ),
)
def ddim_more(table):
    """Share of bounds that violate it."""
    rates = table.groupby("bound")[["mass", "ddim"]].sum().sort_index()
    factor = (rates["ddim"] / rates["mass"]).to_numpy()
    return violated(np.append(factor < 1.5, np.diff(factor[rates.index <= 4]) < 0))


@claim(
    "mode-interpolation/loss-cannot-see-it",
    theorem="derived here; the losses by the second-order formula of Tweedie",
    status="ours",
    statement=r"The denoiser of slope at most $3$ has a denoising loss within $1\%$ of the least "
    r"one: a loss cannot tell it from a perfect denoiser.",
    experiment=valleys,
    at=dict(bound=3),
    kind="refutable",
    region=AtMost(0),
    reason="1% is 1/sqrt(10^4), the order of the standard error over one batch of the paper",
    assumptions=(RULE, Assumption("mean over labels 0 to 300 of the loss of the noise")),
    control=(
        Control("a bound of 2", bound=2),
        Control("a bound of 1.2", bound=1.2),
    ),
)
def loss_blind(table):
    """Share of the gaps' rows with a larger relative excess of the loss."""
    return violated(table["excess"] > 0.01)


@experiment(
    "mode-interpolation/ramps",
    paper=PAPER,
    design=grid(bound=[1.2, 1.5, 2, 2.5], law_eta=0),
    paired=("law_eta", "bound"),
    columns={"ratio": Column("mass by the ramp over the exact mass under DDIM")},
    presets=ONCE,
)
def ramps(*, bound, law_eta, rng):
    """The recursion through the ramp for the chain `law_eta`, against DDIM, modes 1, 2, 3."""
    ends = flow_cdf(capped("1,2,3", bound), LABELS, HallucinationRule(mixture("1,2,3")).gaps)
    law = ramp_rate(1.0, 0.05, bound, SCHEDULE, pair_weight=2 / 3, eta=law_eta)
    return {"ratio": 2 * law / np.diff(ends, axis=1).sum()}


@claim(
    "mode-interpolation/ramp-theory-ddim",
    theorem="derived here",
    status="ours",
    statement=r"The recursion of a Gaussian through the ramp predicts the mass that DDIM leaves "
    r"between modes within $5\%$, for bounds $\Lambda$ from $1.2$ to $2.5$.",
    experiment=ramps,
    kind="refutable",
    region=AtMost(0),
    reason="the log density is expanded to second order over a gap whose preimage is short",
    assumptions=(RULE, START),
    control=(
        Control("the recursion of the ancestral chain", law_eta=1),
        Control("a bound of 5", bound=5),
    ),
)
def ramp_theory(table):
    """Share of bounds with a larger relative error."""
    return violated((table["ratio"] - 1).abs() > 0.05)
