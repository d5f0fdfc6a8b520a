"""Dynamic thresholding: what it bounds."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import GuidedTarget, MixtureTarget, sample, time_grid
from theorytk.diffusion.torch import to_device, to_numpy
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, violations_estimate

from .common import DPMPP, SCHEDULE
from .samplers import SAMPLERS


def guided_in_box(rng):
    """Return a mixture within [-1, 1]^8 guided towards a component, by a scale up to 30."""
    means = rng.uniform(-0.9, 0.9, (6, 8))
    mixture = MixtureTarget(rng.dirichlet(np.full(6, 5.0)), means, np.full(6, 1e-3))
    return GuidedTarget(mixture, mixture.component(0), np.exp(rng.uniform(0, np.log(30))))


@experiment(
    "diffusion-samplers/thresholding",
    paper=DPMPP,
    design=grid(quantile=0.995),
    paired=("quantile", "algorithm", "device"),
    columns={"ratio": Column("largest coordinate of the part added to the start, over its bound")},
    presets={"quick": dict(replicates=100), "paper": dict(replicates=2000)},
    block=50,
    algorithm="algorithm",
)
def thresholding(*, quantile, algorithm="ddim", device="cpu", rng):
    """Sampling a guided mixture with dynamic thresholding, or without (quantile 0).

    The algorithm is ``algorithm(schedule, times, bootstrap) -> Plan``, in data prediction.
    """
    target, kind = guided_in_box(rng), ("logsnr", "uniform")[rng.integers(2)]
    times = time_grid(SCHEDULE, kind, int(rng.integers(3, 21)))
    x = rng.standard_normal((8, 8))
    plan = SAMPLERS.get(algorithm, algorithm)(SCHEDULE, times, 0)
    options = dict(threshold=quantile) if quantile else {}
    result = sample(plan, target.model(SCHEDULE), to_device(x, device), **options).x
    sigma, lam = SCHEDULE.sigma(times[[0, -1]]), SCHEDULE.lam(times[[0, -1]])
    bound = SCHEDULE.alpha(times[-1]) * -np.expm1(lam[0] - lam[1])
    return {"ratio": np.max(np.abs(to_numpy(result) - sigma[1] / sigma[0] * x)) / bound}


@claim(
    "diffusion-samplers/thresholded-ddim-is-bounded",
    theorem="derived here, for dynamic thresholding as in DPM-Solver++",
    status="ours",
    statement=r"With dynamic thresholding DDIM ends within "
    r"$|x_N-\frac{\sigma_N}{\sigma_0}x_0|_\infty\le\alpha_N(1-e^{\lambda_0-\lambda_N})$, for every "
    "model, guidance scale and grid.",
    experiment=thresholding,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a ratio above 1 + 1e-12, the rounding of 20 steps",
    assumptions=(Assumption("predictions of data, at least two coordinates"),),
    control=(
        Control("no thresholding", quantile=0),
        Control("2M, whose weights are not all positive", algorithm="dpmpp_2m"),
    ),
)
def thresholded_ddim_is_bounded(table):
    """Share of runs beyond the bound."""
    return violations_estimate(int((table["ratio"] > 1 + 1e-12).sum()), len(table))
