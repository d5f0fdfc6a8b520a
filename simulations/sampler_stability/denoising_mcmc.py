"""Denoising MCMC: which chains keep the law of (x, sigma), how they mix, and what they save."""

from __future__ import annotations

import warnings

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import MixtureTarget, mmd2_unbiased
from theorytk.diffusion.denoising_mcmc import (
    denoise,
    exact_kernel,
    langevin_gibbs,
    mala_kernel,
    ula_kernel,
)
from theorytk.diffusion.joint_law import JointLaw
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import (
    AtLeast,
    AtMost,
    Between,
    distribution_distance_estimate,
    mean_estimate,
)

from .stochastic_common import DLG, joint_law

CHAINS = 800
SWEEPS = 20
ISOTROPIC = Assumption("a mixture of three isotropic Gaussians: the posterior of levels is exact")
RULES = {
    "draw": {},
    "argmax": dict(level_rule="argmax"),
    "smallest of 10": dict(select="smallest"),
}


def density_only(step):
    """Return the kernel that accepts by the ratio of densities: the proposals' is forgotten."""

    def kernel(joint, x, sigma, rng):
        moved, _ = ula_kernel(step)(joint, x, sigma, rng)
        gain = joint.score_and_logpdf(moved, sigma)[1] - joint.score_and_logpdf(x, sigma)[1]
        accepted = np.log1p(-rng.random(len(x))) < gain
        return np.where(accepted[:, None], moved, x), accepted

    return kernel


def balanced(share):
    """Return exact draws of a law whose weights are moved towards equal ones by a share."""

    def kernel(joint, x, sigma, rng):
        law = joint.target.law
        weights = (1 - share) * law.weights + share / len(law.weights)
        target = MixtureTarget(weights, law.means, law.covariances)
        return exact_kernel(JointLaw(target, joint.levels), x, sigma, rng)

    return kernel


def kernel_of(name):
    """Return a kernel named like "mala 0.5" or "mala constant 0.5"; a function is one already."""
    if callable(name):
        return name
    if name == "exact":
        return exact_kernel
    kind, *_, step = name.split()
    mistaken = {"density": density_only, "balanced": balanced}
    if kind in mistaken:
        return mistaken[kind](float(step))
    factory = {"mala": mala_kernel, "ula": ula_kernel}[kind]
    return factory(float(step), scaled="constant" not in name)


def chains(kernel, start, n_sweeps, rule, rng):
    """Return the states of the chains, and the responsibilities of the components."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the released rules, which are controls here
        options = dict(n_sweeps=n_sweeps, kernel=kernel_of(kernel), rng=rng, **RULES[rule])
        return langevin_gibbs(joint_law(), *start, **options)


def places(sigma, rng):
    """Return the place of each level in [0, 1], uniform within its cell: uniform by the prior."""
    levels = joint_law().levels
    return (np.searchsorted(levels, sigma) + rng.random(len(sigma))) / len(levels)


def responsibilities(x, sigma):
    """Return the probability of each component given a point and its level, (n, K)."""
    law = joint_law().target.law
    V = law.covariances[:, 0, 0] + sigma[:, None] ** 2
    squares = ((x[:, None] - law.means) ** 2).sum(axis=2)
    logits = np.log(law.weights) - law.dimension / 2 * np.log(V) - squares / (2 * V)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


@experiment(
    "sampler-stability/dlg-chains",
    paper=DLG,
    design=grid(kernel=["exact", "mala 0.5"], rule="draw"),
    paired=("kernel", "rule"),
    columns={
        "place": Column("place of the level among the levels, uniform by the prior"),
        "excess_0": Column("probability of component 0 given x and sigma, less its weight"),
        "excess_1": Column("probability of component 1 given x and sigma, less its weight"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=10,
    algorithm="kernel",
)
def stationary_chains(*, kernel, rule, rng):
    """Chains from the law of (x, sigma) itself, after 20 sweeps; a row for each.

    The kernel moves x given sigma: ``kernel(joint, x, sigma, rng) -> (x, accepted)``; by name
    "exact", or "mala", "ula", or "density" (accepting by densities alone) with a step in sigma^2,
    or "balanced": exact draws of a law with its weights moved towards equal ones by a share. The
    level is a "draw" of its posterior, its "argmax", or the "smallest of 10" sweeps is kept.
    """
    start = joint_law().sample(CHAINS, rng)
    result = chains(kernel, start, SWEEPS, rule, rng)
    excess = responsibilities(result.x, result.sigma) - joint_law().target.law.weights
    place = places(result.sigma, rng)
    return {"place": place, "excess_0": excess[:, 0], "excess_1": excess[:, 1]}


@claim(
    "sampler-stability/dlg-keeps-levels",
    theorem="the joint law and DLG, Algorithm 1",
    statement=r"Gibbs steps keep the prior of the levels: with moves of $x$ that leave "
    r"$p_\sigma(x)$ invariant (exact draws, or MALA with steps in $\sigma^2$) and $\sigma$ drawn "
    r"from $\hat p(\sigma\mid x)$, $\sigma$ keeps its law.",
    experiment=stationary_chains,
    region=AtMost(0.05),
    reason="an equality; the band of 16000 draws is 0.02, which a twentieth leaves room for",
    assumptions=(ISOTROPIC, Assumption("chains start from the law of (x, sigma)")),
    control=(
        Control("unadjusted Langevin steps", kernel="ula 1"),
        Control("Langevin steps accepted by densities alone", kernel="density 0.2"),
        Control("the mode of the posterior for a draw, as released", rule="argmax"),
        Control("the smallest level of ten sweeps, as released", rule="smallest of 10"),
    ),
)
def levels_kept(table):
    """Distance of the law of the level's place from the uniform, per kernel."""
    return {
        name: distribution_distance_estimate(rows["place"], lambda u: u)
        for name, rows in table.groupby("kernel", sort=False)
    }


@claim(
    "sampler-stability/dlg-keeps-weights",
    theorem="the joint law and DLG, Algorithm 1",
    statement=r"The same chains keep the weights of the modes: the mean of "
    r"$P(k\mid x,\sigma)$ stays $w_k$.",
    experiment=stationary_chains,
    region=Between(-0.03, 0.03),
    reason="an equality; 16000 chains tell a mean probability to 0.015",
    assumptions=(ISOTROPIC, Assumption("chains start from the law of (x, sigma)")),
    control=(
        Control("a score of equal weights, as of a balanced training set", kernel="balanced 1"),
        Control("weights moved towards equal ones by 0.6", kernel="balanced 0.6"),
    ),
)
def weights_kept(table):
    """Mean excess of the responsibilities of two components, per kernel."""
    return {
        f"{name}, mode {k}": mean_estimate(rows[f"excess_{k}"])
        for name, rows in table.groupby("kernel", sort=False)
        for k in (0, 1)
    }


@experiment(
    "sampler-stability/dlg-mixing",
    paper=DLG,
    design=grid(kernel="mala 0.5", n_sweeps=150),
    paired=("kernel", "n_sweeps"),
    columns={
        "place": Column("place of the level among the levels, uniform by the prior"),
        "acceptance": Column("share of accepted moves in the chains of a replicate"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=100)},
    block=10,
    algorithm="kernel",
)
def mixing_chains(*, kernel, n_sweeps, rng):
    """Chains from pure noise at the highest level, after many sweeps; a row for each.

    The kernel is ``kernel(joint, x, sigma, rng) -> (x, accepted)``, or a name as for the chains
    from their own law; "constant" steps do not depend on sigma.
    """
    sigma = np.full(CHAINS // 4, joint_law().levels[-1])
    start = sigma[:, None] * rng.standard_normal((len(sigma), 2)), sigma
    result = chains(kernel, start, n_sweeps, "draw", rng)
    return {"place": places(result.sigma, rng), "acceptance": result.acceptance}


@claim(
    "sampler-stability/dlg-steps-in-variance",
    theorem="step sizes of the released code",
    status="erratum",
    statement=r"From pure noise at $\sigma_{\max}=20$, 150 sweeps of MALA with steps "
    r"$\eta=\sigma^2/2$ bring $\sigma$ to its prior; with the constant step of the released code, "
    r"$\eta=\frac12$, they do not.",
    experiment=mixing_chains,
    region=AtMost(0.1),
    reason="a tenth is twice the band of 4000 draws",
    assumptions=(ISOTROPIC,),
    control=(
        Control("a constant step, as released", kernel="mala constant 0.5"),
        Control("too few sweeps", n_sweeps=15),
    ),
)
def mixed_levels(table):
    """Distance of the law of the level's place from the uniform."""
    return distribution_distance_estimate(table["place"], lambda u: u)


@experiment(
    "sampler-stability/dlg-efficiency",
    paper=DLG,
    design=grid(kernel="mala 0.5", n_evaluations=[7, 9], start="chain"),
    paired=("kernel", "start"),
    columns={
        "noise": Column("squared discrepancy of draws denoised from pure noise"),
        "ours": Column("squared discrepancy of draws denoised from the chains"),
        "floor": Column("squared discrepancy of exact draws"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=5,
    algorithm="kernel",
)
def efficiency(*, kernel, n_evaluations, start, rng):
    """Draws at equal evaluations of the score: from chains, or by denoising pure noise.

    A draw of the chains costs two sweeps of two evaluations and the rest for denoising; burning
    in is not counted. The kernel is ``kernel(joint, x, sigma, rng) -> (x, accepted)``. Instead
    of the "chain" the start is pure "noise", or a chain that made so many sweeps.
    """
    joint, n = joint_law(), CHAINS // 2
    sigma = np.full(n, joint.levels[-1])
    noise = sigma[:, None] * rng.standard_normal((n, 2))
    exact = joint.target.sample(2 * n, rng)
    burnt = {"chain": 150, "noise": 0}.get(start, start)
    x, level, left = noise, sigma, n_evaluations
    if burnt:
        x, level, *_ = chains(kernel, (noise, sigma), burnt, "draw", rng)
        left -= 4
    pairs = {
        "noise": denoise(joint, noise, sigma, n_steps=(n_evaluations - 1) // 2),
        "ours": denoise(joint, x, level, n_steps=(left - 1) // 2),
        "floor": joint.target.sample(n, rng),
    }
    return {name: mmd2_unbiased(draws, exact, bandwidth=1.0) for name, draws in pairs.items()}


@claim(
    "sampler-stability/dlg-efficiency",
    theorem="experiments: acceleration of samplers at few evaluations",
    status="empirical",
    statement=r"At 7 and 9 evaluations per draw denoising from the chains' $(x,\sigma)$ is nearer "
    r"to the data than denoising from $\sigma_{\max}z$: the squared discrepancy is less by at "
    r"least 0.01, the chains' four evaluations per draw included.",
    experiment=efficiency,
    region=AtLeast(0.01),
    reason="a least effect: ten times the discrepancy that 400 exact draws show",
    assumptions=(ISOTROPIC, Assumption("chains run on, so that burning in is not counted")),
    control=(
        Control("no chain: pure noise against itself", start="noise"),
        Control("chains of eight sweeps from pure noise", start=8),
    ),
)
def discrepancy_saved(table):
    """Mean difference of the squared discrepancies, per number of evaluations."""
    return {
        f"{n} evaluations": mean_estimate(rows["noise"] - rows["ours"])
        for n, rows in table.groupby("n_evaluations", sort=False)
    }
