"""The law of a point and its noise level, p_sigma(x) p(sigma), for isotropic mixtures."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_array, check_int
from theorytk.diffusion._mcmc_kernels import level_posterior, score_and_logpdf
from theorytk.diffusion.targets import MixtureTarget

__all__ = ["JointLaw"]

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class JointLaw:
    """The law of (x, sigma): sigma one of M levels, x = x_0 + sigma eps with x_0 of a mixture.

    Parameters
    ----------
    target : MixtureTarget
        The law of the data; every covariance a multiple of the identity.
    levels : array_like, shape (M,)
        The noise levels, > 0 and increasing.
    prior : array_like, shape (M,), optional
        Their probabilities, > 0, divided by their sum; equal by default, which for geometric levels
        is the log-uniform prior.

    References
    ----------
    B. Kim and J. C. Ye, Denoising MCMC (ICML 2023): the joint law. Their noise classifier stands
    for the posterior of the levels, which is exact here.

    Examples
    --------
    >>> joint = JointLaw(MixtureTarget([1.0], [[0.0]], [1.0]), [0.1, 1.0, 10.0])
    >>> joint.posterior([[0.0], [30.0]]).round(2)
    array([[0.55, 0.39, 0.06],
           [0.  , 0.  , 1.  ]])
    """

    target: MixtureTarget
    levels: Array
    prior: Array | None = None
    _variances: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.target, MixtureTarget):
            raise TypeError(f"target must be a MixtureTarget; got {self.target!r}")
        covariances = self.target.law.covariances
        variances = covariances[:, 0, 0].copy()
        if not np.array_equal(covariances, variances[:, None, None] * np.eye(len(covariances[0]))):
            raise ValueError("target must have covariances that are multiples of the identity")
        levels = check_array("levels", self.levels, ndim=1)
        if len(levels) == 0 or levels[0] <= 0 or not np.all(np.diff(levels) > 0):
            raise ValueError(f"levels must be positive and increase strictly; got {levels}")
        prior = np.ones(len(levels)) if self.prior is None else self.prior
        prior = check_array("prior", prior, shape=(len(levels),))
        if not np.all(prior > 0):
            raise ValueError(f"prior must be > 0; got {prior.min():g}")
        object.__setattr__(self, "levels", levels)
        object.__setattr__(self, "prior", prior / prior.sum())
        object.__setattr__(self, "_variances", variances)

    @cached_property
    def _masses(self) -> tuple[Array, Array]:
        """Return log masses and halved precisions of the components at the levels, (M, K)."""
        V = self._variances + self.levels[:, None] ** 2
        log_masses = np.log(self.prior)[:, None] + np.log(self.target.law.weights)  # type: ignore[arg-type]
        return log_masses - self.target.dimension / 2 * np.log(V), 0.5 / V

    def score(self, x: Any, sigma: Any) -> Array:
        """Return the gradients by x of the log density, each point (n, d) at its level (n,)."""
        return self.score_and_logpdf(x, sigma)[0]

    def score_and_logpdf(self, x: Any, sigma: Any) -> tuple[Array, Array]:
        """Return the scores (n, d) and the log densities (n,) of x given its level."""
        x = check_array("x", x, shape=(None, self.target.dimension))
        sigma = check_array("sigma", sigma, shape=(len(x),))
        if (sigma < 0).any():
            raise ValueError(f"sigma must be >= 0; got {sigma.min():g}")
        law = self.target.law
        score, logpdf = score_and_logpdf(x, sigma, np.log(law.weights), law.means, self._variances)
        return score, logpdf

    def posterior(self, x: Any) -> Array:
        """Return the probabilities of the levels given points (n, d), shape (n, M)."""
        x = check_array("x", x, shape=(None, self.target.dimension))
        probabilities: Array = level_posterior(x, self.target.law.means, *self._masses)
        return probabilities

    def draw_levels(self, x: Any, rng: int | np.random.Generator | None = None) -> Array:
        """Return a draw of the level of each point (n, d) from its posterior, shape (n,)."""
        cumulative = np.cumsum(self.posterior(x), axis=1)
        u = as_generator(rng).random(len(cumulative))
        drawn = (cumulative < u[:, None]).sum(axis=1)
        levels: Array = self.levels[np.minimum(drawn, len(self.levels) - 1)]
        return levels

    def sample(self, n: int, rng: int | np.random.Generator | None = None) -> tuple[Array, Array]:
        """Return n independent draws (n, d) of x with their levels (n,)."""
        rng = as_generator(rng)
        n = check_int("n", n, lower=0)
        sigma = rng.choice(self.levels, n, p=self.prior)
        return self.sample_given(sigma, rng), sigma

    def sample_given(self, sigma: Any, rng: int | np.random.Generator | None = None) -> Array:
        """Return a draw of x (n, d) for each of the levels (n,)."""
        sigma, rng = check_array("sigma", sigma, ndim=1), as_generator(rng)
        clean = self.target.sample(len(sigma), rng)
        noisy: Array = clean + sigma[:, None] * rng.standard_normal(clean.shape)
        return noisy
