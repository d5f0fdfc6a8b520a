"""What the private estimators share: parameters, bounds, budgets and the account of fits."""

from __future__ import annotations

import inspect
from typing import Any, Self

import numpy as np

from theorytk._validation import check_array, check_real
from theorytk.privacy._arguments import Array
from theorytk.privacy.conversions import zcdp_rho
from theorytk.privacy.guarantees import PrivacyGuarantee, compose

__all__ = ["NotFittedError", "PrivateEstimator", "budget", "check_bounds", "check_points"]


class NotFittedError(ValueError, AttributeError):
    """A query came before ``fit``; derives from the same classes as scikit-learn's error."""


class PrivateEstimator:
    """Base of the private estimators: scikit-learn's parameter conventions and a spent budget.

    Attributes
    ----------
    guarantee_ : PrivacyGuarantee
        The guarantee of the latest fit.
    spent_ : PrivacyGuarantee
        All fits of this object composed: each one releases anew and spends anew.
    """

    guarantee_: PrivacyGuarantee
    spent_: PrivacyGuarantee

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's parameters by name; `deep` changes nothing."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Set parameters of the constructor; they act at the next fit."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(f"{name!r} is no parameter of {type(self).__name__}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self)).parameters
        given = ", ".join(
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if value is not defaults[name].default and value != defaults[name].default
        )
        if not hasattr(self, "spent_"):
            return f"{type(self).__name__}({given})"
        spent = "" if self._fits == 1 else f", spent in {self._fits} fits: {self.spent_!r}"
        return f"<{type(self).__name__}({given}) fitted: {self.guarantee_!r}{spent}>"

    def _spend(self, guarantee: PrivacyGuarantee) -> None:
        """Enter a release in the account; called before the noise is drawn."""
        earlier = [self.spent_] if hasattr(self, "spent_") else []
        self.spent_ = compose([*earlier, guarantee]) if earlier else guarantee
        self.guarantee_ = guarantee
        self._fits: int = getattr(self, "_fits", 0) + 1

    def _check_fitted(self, method: str) -> None:
        if not hasattr(self, "guarantee_"):
            raise NotFittedError(f"call {type(self).__name__}.fit before {method}")


def check_bounds(bounds: Any, d: int) -> tuple[Array, Array]:
    """Return the ends (lower, upper), each of shape (d,), of a public box."""
    if bounds is None:
        raise ValueError(
            "bounds must be public: give (lower, upper) or two rows of d numbers, chosen without "
            "looking at the data"
        )
    ends = check_array("bounds", bounds)
    if ends.shape not in ((2,), (2, d)):
        raise ValueError(f"bounds must have shape (2,) or (2, {d}); got {ends.shape}")
    lower, upper = (np.broadcast_to(end, (d,)).copy() for end in ends)
    if not (lower < upper).all():
        raise ValueError(f"bounds must have lower < upper; got {ends.tolist()}")
    return lower, upper


def check_points(X: Any, bounds: Any, clip: bool) -> tuple[Array, Array, Array]:
    """Return (points of shape (n, d), lower ends, upper ends); outside is an error unless clipped.

    That a point lies outside is told by the error, before any noise protects it.
    """
    X = check_array("X", X, shape=(None, None))
    lower, upper = check_bounds(bounds, X.shape[1])
    outside = ((lower > X) | (upper < X)).any(axis=1)
    if outside.any() and not clip:
        raise ValueError(
            f"X must lie within bounds; {int(outside.sum())} of {len(X)} points do not (clip=True "
            "moves them to the nearest point of the box)"
        )
    return np.clip(X, lower, upper), lower, upper


def budget(epsilon: Any, rho: Any, delta: Any) -> tuple[bool, float]:
    """Return (whether the noise is Gaussian, its rho or else its pure epsilon).

    A `rho` takes the place of epsilon and delta; a delta > 0 buys the rho that it converts to.
    """
    delta = check_real("delta", delta, lower=0.0, upper=1.0, upper_open=True)
    if rho is not None:
        if delta > 0:
            raise ValueError("give either rho or delta, not both")
        return True, check_real("rho", rho, lower=0.0, lower_open=True)
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    return (True, zcdp_rho(epsilon, delta)) if delta > 0 else (False, epsilon)
