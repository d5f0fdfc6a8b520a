"""What is only looked at: densities, slopes level by level, and paths of predictions."""

from __future__ import annotations

import numpy as np

from theorytk.diffusion.hallucination import (
    HallucinationRule,
    levels,
    midpoint_slope,
    propagate_law,
    sample_chain,
)
from theorytk.diffusion.hallucination.mlp import train_mlp
from theorytk.experiments import Column, experiment, grid

from .common import LABELS, PAPER, UNBOUNDED, capped, mixture, schedule_of

ONCE = {"quick": dict(replicates=1), "paper": dict(replicates=1)}
MODES = "1,2,3"


@experiment(
    "mode-interpolation/histograms",
    paper=PAPER,
    design=grid(modes=["1,2,3", "1,2,4"], bound=[2, 3, UNBOUNDED]),
    columns={
        "place": Column("middle of a bin", unit="data"),
        "density": Column("mean density of the output in the bin", unit="1/data"),
        "data": Column("density of the data in its middle", unit="1/data"),
    },
    presets=ONCE,
)
def histograms(*, modes, bound, rng):
    """The exact law of samples in 150 bins."""
    schedule, start = schedule_of(LABELS)
    law = propagate_law(capped(modes, bound), schedule, t_start=start)
    edges = np.linspace(0.5, 4.5, 151)
    middles = (edges[1:] + edges[:-1]) / 2
    data = np.exp(mixture(modes).logpdf(middles[:, None]))
    densities = law.masses(edges) / np.diff(edges)
    return [
        {"place": y, "density": p, "data": q}
        for y, p, q in zip(middles, densities, data, strict=True)
    ]


@experiment(
    "mode-interpolation/slopes-by-level",
    paper=PAPER,
    design=grid(bound=[2, 3, UNBOUNDED]),
    columns={
        "level": Column("noise level s", unit="data"),
        "slope": Column("largest slope of the denoiser in units of the data"),
        "exact": Column("slope of the exact denoiser in the middle, by the law"),
    },
    presets=ONCE,
)
def slopes_by_level(*, bound, rng):
    """The largest slope of a table at labels 0 to 60."""
    schedule, _ = schedule_of(LABELS)
    t = schedule.t_of_label(np.arange(61))
    s = schedule.sigma(t) / schedule.alpha(t)
    found, law = capped(MODES, bound).slopes(schedule)[:61], midpoint_slope(1.0, 0.05, s)
    return [{"level": a, "slope": b, "exact": c} for a, b, c in zip(s, found, law, strict=True)]


def middle_slope(denoiser, t, alpha):
    """Return the slope in units of the data, averaged over the two gaps between modes 1, 2, 3."""
    middles, h = np.array([1.5, 2.5]), 0.01
    ends = alpha * np.concatenate([middles + h, middles - h])[:, None]
    high, low = np.split(denoiser(ends, t)[:, 0], 2)
    return np.mean(high - low) / (2 * h)


@experiment(
    "mode-interpolation/learned-slopes",
    paper=PAPER,
    design=grid(updates=[700, 3000]),
    columns={
        "level": Column("noise level s", unit="data"),
        "slope": Column("slope of the network in the middle between two modes"),
        "ideal": Column("slope of the exact denoiser there, by the law"),
    },
    presets={"quick": dict(replicates=1), "paper": dict(replicates=5)},
)
def learned_slopes(*, updates, rng):
    """Slopes of a network of 3 layers of 64 units at labels 0 to 60, 500 samples per update."""
    schedule, start = schedule_of(LABELS)
    options = dict(n_updates=updates, batch_size=500, t_start=start)
    network = train_mlp(mixture(MODES).sample(30_000, rng=rng), schedule, rng=rng, **options)
    t = np.arange(61)
    alpha, sigma = (level[:61] for level in levels(schedule))
    found = [middle_slope(network, int(i), a) for i, a in zip(t, alpha, strict=True)]
    rows = zip(sigma / alpha, found, midpoint_slope(1.0, 0.05, sigma / alpha), strict=True)
    return [{"level": s, "slope": slope, "ideal": ideal} for s, slope, ideal in rows]


def smooth_samples(samples, rng):
    """Return samples of the best denoiser of slope at most 2, and which are hallucinations."""
    schedule, start = schedule_of(LABELS)
    table = capped(MODES, 2)
    drawn = sample_chain(table, schedule, samples, t_start=start, n_paths=samples, rng=rng)
    return drawn, HallucinationRule(mixture(MODES), between=True)(drawn.x)


@experiment(
    "mode-interpolation/variances",
    paper=PAPER,
    design=grid(samples=8000),
    columns={
        "hallucinated": Column("whether the sample ends between modes", dtype="bool"),
        "hal": Column("variance of its last ten predictions", unit="data^2"),
    },
    presets=ONCE,
)
def variances(*, samples, rng):
    """The variance of the last ten predictions of each sample."""
    drawn, bad = smooth_samples(samples, rng)
    return [{"hallucinated": b, "hal": h} for b, h in zip(bad, drawn.hal, strict=True)]


@experiment(
    "mode-interpolation/paths",
    paper=PAPER,
    design=grid(samples=4000, drawn=6),
    columns={
        "sample": Column("number of the sample", dtype="int"),
        "hallucinated": Column("whether it ends between modes", dtype="bool"),
        "label": Column("label of the noise level", dtype="int"),
        "prediction": Column("prediction of the clean data", unit="data"),
    },
    presets=ONCE,
)
def paths(*, samples, drawn, rng):
    """Predictions at labels 0 to 99 of a few samples that are hallucinations, and of others."""
    found, bad = smooth_samples(samples, rng)
    chosen = np.concatenate([np.flatnonzero(kind)[:drawn] for kind in (bad, ~bad)])
    return [
        {"sample": i, "hallucinated": bad[i], "label": t, "prediction": found.paths[t, i, 0]}
        for i in chosen
        for t in range(100)
    ]
