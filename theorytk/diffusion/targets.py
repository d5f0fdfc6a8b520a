"""Targets: laws of data, and guided pairs of them, whose predictions are exact."""

from __future__ import annotations

from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_int, check_real
from theorytk.diffusion._mixtures import GaussianTarget, MixtureTarget, Target

__all__ = [
    "GaussianTarget",
    "GuidedTarget",
    "MixtureTarget",
    "Target",
    "random_mixture",
    "three_modes",
]


class GuidedTarget(Target):
    """Classifier-free guidance: the noise e_u + scale (e_c - e_u) of two exact targets.

    Parameters
    ----------
    unconditional, conditional : Target
        Targets of one dimension.
    scale : float
        The guidance scale; 0 gives the first, 1 the second target.

    References
    ----------
    J. Ho and T. Salimans, Classifier-free diffusion guidance, arXiv:2207.12598, in the scale of
    Lu et al., arXiv:2211.01095.

    Examples
    --------
    >>> mixture = MixtureTarget([0.5, 0.5], [-1.0, 1.0], [0.1, 0.1])
    >>> GuidedTarget(mixture, mixture.component(1), 2.0).data([[0.0]], 0.0, 1.0)
    array([[2.]])
    """

    def __init__(self, unconditional: Target, conditional: Target, scale: float) -> None:
        for name, target in (("unconditional", unconditional), ("conditional", conditional)):
            if not isinstance(target, Target):
                raise TypeError(f"{name} must be a Target; got {target!r}")
        if unconditional.dimension != conditional.dimension:
            raise ValueError(
                "unconditional and conditional must have one dimension; got "
                f"{unconditional.dimension}, {conditional.dimension}"
            )
        self.unconditional, self.conditional = unconditional, conditional
        self.scale = check_real("scale", scale)

    @property
    def dimension(self) -> int:
        """The dimension d."""
        return self.unconditional.dimension

    def noise(self, x: Any, alpha: float, sigma: float) -> Any:
        """Return the guided noise prediction."""
        base = self.unconditional.noise(x, alpha, sigma)
        return base + self.scale * (self.conditional.noise(x, alpha, sigma) - base)

    def data(self, x: Any, alpha: float, sigma: float) -> Any:
        """Return the guided data prediction."""
        base = self.unconditional.data(x, alpha, sigma)
        return base + self.scale * (self.conditional.data(x, alpha, sigma) - base)

    def score(self, x: Any, alpha: float, sigma: float) -> Any:
        """Return the guided score, which in general is no law's."""
        base = self.unconditional.score(x, alpha, sigma)
        return base + self.scale * (self.conditional.score(x, alpha, sigma) - base)


def three_modes() -> MixtureTarget:
    """Return the target of the order tests: three diagonal Gaussians in the plane.

    Returns
    -------
    MixtureTarget

    Examples
    --------
    >>> three_modes().law.weights
    array([0.4 , 0.35, 0.25])
    """
    return MixtureTarget(
        [0.4, 0.35, 0.25],
        [[1.2, -0.6], [-0.9, 0.8], [0.1, -1.4]],
        [[0.09, 0.16], [0.12, 0.05], [0.2, 0.1]],
    )


def random_mixture(
    d: int, n_components: int, rng: int | np.random.Generator | None = None
) -> MixtureTarget:
    """Return a random mixture of diagonal Gaussians.

    The weights are Dirichlet with parameters 5, the means standard normal, the variances uniform on
    [0.05, 0.25].

    Parameters
    ----------
    d, n_components : int
        Dimension and number of components, >= 1.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    MixtureTarget

    Examples
    --------
    >>> random_mixture(8, 10, rng=0).dimension
    8
    """
    d, K = check_int("d", d, lower=1), check_int("n_components", n_components, lower=1)
    rng = as_generator(rng)
    weights = rng.dirichlet(np.full(K, 5.0))
    return MixtureTarget(weights, rng.standard_normal((K, d)), rng.uniform(0.05, 0.25, (K, d)))
