"""Real data mixed in: how far the model can go, and what the reward gains all the same."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, violations_estimate
from theorytk.selfconsuming import (
    RetrainingHistory,
    contraction_factor,
    density_ratio_bound,
    kl_bound,
    mixed_gain_bound,
    paper_kl_bound,
    paper_mixed_gain_bound,
    stability_threshold,
    uncurated_factor,
)

from .common import (
    FINITE,
    INSTANCES,
    PAPER,
    POPULATION,
    REASON,
    STARTS_AT_REAL,
    random_problem,
    rare_atom,
    violations_of,
)
from .gain import largest_rise
from .mistakes import STEPS
from .weights import LUCE

ASSUMED = (LUCE, FINITE, POPULATION, STARTS_AT_REAL)
CURATE_ALL = Control("real data mixed in before curation, not after", step="curate-all")
LEFT_OUT = Control("real data left out", step="curated-only")
SHARE = Control("lam read as the share of curated samples in the bound", lam_read="share")
REVERSED = Control("what is disliked is kept", step="reversed")


def read_lam(lam_read, lam):
    """Return the weight at which bounds are read."""
    return uncurated_factor(lam) if lam_read == "share" else lam


def history_of(step, p_ref, reward, K, lam, generations):
    """Return the models of a user's step, from the law of the real data."""
    models = [p_ref]
    for _ in range(generations):
        models.append(STEPS.get(step, step)(models[-1], reward, K, lam, p_ref))
    return RetrainingHistory(np.array(models), reward)


def gain_excesses(history, lower, printed):
    """Return by how much two bounds on the gain are missed, as shares of them."""
    w = np.expm1(history.reward - history.reward.max())
    least = np.min((history.probabilities[1:] - history.probabilities[0]) @ w)
    return {"gain": 1 - least / lower, "printed_gain": 1 - least / printed}


@experiment(
    "self-consuming-curation/real-data",
    paper=PAPER,
    design=grid(kind=["any", "rare"], generations=40, lam_read="weight"),
    paired=("lam_read", "step"),
    columns={
        "ratio": Column("largest model over real law, over its bound, less 1"),
        "divergence": Column("largest KL from the real law, over its bound, less 1"),
        "printed": Column("largest KL over the paper's bound, less 1; -1 where that is infinite"),
        "gain": Column("1 - least gain of E exp(r) over its bound"),
        "printed_gain": Column("1 - least gain of E exp(r) over the paper's bound"),
        "rise": Column("largest rise of the distribution function of r over the real one"),
        "fall": Column("largest fall of E exp(r - max r) from one generation to the next"),
    },
    presets={"quick": dict(replicates=150), "paper": dict(replicates=3000)},
    block=50,
    algorithm="step",
)
def real_data(*, kind, generations, lam_read, step="library", rng):
    """Forty generations below the threshold against all bounds.

    Problems are any or have a rare atom of the best reward. The algorithm is
    ``step(p, reward, K, lam, p_ref) -> p'``, shape (n,).
    """
    p_ref, reward, K = (rare_atom if kind == "rare" else random_problem)(rng)
    R = np.ptp(reward)
    lam = rng.uniform(0.3, 0.95) * stability_threshold(K, R)
    history, read = history_of(step, p_ref, reward, K, lam, generations), read_lam(lam_read, lam)
    largest = history.kl_divergence(p_ref).max()
    printed = math.inf if math.inf == K else paper_kl_bound(K, read)
    bounds = (f(p_ref, reward, K, lam) for f in (mixed_gain_bound, paper_mixed_gain_bound))
    return {
        "ratio": np.max(history.probabilities / p_ref) / density_ratio_bound(K, R, read) - 1,
        "divergence": largest / kl_bound(K, R, read) - 1,
        "printed": largest / printed - 1,
        **gain_excesses(history, *bounds),
        "rise": max(largest_rise(p_ref, p, reward) for p in history.probabilities),
        "fall": max(0.0, -np.diff(history.mean_exp_reward).min()),
    }


@claim(
    "self-consuming-curation/density-ratio",
    theorem="derived here",
    status="ours",
    statement=r"If $\lambda(H_{\max}-1)<1$, $H_{\max}=K/(1+(K-1)e^{-R})$, then at all times "
    r"$p_t\le p_{\rm ref}/(1-\lambda(H_{\max}-1))$.",
    experiment=real_data,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=ASSUMED,
    control=(SHARE, CURATE_ALL),
)
def density_ratio(table):
    """Share of problems with a larger ratio somewhere."""
    return violations_estimate(*violations_of(table, "ratio"))


@claim(
    "self-consuming-curation/divergence",
    theorem="derived here",
    status="ours",
    statement=r"Then $\mathrm{KL}(p_t\,\Vert\,p_{\rm ref})\le-\log(1-\lambda(H_{\max}-1))$ at all "
    r"times, for infinite $K$ too if the range of the reward is finite.",
    experiment=real_data,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=ASSUMED,
    control=LEFT_OUT,
)
def divergence(table):
    """Share of problems with a larger divergence at some time."""
    return violations_estimate(*violations_of(table, "divergence"))


@claim(
    "self-consuming-curation/printed-divergence",
    theorem="theorem on stability with real data (as remembered)",
    statement=r"For $\lambda<1/(K-1)$, "
    r"$\mathrm{KL}(p_t\,\Vert\,p_{\rm ref})\le-\log(1-\lambda(K-1))$.",
    experiment=real_data,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=ASSUMED,
    control=LEFT_OUT,
)
def printed_divergence(table):
    """Share of problems with a larger divergence at some time, where the bound is finite."""
    return violations_estimate(*violations_of(table[table["printed"] > -1], "printed"))


@claim(
    "self-consuming-curation/gain-with-real-data",
    theorem="derived here, with a larger factor than the paper's (as remembered)",
    status="ours",
    statement=r"For $t\ge1$ and every $\lambda$, $\mathbb E_{p_t}e^r\ge\mathbb E_{\rm ref}e^r+"
    r"\frac\lambda{1+\lambda}\frac{K-1}K\mathrm{Var}_{\rm ref}(e^r)/e^{r_*}$.",
    experiment=real_data,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=ASSUMED,
    control=(
        Control("nothing curated", step="uncurated"),
        Control("two samples shown, whatever K is", step="two-samples"),
    ),
)
def gain_with_real_data(table):
    """Share of problems with a smaller gain at some time."""
    return violations_estimate(*violations_of(table, "gain"))


@claim(
    "self-consuming-curation/printed-gain",
    theorem="theorem on the reward with real data (as remembered)",
    statement=r"For $t\ge1$, $\mathbb E_{p_t}e^r\ge\mathbb E_{\rm ref}e^r+"
    r"\frac\lambda{(1+\lambda)^3}\frac{K-1}K\mathrm{Var}_{\rm ref}(e^r)/e^{r_*}$.",
    experiment=real_data,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=ASSUMED,
    control=(Control("nothing curated", step="uncurated"), REVERSED),
)
def printed_gain(table):
    """Share of problems with a smaller gain at some time."""
    return violations_estimate(*violations_of(table, "printed_gain"))


@claim(
    "self-consuming-curation/reference-dominance",
    theorem="derived here",
    status="ours",
    statement=r"At all times and for every $\lambda$ the density $p_t/p_{\rm ref}$ is an "
    r"increasing function of $r$, so $P_t(r\le s)\le P_{\rm ref}(r\le s)$ for every $s$.",
    experiment=real_data,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=ASSUMED,
    control=REVERSED,
)
def reference_dominance(table):
    """Share of problems whose distribution function rises above the real one."""
    return violations_estimate(*violations_of(table, "rise"))


@experiment(
    "self-consuming-curation/contraction",
    paper=PAPER,
    design=grid(bound="proven"),
    paired=("bound", "step"),
    columns={"excess": Column("total variation after a step, over its bound, less 1")},
    presets=INSTANCES,
    block=100,
    algorithm="step",
)
def contraction(*, bound, step="library", rng):
    """One step from two random models, close together or not, against the contraction factor.

    The algorithm is ``step(p, reward, K, lam, p_ref) -> p'``, shape (n,).
    """
    p_ref, reward, K = random_problem(rng)
    p, new = (rng.dirichlet(np.full(reward.size, 0.2)) for _ in range(2))
    q = p + 10 ** rng.uniform(-3, 0) * (new - p)
    lam = 10 ** rng.uniform(-1, 1)
    used = STEPS.get(step, step)
    after, before = (
        0.5 * np.abs(a - b).sum()
        for a, b in ((used(p, reward, K, lam, p_ref), used(q, reward, K, lam, p_ref)), (p, q))
    )
    factor = contraction_factor(K, np.ptp(reward), lam)
    if bound == "uncurated":
        factor = uncurated_factor(lam)
    return {"excess": after / (factor * before) - 1}


@claim(
    "self-consuming-curation/contraction",
    theorem="derived here",
    status="ours",
    statement=r"$\mathrm{TV}(Tp,Tq)\le\frac{\lambda H_{\max}}{1+\lambda}\mathrm{TV}(p,q)$: below "
    r"the threshold every start leads to the one fixed point, geometrically.",
    experiment=contraction,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(LUCE, FINITE, POPULATION),
    control=(
        Control("the factor of uncurated retraining", bound="uncurated"),
        Control("the real data left out", step="curated-only"),
    ),
)
def contracts(table):
    """Share of pairs that come less close."""
    return violations_estimate(*violations_of(table, "excess"))
