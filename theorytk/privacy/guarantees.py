"""What a release guarantees, and what several releases guarantee together."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass

from theorytk._validation import check_choice, check_real
from theorytk.privacy.conversions import (
    pure_delta,
    pure_zcdp,
    sharp_zcdp_delta,
    sharp_zcdp_epsilon,
)

__all__ = ["NEIGHBOURS", "NORMS", "PrivacyGuarantee", "compose"]

NEIGHBOURS = {
    "add_remove": "one point is added or removed",
    "replace": "one point is replaced by another",
}
NORMS = ("l1", "l2")
JOINED = " and "


@dataclass(frozen=True, repr=False)
class PrivacyGuarantee:
    """A release is (epsilon, delta)-private, or rho-zCDP, or both.

    Parameters
    ----------
    neighbours : {"add_remove", "replace"}
        What the release hides: that one point was added or removed, or what one point was; with
        "replace" the number of points is public.
    epsilon : float, optional
        Privacy epsilon >= 0; with `rho` alone there is none.
    delta : float
        Privacy delta in [0, 1) that goes with `epsilon`.
    rho : float, optional
        Concentrated privacy >= 0.
    sensitivity : float, optional
        Largest change of the released values between neighbours, in the unit of the values.
    norm : {"l1", "l2"}, optional
        Norm of that change.
    noise : str
        Name of the law of the noise.

    Examples
    --------
    >>> release = PrivacyGuarantee(
    ...     neighbours="replace", rho=0.5, sensitivity=2.0, norm="l2", noise="discrete Gaussian"
    ... )
    >>> release
    <0.5-zCDP, neighbours 'replace', l2 sensitivity 2, discrete Gaussian noise>
    >>> round(release.epsilon_at(1e-5), 3)
    4.728
    """

    neighbours: str
    _: KW_ONLY
    epsilon: float | None = None
    delta: float = 0.0
    rho: float | None = None
    sensitivity: float | None = None
    norm: str | None = None
    noise: str = "discrete Laplace"

    def __post_init__(self) -> None:
        """Check every field and store numbers as floats."""
        check_choice("neighbours", self.neighbours, NEIGHBOURS)
        for name in ("epsilon", "rho", "sensitivity"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, check_real(name, value, lower=0.0))
        delta = check_real("delta", self.delta, lower=0.0, upper=1.0, upper_open=True)
        object.__setattr__(self, "delta", delta)
        if self.norm is not None:
            check_choice("norm", self.norm, NORMS)
        if self.epsilon is None and self.rho is None:
            raise ValueError("a guarantee must state epsilon or rho; got neither")
        if self.epsilon is None and delta > 0:
            raise ValueError(f"delta must be 0 where epsilon is not stated; got {delta:g}")

    def __repr__(self) -> str:
        """Return the guarantee in one line."""
        stated = []
        if self.epsilon is not None:
            pure = f"{self.epsilon:.6g}"
            stated.append(f"({pure}, {self.delta:.3g})-DP" if self.delta > 0 else f"{pure}-DP")
        if self.rho is not None:
            stated.append(f"{self.rho:.6g}-zCDP")
        parts = [" and ".join(stated), f"neighbours {self.neighbours!r}"]
        if self.sensitivity is not None:
            parts.append(f"{self.norm or ''} sensitivity {self.sensitivity:.6g}".strip())
        return f"<{', '.join([*parts, f'{self.noise} noise'])}>"

    @property
    def rho_bound(self) -> float:
        """The least known rho of zCDP: as stated, or as pure privacy gives; ``inf`` if neither."""
        bounds = [math.inf]
        if self.rho is not None:
            bounds.append(self.rho)
        if self.epsilon is not None and self.delta == 0:
            bounds.append(pure_zcdp(self.epsilon))
        return min(bounds)

    def delta_at(self, epsilon: float) -> float:
        """Return a delta for which the release is (epsilon, delta)-private, the least known.

        Parameters
        ----------
        epsilon : float
            Privacy epsilon >= 0.

        Returns
        -------
        float
            The least of what the stated (E, delta) gives,
            delta + (1 - delta) (e^E - e^epsilon)_+ / (1 + e^E), and of `sharp_zcdp_delta`.

        References
        ----------
        Kairouz, Oh, Viswanath (ICML 2015), Theorem 3.3; Canonne, Kamath, Steinke (NeurIPS 2020).
        """
        epsilon = check_real("epsilon", epsilon, lower=0.0)
        deltas = []
        if self.epsilon is not None:
            deltas.append(self.delta + (1 - self.delta) * pure_delta(epsilon, self.epsilon))
        if self.rho is not None:
            deltas.append(sharp_zcdp_delta(epsilon, self.rho) if self.rho > 0 else 0.0)
        return min(deltas)

    def epsilon_at(self, delta: float) -> float:
        """Return an epsilon for which the release is (epsilon, delta)-private, the least known.

        Parameters
        ----------
        delta : float
            Privacy delta in [0, 1).

        Returns
        -------
        float
            The least of what the stated epsilon and rho give at this delta; ``inf`` if neither
            gives anything.
        """
        delta = check_real("delta", delta, lower=0.0, upper=1.0, upper_open=True)
        epsilons = [math.inf]
        if self.epsilon is not None and delta >= self.delta:
            # (e^E - e^epsilon) / (1 + e^E) = spare, solved for epsilon.
            spare = (delta - self.delta) / (1 - self.delta)
            scaled = 1 - spare * (1 + math.exp(-self.epsilon))
            least = self.epsilon + math.log(scaled) if scaled > 0 else 0.0
            epsilons.append(max(least, 0.0))
        if self.rho == 0:
            epsilons.append(0.0)
        elif self.rho is not None and delta > 0:
            epsilons.append(sharp_zcdp_epsilon(self.rho, delta))
        return min(epsilons)


def compose(guarantees: Iterable[PrivacyGuarantee], delta: float = 0.0) -> PrivacyGuarantee:
    """Return what several releases guarantee together, also when each was chosen after the last.

    Parameters
    ----------
    guarantees : iterable of PrivacyGuarantee
        One guarantee per release, all of the same neighbouring relation; at least one.
    delta : float
        Privacy delta in [0, 1) of the total; 0 is for the sum of the stated deltas, without any
        conversion.

    Returns
    -------
    PrivacyGuarantee
        Its rho is the sum of the least known rhos where every release has one. Its epsilon is the
        sum of the stated ones or, with `delta`, the least known: releases of finite rho add up as
        zCDP and are converted once, with what the others leave of `delta`.

    Raises
    ------
    ValueError
        If the neighbouring relations differ, there is no release, or `delta` is too small.

    References
    ----------
    zCDP adds up: Bun, Steinke (TCC 2016), Lemma 1.7. Epsilons and deltas add up: Dwork, Roth
    (2014), Theorem 3.16.

    Examples
    --------
    >>> one = PrivacyGuarantee(neighbours="replace", epsilon=0.1)
    >>> compose([one] * 100)
    <10-DP and 0.499584-zCDP, neighbours 'replace', discrete Laplace noise>
    >>> round(compose([one] * 100, delta=1e-6).epsilon, 3)
    5.219
    """
    releases = list(guarantees)
    delta = check_real("delta", delta, lower=0.0, upper=1.0, upper_open=True)
    if not releases:
        raise ValueError("guarantees must hold at least one release; got none")
    relations = sorted({each.neighbours for each in releases})
    if len(relations) > 1:
        listed = " and ".join(repr(each) for each in relations)
        raise ValueError(f"guarantees must share one neighbouring relation; got {listed}")
    rho = math.fsum(each.rho_bound for each in releases)
    epsilon, total = _basic(releases)
    if delta > 0:
        candidates = [(epsilon, total)] if epsilon is not None and total <= delta else []
        candidates += _converted(releases, delta)
        if not candidates:
            raise ValueError(f"delta must exceed what the releases state together; got {delta:g}")
        epsilon, total = min(candidates)
    names = [name for each in releases for name in each.noise.split(JOINED)]
    return PrivacyGuarantee(
        neighbours=relations[0],
        epsilon=epsilon,
        delta=total if epsilon is not None else 0.0,
        rho=rho if math.isfinite(rho) else None,
        noise=JOINED.join(dict.fromkeys(names)),
    )


def _basic(releases: list[PrivacyGuarantee]) -> tuple[float | None, float]:
    """Return the sums of the stated epsilons, None where one is missing, and of the deltas."""
    epsilons = [each.epsilon for each in releases if each.epsilon is not None]
    delta = math.fsum(each.delta for each in releases)
    return (math.fsum(epsilons) if len(epsilons) == len(releases) else None), delta


def _converted(releases: list[PrivacyGuarantee], delta: float) -> list[tuple[float, float]]:
    """Return (epsilon, delta) with the releases of finite rho converted once, if `delta` allows."""
    rho = math.fsum(each.rho_bound for each in releases if each.rho_bound < math.inf)
    rest, used = _basic([each for each in releases if each.rho_bound == math.inf])
    if rho == 0 or rest is None or used >= delta:
        return []
    return [(rest + sharp_zcdp_epsilon(rho, delta - used), delta)]
