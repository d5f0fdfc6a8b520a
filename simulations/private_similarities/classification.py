"""Classification by average similarity: what it costs, and how accurate it is on digits."""

from __future__ import annotations

import functools
import math
import warnings

import numpy as np
from scipy.spatial.distance import cdist

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, AtMost, Between
from theorytk.privacy.audit_structural import worst_pair
from theorytk.privacy.classification import average_noise, class_features
from theorytk.privacy.conversions import zcdp_rho
from theorytk.privacy.dp_sgd import dp_sgd
from theorytk.privacy.guarantees import NEIGHBOURS
from theorytk.privacy.kernels import random_frequencies
from theorytk.privacy.noise import PrivacyWarning

from .estimates import largest, means
from .white_box import opposite_points

PAPER = "backurs2024similarities"
DELTA = 1e-5
DIGITS = 10
SPLITS = Assumption("random splits of one table of 1797 digits: pairs of methods share them")
ACCOUNTS = Assumption("both accounts by Renyi divergences; similarities have 200 features")
FLOAT = Assumption("floating-point noise for speed, whose law is that of the private noise")


@functools.cache
def digits():
    """Return the images as vectors of length 1 and their digits; None without scikit-learn."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        return None
    X, y = load_digits(return_X_y=True)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    X.flags.writeable = y.flags.writeable = False
    return X, y


def by_similarity(bandwidth=0.5, share=0.0, permuted=False, **budget):
    """Return a classifier by similarities with Gaussian noise on random features."""

    def classify(X, y, X_new, epsilon, rng):
        from theorytk.privacy.sklearn import SimilarityClassifier

        options = dict(classes=range(DIGITS), n_features=200, count_share=share)
        spent = budget or dict(epsilon=epsilon, delta=DELTA)
        model = SimilarityClassifier(bandwidth=bandwidth, rng=rng, **options, **spent)
        return model.fit(X, rng.permutation(y) if permuted else y).predict(X_new)

    return classify


def by_gradients(**options):
    """Return a classifier by private gradient descent on the softmax loss."""

    def classify(X, y, X_new, epsilon, rng):
        budget = dict(epsilon=epsilon, delta=DELTA, size=len(X), noise="float")
        return dp_sgd(X, y, DIGITS, rng=rng, **budget, **options).predict(X_new)

    return classify


def by_means(X, y, X_new, epsilon, rng):
    """Classify by the nearest noisy mean; a row and a one for its count have length sqrt(2)."""
    rows = np.column_stack([X, np.ones(len(X))])
    sums = np.array([rows[y == c].sum(axis=0) for c in range(DIGITS)])
    sums += rng.normal(scale=1 / math.sqrt(zcdp_rho(epsilon, DELTA)), size=sums.shape)
    centres = sums[:, :-1] / np.maximum(sums[:, -1:], 1)
    return cdist(X_new, centres).argmin(axis=1)


CLASSIFIERS = {
    "similarity": by_similarity(),
    "average": by_similarity(share=0.1),
    "wide": by_similarity(bandwidth=math.sqrt(0.5)),
    "permuted": by_similarity(permuted=True),
    "means": by_means,
    "sgd 300": by_gradients(steps=300, sampling_rate=0.1),
    "sgd 50": by_gradients(steps=50, sampling_rate=0.5),
}


def split(table, train, rng):
    """Return points and digits of a random split, `train` for fitting: X, y, X_new, y_new."""
    X, y = table
    order = rng.permutation(len(y))
    fitted, rest = order[:train], order[train:]
    return X[fitted], y[fitted], X[rest], y[rest]


def accuracies(names, table, train, epsilon, rng):
    """Return the accuracy of each classifier on a random split, the same for all."""
    X, y, X_new, y_new = split(table, train, rng)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PrivacyWarning)
        for name, own in zip(names, rng.spawn(len(names)), strict=True):
            classify = CLASSIFIERS.get(name, name)
            found.append(float(np.mean(classify(X, y, X_new, epsilon, own) == y_new)))
    return found


@experiment(
    "private-similarities/digits-accuracy",
    paper=PAPER,
    design=grid(
        classifier=["similarity", "average", "means", "sgd 50", "sgd 300"],
        epsilon=[0.25, 0.5, 1, 4],
        train=1257,
    ),
    paired=("classifier",),
    columns={"accuracy": Column("share of the other digits that are recognised")},
    presets={
        "quick": dict(replicates=20),
        "paper": dict(replicates=50, epsilon=[0.25, 0.5, 1, 2, 4, 8]),
    },
    block=10,
)
def digits_accuracy(*, classifier, epsilon, train, rng):
    """Accuracy of private classifiers on scikit-learn's digits, delta = 1e-5."""
    table = digits()
    if table is None:
        return {"accuracy": None}
    (accuracy,) = accuracies([classifier], table, train, epsilon, rng)
    return {"accuracy": accuracy}


@experiment(
    "private-similarities/digits-compared",
    paper=PAPER,
    design=grid(epsilon=[0.25, 1], train=1257, baseline="sgd 300"),
    paired=("classifier",),
    columns={"gain": Column("accuracy of the classifier less that of the baseline")},
    presets={"quick": dict(replicates=30), "paper": dict(replicates=100, epsilon=[0.25, 0.5, 1])},
    block=10,
    algorithm="classifier",
)
def digits_compared(*, epsilon, train, baseline, classifier="similarity", rng):
    """Accuracy against a baseline on the same splits of scikit-learn's digits, delta = 1e-5.

    The algorithm is ``classifier(X, y, X_new, epsilon, rng) -> digits`` of X_new: (epsilon,
    1e-5)-private for added and removed rows of (X, y); rows have length 1.
    """
    table = digits()
    if table is None:
        return {"gain": None}
    found, other = accuracies([classifier, baseline], table, train, epsilon, rng)
    return {"gain": found - other}


PERMUTED = Control("digits permuted before the fit", classifier="permuted")
NEAREST = Control("nearest noisy class means in the place of kernels", classifier="means")


@claim(
    "private-similarities/classify-similarity",
    theorem="Section 11, Figure 3: classification by similarity against DP-SGD; the table is ours",
    status="empirical",
    statement=r"On scikit-learn's digits, for $\varepsilon\le1$ and $\delta=10^{-5}$, the largest "
    "sum of similarities by Gaussian features is at most 3 points less accurate than softmax "
    "regression by DP-SGD of 300 steps on a tenth of the points each.",
    experiment=digits_compared,
    region=AtLeast(0, margin=0.03),
    reason="three points are what we call equal; nothing is asymptotic",
    assumptions=(SPLITS, FLOAT, ACCOUNTS),
    control=(PERMUTED, NEAREST),
    needs=("sklearn",),
)
def as_good_as_gradients(table):
    """Mean gain, per epsilon."""
    return means(table, "gain", "epsilon")


@claim(
    "private-similarities/settings-matter",
    theorem="derived here: the settings of DP-SGD are ours",
    status="empirical",
    statement=r"On digits at $\varepsilon=\frac14$, DP-SGD of 50 steps on half of the points each "
    "is more accurate, by 2 points or more, than of 300 steps on a tenth: a comparison with DP-SGD "
    "is one with its settings.",
    experiment=digits_compared,
    at=dict(epsilon=[0.25], classifier="sgd 50"),
    region=AtLeast(0.02),
    reason="two points are an effect that one sees",
    assumptions=(SPLITS, FLOAT, ACCOUNTS),
    control=(PERMUTED, NEAREST),
    needs=("sklearn",),
)
def settings_of_the_baseline(table):
    """Mean gain."""
    return means(table, "gain", "epsilon")


SHARE = 0.2
NOISES = {
    "as planned": lambda scales: scales,
    "for additions": None,
    "for one count": lambda scales: scales * [1, 0.5],
}


def planned(w, kind, neighbours, noise):
    """Return the sums of three classes with a budget of 1, or with a mistake."""
    budget = {"rho" if kind == "gaussian" else "epsilon": 1.0}
    relation = "add_remove" if noise == "for additions" else neighbours
    mechanism = class_features(w, 3, neighbours=relation, count_share=SHARE, rng=0, **budget)
    change = NOISES[noise]
    return mechanism if change is None else mechanism.with_scales(change(mechanism.scales))


@experiment(
    "private-similarities/class-losses",
    paper=PAPER,
    design=grid(kind=["laplace", "gaussian"], neighbours=list(NEIGHBOURS), d=4),
    paired=("noise",),
    columns={"excess": Column("largest privacy loss over the budget, less one")},
    presets={"quick": dict(replicates=5), "paper": dict(replicates=50)},
    block=5,
)
def class_losses(*, kind, neighbours, d, noise="as planned", rng):
    """Privacy loss of the sums of three classes over labelled points at which waves are extreme."""
    w = random_frequencies("gaussian", d, d, rng=rng)
    mechanism = planned(w, kind, neighbours, noise)
    points = opposite_points(mechanism.features)
    labelled = [np.append(point, c) for point in points for c in range(3)]
    return {"excess": worst_pair(mechanism, labelled, neighbours).loss - 1}


@claim(
    "private-similarities/classifier-budget",
    theorem="parallel composition; for replaced points derived here (class_features)",
    status="ours",
    statement=r"The noisy sums and counts of all classes together spend $\varepsilon$, or $\rho$, "
    "exactly: as much as those of one class for points that are added or removed; and also for "
    r"points that are replaced and may change their class, where under zCDP the counts are free.",
    experiment=class_losses,
    kind="identity",
    region=AtMost(1e-7),
    reason="rounding to a grid of step 2^-32",
    assumptions=(Assumption("as many frequencies as coordinates: all waves extreme at one point"),),
    control=(
        Control("noise for points that are added or removed", noise="for additions"),
        Control("a move between classes counted once", noise="for one count"),
    ),
)
def classes_spend_once(table):
    """Largest deviation from the budget."""
    return largest(table.assign(deviation=table["excess"].abs()), "deviation")


@experiment(
    "private-similarities/average-noise",
    paper=PAPER,
    design=grid(share=[0.1, 0.3], n=400, batch=400),
    paired=("law",),
    columns={"ratio": Column("mean square error of a noisy average over its law")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=200)},
    block=20,
)
def average_errors(*, share, n, batch, law="whole", rng):
    """Averages of a kernel over a noisy count, rho = 1/2, against those of the same features.

    `law` "sum alone" leaves out the noise of the count, "whole budget" its share of the budget.
    """
    w = random_frequencies("gaussian", 2, 20, rng=rng)
    x = rng.normal(size=(n, 2)) / 2
    labelled = np.column_stack([x, np.zeros(n)])
    mechanism = class_features(w, 1, rho=0.5, count_share=share)
    exact = mechanism.with_scales(0 * mechanism.scales).release(labelled)
    mean = mechanism.similarities(exact, x[:1]).item()
    noise = rng.normal(size=(batch, len(exact))) * np.repeat(mechanism.scales, mechanism.sizes)
    found = [mechanism.similarities(exact + each, x[:1]) for each in noise]
    return {"ratio": np.mean((np.array(found) - mean) ** 2) / AVERAGES[law](mean, n, share)}


AVERAGES = {
    "whole": lambda mean, n, share: average_noise(mean, n, rho=0.5, count_share=share) ** 2,
    "sum alone": lambda mean, n, share: 1 / (1 - share) / n**2,
    "whole budget": lambda mean, n, share: (1 + mean**2 / share) / n**2,
}


@claim(
    "private-similarities/average-noise",
    theorem="derived here (average_noise)",
    status="ours",
    statement=r"A sum of $n$ kernels with mean $m$ over a noisy count, shares $1-s$ and $s$ of "
    r"$\rho$, has noise $\sqrt{(1/(1-s)+m^2/s)/(2\rho)}/n$: little of the budget for the count "
    "is much noise.",
    experiment=average_errors,
    region=Between(1, 1, margin=0.1),
    reason="first order in the noise of the count over n, below 1%; the rest is resolution",
    assumptions=(Assumption("one class of 400 points; errors are those of the noise alone"), FLOAT),
    control=(
        Control("the law of the sum alone", law="sum alone"),
        Control("the sum's share of the budget left out of the law", law="whole budget"),
    ),
)
def averages_vary(table):
    """Mean square error over the law, per share."""
    return means(table, "ratio", "share")
