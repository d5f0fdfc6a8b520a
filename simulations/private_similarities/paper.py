"""The paper behind this topic, and what is done about its results."""

from __future__ import annotations

from theorytk.registry import Covered, Paper, papers

TOPIC = "private-similarities"


def covered(item, status, note, *names):
    """Return a coverage entry whose claims and figures are named without the topic."""
    return Covered(item, status, note, tuple(f"{TOPIC}/{name}" for name in names))


papers.add(
    Paper(
        id="backurs2024similarities",
        topic=TOPIC,
        title="Efficiently Computing Similarities to Private Datasets",
        authors=(
            "Arturs Backurs",
            "Zinan Lin",
            "Sepideh Mahabadi",
            "Sandeep Silwal",
            "Jakub Tarnawski",
        ),
        year=2024,
        venue="ICLR 2024",
        arxiv="2403.08917",
        url="https://arxiv.org/abs/2403.08917",
        summary="A private data set is released once so that sums of its distances to, or kernels "
        "with, any query can be answered: sums of $\\ell_1$ distances by a tree of noisy counts in "
        "each coordinate, other distances and kernels by reductions to it, by random projections "
        "and by sums of exponentials. We add a mechanism whose error does not grow with the "
        "number of points, its form under zCDP in which all queries cost as one, and audits.",
        coverage=(
            covered(
                "Section 4: l_1 distances, the tree and its error",
                "verified",
                "As derived again from the algorithm, with exact sensitivities and variances: the "
                "theorem's text could not be read. In one dimension, and its growth with d.",
                "tree-bias",
                "tree-growth",
                "tree-constant",
                "noise-law",
                "sensitivities",
                "dimension-pure",
            ),
            covered(
                "Section 5: lower bound for l_1 distances",
                "re-created",
                "An explicit bound of ours, linear in d as theirs; and one for zCDP.",
                "lower-bound",
                "zcdp-lower-bound",
            ),
            covered(
                "Section 6: l_2 and powers of l_p",
                "re-created",
                "Random projections with their exact variance and a box that holds; powers by "
                "rings of another ratio; squares from three sums, with order d^1.5 far away.",
                "l2-via-l1",
                "projection-box",
                "tree-bias",
                "squared-sensitivity",
                "squared-noise",
            ),
            covered(
                "Table of errors",
                "re-created",
                "Its l_1 line: exact noise over n, epsilon, alpha and d in the place of orders. "
                "The order of prior work is quoted from memory.",
                "error-table",
                "hat-is-best",
            ),
            covered(
                "Figure 1: relative error of l_1 queries against epsilon",
                "re-created",
                "One dimension, 1000 uniform points; without the baseline and without times, whose "
                "settings we do not know.",
                "relative-error",
                "hat-against-tree",
            ),
            covered(
                "Section 7: dimension reduction for kernels",
                "re-created",
                "The exact law of a kernel after a Gaussian map, whatever the dimension, and the "
                "dimension that it needs.",
                "jl-kernel",
                "jl-moments",
                "mapped-kernels",
            ),
            covered(
                "Section 8: sums of exponentials",
                "re-created",
                "Best sums for 1/(1+z) and their rate; the number of terms grows like the squared "
                "logarithm of the error.",
                "expsum-best",
                "expsum-rate",
                "exponential-sums",
            ),
            covered(
                "Section 9: smooth kernels",
                "re-created",
                "By random features of each kernel's spectral law; in one dimension by a "
                "mechanism of ours, exponential splines.",
                "spectral-laws",
                "spline-exact",
                "spline-noise",
                "spline-no-growth",
                "spline-budget",
            ),
            covered(
                "Baseline: random features with Laplace noise (LSQ)",
                "re-created",
                "Its noise and its best number of features; under replacement its loss doubles.",
                "rff-laplace-noise",
                "rff-gauss-noise",
                "rff-best-count",
                "features-double-loss",
                "audit-neighbours",
                "error-against-features",
            ),
            covered(
                "Baselines RACE, fast Gauss transform, Bernstein and Gaussian process",
                "re-created",
                "Side by side, each calibrated for both relations and both noises; RACE's "
                "published scale is caught.",
                "kernel-losses",
                "audit-race-published",
                "kernel-mechanisms",
            ),
            covered(
                "Classification by average similarity",
                "re-created",
                "One release for all classes, its budget under both relations, sums or averages.",
                "classifier-budget",
                "average-noise",
            ),
            covered(
                "Section 10: density estimates without privacy",
                "not reproducible",
                "Running times of an algorithm that is no part of the library.",
            ),
            covered(
                "Figure 2: Gaussian kernels after projection of image features",
                "not reproducible",
                "It needs CIFAR-10 and a pretrained network.",
            ),
            covered(
                "Figure 3: classification by average similarity against DP-SGD",
                "re-created",
                "On scikit-learn's digits, since theirs needs CIFAR-10 and a pretrained network: "
                "as accurate as DP-SGD, whose settings decide by how much; and what a query costs.",
                "classify-similarity",
                "settings-matter",
                "digits-accuracy",
                "query-cost",
            ),
        ),
    )
)
