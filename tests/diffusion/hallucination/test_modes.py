"""Widths by the law of a whole chain, and weights by averages of posteriors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from theorytk.diffusion.hallucination import (
    exact_denoiser,
    grid_mixture,
    line_mixture,
    sample_chain,
    steep_schedule,
    subsample_schedule,
    tabulate,
    three_in_a_row,
)
from theorytk.diffusion.hallucination.modes import mode_spread, start_tilt

SCHEDULE = subsample_schedule(steep_schedule(), 60)


@pytest.mark.parametrize(("eta", "variance"), [(1.0, "large"), (1.0, "small"), (0.25, "large")])
def test_samples_of_one_mode_have_the_spread(eta, variance):
    target, n = line_mixture([0.3], 0.2), 40_000
    table = tabulate(exact_denoiser(target, SCHEDULE), SCHEDULE, np.linspace(-8, 8, 3001))
    x = sample_chain(table, SCHEDULE, n, eta=eta, variance=variance, rng=0).x
    law = mode_spread(0.2, SCHEDULE, eta=eta, variance=variance)
    # The sample's standard deviation errs by law / sqrt(2 n): five of them are 1.8%.
    assert x.std() == pytest.approx(law, rel=0.018)
    assert abs(law / 0.2 - 1) > 0.018


def test_more_steps_of_the_flow_bring_the_spread_nearer_to_the_data():
    schedules = [subsample_schedule(steep_schedule(), n) for n in (60, 200, 1000)]
    lost = [0.2 - mode_spread(0.2, schedule, eta=0.0) for schedule in schedules]
    assert 0.06 > lost[0] > 2 * lost[1] > 4 * lost[2] > 0


def tilted(target, alpha, j):
    """Return the mean posterior weight of a mode under N(0, 1), by quadrature."""
    weights, means, spread = target.law.weights, target.law.means[:, 0], 0.3
    sd = np.sqrt(alpha**2 * spread**2 + 1 - alpha**2)

    def integrand(x):
        densities = weights * norm.pdf(x, alpha * means, sd)
        return densities[j] / densities.sum() * norm.pdf(x)

    return quad(integrand, -12, 12, epsabs=1e-13)[0]


def test_the_tilt_is_that_of_posterior_weights_to_first_order():
    target = line_mixture([-1.0, 0.5, 3.0], 0.3, [0.2, 0.5, 0.3])
    errors = []
    for alpha in (0.05, 0.025):
        exact = [tilted(target, alpha, j) - w for j, w in enumerate(target.law.weights)]
        law = start_tilt(target, alpha)
        assert law == pytest.approx(exact, rel=0.05, abs=1e-6)
        errors.append(np.abs(law - exact).max())
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.1)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"sigma must be .*> 0; got 0"):
        mode_spread(0.0, SCHEDULE)
    with pytest.raises(ValueError, match="target must have dimension 1; got 2"):
        start_tilt(grid_mixture(), 0.1)
    with pytest.raises(ValueError, match=r"alpha must be .*<= 1; got 2"):
        start_tilt(three_in_a_row(), 2.0)
