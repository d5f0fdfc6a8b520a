"""Private classification for scikit-learn; needs the extra ``theorytk[sklearn]``."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_choice
from theorytk.privacy._arguments import Array
from theorytk.privacy._estimator import PrivateEstimator, budget
from theorytk.privacy.classification import class_features
from theorytk.privacy.guarantees import NEIGHBOURS, PrivacyGuarantee
from theorytk.privacy.kernels import random_frequencies
from theorytk.privacy.noise import PrivacyWarning

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "theorytk.privacy.sklearn needs scikit-learn; install it with: "
        "pip install 'theorytk[sklearn]'"
    ) from error

__all__ = ["SimilarityClassifier"]


class SimilarityClassifier(ClassifierMixin, BaseEstimator, PrivateEstimator):  # type: ignore[misc]
    """Give each query the class with the largest average kernel, privately.

    ``fit`` releases noisy sums of random features and a noisy count for each class, once;
    predictions only process them and are unlimited.

    Parameters
    ----------
    kernel : {"gaussian", "exponential", "laplacian", "cauchy", "inverse"}
        As in `PrivateKernelSum`.
    bandwidth : float
        Distances are divided by it, > 0.
    n_features : int
        Number of frequencies, >= 1. A pure budget has Laplace noise, which grows with it; a budget
        with rho or delta has Gaussian noise, which does not.
    classes : array_like, optional
        The classes, which are public. By default those in y, with a `PrivacyWarning`: which
        classes occur depends on the data.
    count_share : float
        Share in [0, 1) of the budget for the counts. With 0 classes are compared by their sums of
        similarities, in which large classes weigh more, as in Bayes' rule.
    epsilon : float
        Privacy epsilon > 0, pure unless `delta` is positive.
    rho : float, optional
        zCDP > 0 by Gaussian noise, in place of `epsilon`.
    delta : float
        In [0, 1): if positive, the Gaussian noise that makes (epsilon, delta).
    neighbours : {"add_remove", "replace"}
        Neighbouring relation; with "replace" a point may change its class too.
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.
    rng : int, numpy.random.Generator or None
        Random state of noise and frequencies; ``None`` is the entropy of the operating system. An
        integer gives every fit the same noise: for tests, never for private data.

    Attributes
    ----------
    classes_ : ndarray, shape (classes,)
        The classes, sorted.
    n_features_in_ : int
        Dimension of the points.
    guarantee_ : PrivacyGuarantee
        Of the latest fit; its sensitivity is in units of the noise scales.
    spent_ : PrivacyGuarantee
        Of all fits of this object together: each one releases anew.
    mechanism_ : ClassFeatures
        What was released, for audits.

    References
    ----------
    Backurs, Lin, Mahabadi, Silwal, Tarnawski (ICLR 2024), Section 11; `class_features` has the
    noise.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(600, 2)), np.repeat([0, 1], 300)
    >>> X[y == 1] += 3
    >>> model = SimilarityClassifier(classes=[0, 1], epsilon=1.0, delta=1e-5, rng=0).fit(X, y)
    >>> model.predict([[0.0, 0.0], [3.0, 3.0]])
    array([0, 1])
    >>> round(model.guarantee_.epsilon_at(1e-5), 3)
    1.0
    """

    def __init__(
        self,
        *,
        kernel: str = "gaussian",
        bandwidth: float = 1.0,
        n_features: int = 1000,
        classes: Sequence[Any] | None = None,
        count_share: float = 0.1,
        epsilon: float = 1.0,
        rho: float | None = None,
        delta: float = 0.0,
        neighbours: str = "add_remove",
        noise: str = "discrete",
        rng: Any = None,
    ) -> None:
        self.kernel = kernel
        self.bandwidth = bandwidth
        self.n_features = n_features
        self.classes = classes
        self.count_share = count_share
        self.epsilon = epsilon
        self.rho = rho
        self.delta = delta
        self.neighbours = neighbours
        self.noise = noise
        self.rng = rng

    def fit(self, X: Any, y: Any) -> SimilarityClassifier:
        """Release noisy sums of the features of each class; every fit spends the budget again.

        Parameters
        ----------
        X : array_like, shape (n, d)
            Private points, anywhere in R^d.
        y : array_like, shape (n,)
            Their classes, private too.

        Returns
        -------
        SimilarityClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If an argument is out of range or a class is none of `classes`: before anything is
            spent.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        classes, label = self._classes(y)
        gaussian, amount = budget(self.epsilon, self.rho, self.delta)
        check_choice("neighbours", self.neighbours, NEIGHBOURS)
        rng = None if self.rng is None else as_generator(self.rng)
        frequencies = random_frequencies(
            self.kernel, X.shape[1], self.n_features, bandwidth=self.bandwidth, rng=rng
        )
        mechanism = class_features(
            frequencies,
            len(classes),
            epsilon=None if gaussian else amount,
            rho=amount if gaussian else None,
            count_share=self.count_share,
            neighbours=self.neighbours,
            noise=self.noise,
            rng=rng,
        )
        self._spend(
            PrivacyGuarantee(
                neighbours=self.neighbours,
                epsilon=None if self.rho is not None else self.epsilon,
                delta=self.delta,
                rho=amount if gaussian else None,
                sensitivity=math.sqrt(2 * amount) if gaussian else amount,
                norm="l2" if gaussian else "l1",
                noise=f"{self.noise} {'Gaussian' if gaussian else 'Laplace'}",
            )
        )
        self.classes_, self.mechanism_ = classes, mechanism
        self._table = mechanism.synthesise(mechanism.release(np.column_stack([X, label]), rng))
        return self

    def similarities(self, X: Any) -> Array:
        """Return the estimated mean kernel of each query with each class; sums without counts.

        Parameters
        ----------
        X : array_like, shape (q, d)
            Queries, anywhere.

        Returns
        -------
        ndarray, shape (q, classes)
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return self.mechanism_.similarities(self._table, X)

    def decision_function(self, X: Any) -> Array:
        """Return the similarities; of two classes the second less the first.

        Parameters
        ----------
        X : array_like, shape (q, d)
            Queries, anywhere.

        Returns
        -------
        ndarray, shape (q, classes), or (q,) for two classes
        """
        found = self.similarities(X)
        return found[:, 1] - found[:, 0] if len(self.classes_) == 2 else found

    def predict(self, X: Any) -> Any:
        """Return the class of the largest average similarity.

        Parameters
        ----------
        X : array_like, shape (q, d)
            Queries, anywhere.

        Returns
        -------
        ndarray, shape (q,)
        """
        found = self.similarities(X)
        return self.classes_[found.argmax(axis=1)]

    def _classes(self, y: Any) -> tuple[Any, Any]:
        """Return the sorted classes and the index of the class of each point."""
        if self.classes is None:
            warnings.warn(
                "the classes are taken from y and thereby published; give `classes`",
                PrivacyWarning,
                stacklevel=3,
            )
        classes = np.unique(y if self.classes is None else np.asarray(self.classes))
        strangers = np.setdiff1d(y, classes)
        if len(strangers):
            raise ValueError(f"y must hold only the classes {classes}; got {strangers[0]!r}")
        return classes, np.searchsorted(classes, y)

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: noise for privacy may cost any score."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags
