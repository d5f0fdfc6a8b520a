"""The paper behind this topic, and what is done about its results."""

from __future__ import annotations

from theorytk.registry import Covered, Paper, papers

from .common import PAPER

TOPIC = "mode-interpolation"


def covered(item, status, note, *names):
    """Return a coverage entry whose claims and figures are named without the topic."""
    return Covered(item, status, note, tuple(f"{TOPIC}/{name}" for name in names))


papers.add(
    Paper(
        id=PAPER,
        topic=TOPIC,
        title="Understanding Hallucinations in Diffusion Models through Mode Interpolation",
        authors=("Sumukh K. Aithal", "Pratyush Maini", "Zachary C. Lipton", "J. Zico Kolter"),
        year=2024,
        venue="Advances in Neural Information Processing Systems 37",
        arxiv="2406.09358",
        url="https://arxiv.org/abs/2406.09358",
        summary="Diffusion models put samples between nearby modes of the data, because a smooth "
        "network cannot follow the jump of the ideal denoiser. Such samples keep changing their "
        "prediction of the clean data late in sampling, which detects them, and filtering them "
        "slows the collapse of models that are trained on their own samples.",
        coverage=(
            covered(
                "One-dimensional mixtures: samples between modes; distance and training size",
                "re-created",
                "Exact laws of the best smooth denoisers, and small networks. The effect of the "
                "distance reverses for very smooth ones; that of the training size is one of the "
                "number of updates.",
                "histograms",
                "rate-decreases-with-slope",
                "distance-effect",
                "distance-effect-reverses",
                "networks-interpolate",
                "networks-are-smooth",
                "slope-predicts-rate",
                "updates-not-samples",
                "slope-and-rate",
                "updates",
            ),
            covered(
                "Two-dimensional grid and diamond: only nearest neighbours are joined",
                "re-created",
                "By small networks in the plane, and by products of one-dimensional chains, for "
                "which the rate is a law.",
                "nearest-neighbours-only",
                "planes",
                "grids-are-products",
                "separable-rate",
            ),
            covered(
                "Learned against true score",
                "re-created",
                "The slope of the exact denoiser in closed form, the best denoiser of bounded "
                "slope and the exponents with which it empties a valley are ours.",
                "peak-slope",
                "best-lipschitz-is-isotonic",
                "density-floor",
                "ode-exponent",
                "sde-exponent-doubles",
                "ramp-theory-ddim",
                "loss-cannot-see-it",
                "slopes-by-level",
                "learned-slopes",
                "exponents",
            ),
            covered(
                "Sampling with the true score (appendix), and other numbers of steps",
                "verified",
                "Exactly, with a certified error. With few steps the true score interpolates too, "
                "and its chains return modes that are too narrow.",
                "exact-score-no-hallucination",
                "exact-chains-narrow-modes",
                "t-start-truncation",
                "few-steps-interpolate",
                "ddim-hallucinates-more",
                "rates",
            ),
            covered(
                "Predictions of the clean data along hallucinated paths",
                "re-created",
                "For the best denoiser of slope at most 2.",
                "paths",
            ),
            covered(
                "Detector by the variance of predictions: histograms, 95% removed at 96% retained",
                "verified",
                "For denoisers of slope at most 2.7 in one dimension; smoother ones hide theirs. "
                "The tables per data set and their windows were not at hand.",
                "variance-detector",
                "removed-at-96-retained",
                "smooth-denoisers-hide",
                "variances",
            ),
            covered(
                "Simple Shapes: shapes that occur twice",
                "re-created",
                "By the best denoiser that sees a window of a signal. A U-Net for the images is "
                "there (theorytk[torch]), but no claim trains it.",
                "local-windows-repeat-shapes",
                "global-view-repeats-nothing",
                "windows",
            ),
            covered(
                "Recursive training with and without the filter, two-dimensional Gaussians",
                "re-created",
                "In one dimension: exactly in the population, and on samples of the best denoisers "
                "of bounded slope.",
                "recursion-multiplies",
                "perfect-filter-holds",
                "filter-slows-recursion",
                "over-filtering-costs-diversity",
                "recursion",
            ),
            covered(
                "Recursive training on MNIST and Simple Shapes; hands; t-SNE of the bottleneck",
                "not reproducible",
                "They need trained image models, whose code and settings are not published.",
            ),
        ),
    )
)
