"""How the results of DPM-Solver-v3 depend on the draws that its statistics come from."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import random_mixture, time_grid
from theorytk.diffusion.tuning.estimation import estimate_statistics
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between, slope_estimate

from ..diffusion_samplers.common import SCHEDULE, run
from .common import V3, named

DIMENSION, STARTS, EVALUATIONS, NODES = 2, 16, 7, 21
SAMPLES = (64, 1024)
SPREADS = [f"spread_{k}" for k in SAMPLES]


class SideBySide:
    """A target on states (n, repeats, d): independent estimates in one call."""

    def __init__(self, target):
        self.target, self.exact = target, target.model(SCHEDULE)

    def __call__(self, x, t):
        """Return the noise predictions, of the shape of x."""
        return self.exact.predict("noise", x.reshape(-1, DIMENSION), t).reshape(x.shape)

    def score_jacobian_diagonal(self, x, alpha, sigma):
        """Return the diagonals of the Jacobians of the score, of the shape of x."""
        points = x.reshape(-1, DIMENSION)
        return self.target.score_jacobian_diagonal(points, alpha, sigma).reshape(x.shape)


def clean_data(target, n, repeats, n_examples, rng):
    """Return clean data (n, repeats, d), fresh or drawn again from a few examples per repeat."""
    shape = (n_examples or n, repeats, DIMENSION)
    fresh = target.sample(shape[0] * repeats, rng).reshape(shape)
    if n_examples is None:
        return fresh
    which = rng.integers(n_examples, size=(n, repeats, 1))
    return np.take_along_axis(fresh, which, axis=0)


def spread(algorithm, model, starts, statistics, device):
    """Return the standard deviation of results over repeats: geometric mean over the rest."""
    plan = named(algorithm)(SCHEDULE, time_grid(SCHEDULE, "logsnr", EVALUATIONS), statistics, 0)
    states = np.repeat(starts[:, None], statistics.event[0], axis=1)
    return np.exp(np.log(run(plan, model, states[None], device).std(axis=1, ddof=1)).mean())


@experiment(
    "tuned-samplers/v3-statistics-spread",
    paper=V3,
    design=grid(algorithm="v3 predictor"),
    paired=("algorithm", "n_examples", "device"),
    columns={
        name: Column(f"geometric mean of deviations of coordinates over statistics from {k} draws")
        for name, k in zip(SPREADS, SAMPLES, strict=True)
    },
    presets={"quick": dict(replicates=24), "paper": dict(replicates=200)},
    block=24,
    algorithm="algorithm",
)
def statistics_spread(*, algorithm, n_examples=None, repeats=10, device="cpu", rng):
    """Spread of end points at 7 evaluations over independent estimates of the statistics.

    One random mixture of three Gaussians in the plane and 16 starts. Every estimate draws its own
    clean data, all of them fresh or from `n_examples` of its own. The algorithm is
    ``algorithm(schedule, times, statistics, bootstrap) -> Plan`` with an evaluation per step.
    """
    target = random_mixture(DIMENSION, 3, rng)
    model, starts = SideBySide(target), rng.standard_normal((STARTS, DIMENSION))
    row = {}
    for name, n in zip(SPREADS, SAMPLES, strict=True):

        def draw(n, rng):
            return clean_data(target, n, repeats, n_examples, rng)

        options = dict(n_nodes=NODES, n_samples=n, jacobian="exact", rng=rng)
        statistics = estimate_statistics(model, draw, SCHEDULE, **options)
        row[name] = spread(algorithm, model, starts, statistics, device)
    return row


@claim(
    "tuned-samplers/v3-sample-size",
    theorem="derived here: delta method for the statistics of the model",
    status="ours",
    statement=r"The spread of the results of DPM-Solver-v3 over the $K$ draws that its statistics "
    r"are estimated from shrinks as $K^{-1/2}$.",
    experiment=statistics_spread,
    region=Between(-0.6, -0.4),
    reason="a variance c/K (1 + a/K) moves the slope from K = 64 to 1024 by a/355: |a| <= 35",
    assumptions=(
        Assumption("random mixtures of three Gaussians in the plane, exact predictions"),
        Assumption("order 3 without corrector, 7 steps uniform in lambda, VP linear"),
        Assumption("fresh clean data in every estimate, the same at its 21 nodes"),
    ),
    control=(Control("all draws from 16 examples, with new noises", n_examples=16),),
)
def sample_size(table):
    """Slope of the logarithm of the spread against that of the number of draws."""
    return slope_estimate(np.log(SAMPLES), np.log(table[SPREADS].to_numpy()))
