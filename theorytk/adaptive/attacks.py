"""The two-stage attack on answers to random queries, over packed or regenerated signs.

Everything here is on the scale of +-1: n points, k queries, and s_ij = u_j(x_i) y_i is a fair sign.
A query's answer is its mean over the sample plus noise. An answer's noise of standard deviation t
on the scale [0, 1] is 2 t here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_array, check_choice, check_int, check_real
from theorytk.adaptive import _kernels

__all__ = [
    "NOISES",
    "WEIGHTS",
    "AttackResult",
    "PackedQueries",
    "SignStream",
    "plurality_attack",
    "random_signs",
    "two_stage_attack",
    "vote_margins",
]

Array = np.ndarray

WEIGHTS = ("linear", "sign", "select")
NOISES = ("gaussian", "laplace")

BLOCK_WORDS, BLOCK_LABELS = 2**14, 2**16


@dataclass(frozen=True)
class PackedQueries:
    """Values 0 or 1 of k queries at n points, one bit each.

    Parameters
    ----------
    words : ndarray of uint64, shape (k, ceil(n / 64))
        Bit i % 64 of ``words[j, i // 64]`` is the value of query j at point i; bits from n on
        are 0.
    n : int
        Points of the sample.

    Examples
    --------
    >>> packed = PackedQueries.pack([[True, False, True], [False, False, True]])
    >>> packed.words.tolist(), packed.counts().tolist()
    ([[5], [4]], [2, 1])
    """

    words: Array
    n: int

    @classmethod
    def pack(cls, values: Any) -> PackedQueries:
        """Pack values 0 or 1, of shape (k, n)."""
        array = check_array("values", values, ndim=2)
        wrong = array[(array != 0) & (array != 1)]
        if len(wrong):
            raise ValueError(f"values must be 0 or 1; got {wrong[0]:g}")
        k, n = array.shape
        padded = np.zeros((k, -(-n // 64) * 64), np.uint8)
        padded[:, :n] = array
        words = np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)
        return cls(words, n)

    @property
    def k(self) -> int:
        """Number of queries."""
        return len(self.words)

    def unpack(self) -> Array:
        """Return the values, an array of bool of shape (k, n)."""
        octets = self.words.astype("<u8").view(np.uint8)
        return np.unpackbits(octets, axis=1, bitorder="little", count=self.n).astype(bool)

    def block(self, first: int, count: int) -> Array:
        """Return the words of `count` queries from number `first` on, as a view."""
        return self.words[first : first + count]

    def counts(self) -> Array:
        """Return how many points have the value 1, for each query, shape (k,)."""
        return _ones(self.words)

    def means(self) -> Array:
        """Return the means over the sample, in [0, 1], shape (k,)."""
        return self.counts() / self.n


@dataclass(frozen=True)
class SignStream:
    """Fair bits of k queries at n points that are computed when needed, and take no memory.

    Parameters
    ----------
    n : int
        Points of the sample, >= 1.
    k : int
        Queries, >= 1.
    key : int
        The start of the generator, in [0, 2^64). The same key gives the same bits.

    References
    ----------
    Steele, Lea, Flood (OOPSLA 2014), splitmix64: word t of the stream depends on key and t alone.

    Examples
    --------
    >>> stream = SignStream(n=100, k=3, key=1)
    >>> bool((stream.stored().words[1:] == stream.block(1, 2)).all())
    True
    """

    n: int
    k: int
    key: int

    def __post_init__(self) -> None:
        check_int("n", self.n, lower=1)
        check_int("k", self.k, lower=1)
        check_int("key", self.key, lower=0, upper=2**64 - 1)

    def block(self, first: int, count: int) -> Array:
        """Return the words of `count` queries from number `first` on."""
        words = np.empty((min(count, self.k - first), -(-self.n // 64)), np.uint64)
        tail = np.uint64(2**64 - 1 >> -self.n % 64)
        _kernels.hash_words(np.uint64(self.key), np.uint64(first), tail, words)
        return words

    def stored(self) -> PackedQueries:
        """Return the same bits in memory."""
        return PackedQueries(self.block(0, self.k), self.n)


@dataclass(frozen=True)
class AttackResult:
    """What an attack's classifier does on the sample that it was built from.

    Parameters
    ----------
    accuracy : float
        Share of the points whose label it gives; a tie counts one half. On the population the
        accuracy is exactly 1/2 (one over the number of classes for `plurality_attack`).
    margins : ndarray, shape (n,)
        For each point the weighted vote for its label, less that for the strongest other label.
    """

    accuracy: float
    margins: Array


def random_signs(n: int, k: int, rng: Any = None) -> SignStream:
    """Return a stream of fair bits with a random key.

    Parameters
    ----------
    n, k : int
        Points and queries, >= 1.
    rng : int, Generator or None
        Randomness of the key.

    Returns
    -------
    SignStream
        The stream.

    Examples
    --------
    >>> random_signs(100, 10, rng=0).k
    10
    """
    key = as_generator(rng).integers(2**64, dtype=np.uint64)
    return SignStream(n, k, int(key))


def two_stage_attack(
    signs: PackedQueries | SignStream,
    *,
    weights: str = "linear",
    sigma: float = 0.0,
    noise: str = "gaussian",
    rng: Any = None,
) -> AttackResult:
    """Ask k random queries, weigh them by their answers, and classify the sample by the vote.

    Parameters
    ----------
    signs : PackedQueries or SignStream
        Bit i of query j tells whether it agrees with the label of point i. A stream needs memory
        for the n margins only, whatever k is.
    weights : {"linear", "sign", "select"}
        The weight of query j: its answer a_j, the sign of a_j (0 of 0), or 1 where a_j >= 0 and 0
        elsewhere, which is how the boosting attack keeps what scored no worse than chance.
    sigma : float
        Standard deviation of an answer's noise, on the scale of +-1.
    noise : {"gaussian", "laplace"}
        Its law.
    rng : int, Generator or None
        Randomness of the noise.

    Returns
    -------
    AttackResult
        The accuracy within the sample and the margins sum_j w_j s_ij, which are exact for the
        weights "sign" and "select", and for all without noise.

    References
    ----------
    Dwork et al. (STOC 2015), appendix; Blum, Hardt (ICML 2015), Section 4, for "select". The laws
    are in `theorytk.adaptive.attack_laws`.

    Examples
    --------
    >>> result = two_stage_attack(random_signs(1001, 1000, rng=0), rng=1)
    >>> 0.8 < result.accuracy < 0.88
    True
    """
    if not isinstance(signs, PackedQueries | SignStream):
        raise TypeError(f"signs must be PackedQueries or a SignStream; got {type(signs).__name__}")
    check_choice("weights", weights, WEIGHTS)
    check_choice("noise", noise, NOISES)
    sigma = check_real("sigma", sigma, lower=0.0)
    rng = as_generator(rng)
    n, k = signs.n, signs.k
    vote = _LinearVote(n) if weights == "linear" else _SignVote(n, k)
    rows = max(1, BLOCK_WORDS // -(-n // 64))
    for first in range(0, k, rows):
        words = signs.block(first, rows)
        # The answers times n, which are integers without noise: ties stay ties.
        answers = 2.0 * _ones(words) - n
        if sigma:
            answers += n * _noise(rng, noise, sigma, len(words))
        if weights == "sign":
            answers = np.sign(answers)
        elif weights == "select":
            answers = (answers >= 0).astype(np.float64)
        vote.add(words, answers)
    margins = vote.margins()
    if weights == "linear":
        margins = margins / n
    return AttackResult(_accuracy(margins), margins)


def plurality_attack(n: int, k: int, n_classes: int, rng: Any = None) -> AttackResult:
    """Ask the accuracies of k random labellings and classify the sample by a weighted plurality.

    Parameters
    ----------
    n, k : int
        Points and queries, >= 1.
    n_classes : int
        Classes m, >= 2; labels are uniform. A labelling's weight is its accuracy less 1 / m.
    rng : int, Generator or None
        Randomness of the labellings.

    Returns
    -------
    AttackResult
        The accuracy within the sample, 1 / m on the population.

    References
    ----------
    The attack of Feldman, Frostig, Hardt (ICML 2019), in the form whose law is
    `attack_laws.plurality_accuracy`.

    Examples
    --------
    >>> 0.4 < plurality_attack(500, 200, 3, rng=0).accuracy < 0.6
    True
    """
    n, k = check_int("n", n, lower=1), check_int("k", k, lower=1)
    m = check_int("n_classes", n_classes, lower=2)
    rng = as_generator(rng)
    votes = np.zeros((n, m), np.int64)
    rows = max(1, BLOCK_LABELS // n)
    for first in range(0, k, rows):
        # By symmetry every point's own label is class 0. Weights are whole: ties stay ties.
        shape = (min(rows, k - first), n)
        labels = rng.integers(m, size=shape, dtype=np.min_scalar_type(m - 1))
        _kernels.add_plurality(labels, m, votes)
    margins = (votes[:, 0] - votes[:, 1:].max(axis=1)) / (n * m)
    tied = (votes == votes[:, :1]).sum(axis=1)
    return AttackResult(float(((margins >= 0) / tied).mean()), margins)


def vote_margins(signs: PackedQueries | SignStream, weights: Any) -> Array:
    """Return the margins sum_j w_j s_ij of a weighted vote, one for each point.

    Parameters
    ----------
    signs : PackedQueries or SignStream
        Bit i of query j tells whether it agrees with the label of point i.
    weights : array_like, shape (k,)
        The weights w_j.

    Returns
    -------
    ndarray, shape (n,)
        Positive where the vote gives the point's label.

    Examples
    --------
    >>> vote_margins(PackedQueries.pack([[1, 0], [1, 1]]), [0.5, 0.25])
    array([ 0.75, -0.25])
    """
    values = check_array("weights", weights, shape=(signs.k,))
    vote = _LinearVote(signs.n)
    rows = max(1, BLOCK_WORDS // -(-signs.n // 64))
    for first in range(0, signs.k, rows):
        vote.add(signs.block(first, rows), values[first : first + rows])
    return vote.margins()


class _LinearVote:
    """Sums of real weights."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.totals = np.zeros((-(-n // 64), 64))
        self.weight = 0.0

    def add(self, words: Array, weights: Array) -> None:
        _kernels.add_weighted(words, weights, self.totals)
        self.weight += weights.sum()

    def margins(self) -> Array:
        return 2 * self.totals.ravel()[: self.n] - self.weight


class _SignVote:
    """Counts of the weights -1, 0 and 1."""

    def __init__(self, n: int, k: int) -> None:
        self.n = n
        self.added = 0
        self.sums = np.zeros((k.bit_length() + 1, -(-n // 64)), np.uint64)
        self.pending = np.zeros_like(self.sums)

    def add(self, words: Array, weights: Array) -> None:
        self.added = _kernels.add_signed(words, weights, self.added, self.sums, self.pending)

    def margins(self) -> Array:
        agreements = np.empty(self.n, np.int64)
        _kernels.read_counters(self.added, self.sums, self.pending, agreements)
        return (2 * agreements - self.added).astype(np.float64)


def _ones(words: Array) -> Array:
    counts = np.empty(len(words), np.int64)
    _kernels.count_ones(words, counts)
    return counts


def _noise(rng: np.random.Generator, noise: str, sigma: float, size: int) -> Array:
    if noise == "gaussian":
        return sigma * rng.standard_normal(size)
    return rng.laplace(scale=sigma / np.sqrt(2), size=size)


def _accuracy(margins: Array) -> float:
    return float((margins > 0).mean() + 0.5 * (margins == 0).mean())
