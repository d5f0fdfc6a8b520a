"""The paper behind this topic and its companions, and what is done about their results."""

from __future__ import annotations

from theorytk.registry import Covered, Paper, papers

TOPIC = "sensitivity-sampling"


def covered(item, status, note, *names):
    """Return a coverage entry whose claims and figures are named without the topic."""
    return Covered(item, status, note, tuple(f"{TOPIC}/{name}" for name in names))


papers.add(
    Paper(
        id="woodruff2023",
        topic=TOPIC,
        title="Sharper Bounds for $\\ell_p$ Sensitivity Sampling",
        authors=("David P. Woodruff", "Taisuke Yasuda"),
        year=2023,
        venue="International Conference on Machine Learning",
        arxiv="2306.00732",
        url="https://proceedings.mlr.press/v202/woodruff23a.html",
        summary="The $\\ell_p$ sensitivity of a row of a matrix is the largest share that it can "
        "have of $\\Vert Ax\\Vert_p^p$. Rows sampled by their sensitivities, of sum "
        "$\\mathfrak S$, and reweighted keep all these norms. For $p>2$ about "
        "$\\mathfrak S^{2-2/p}$ rows suffice, where the union bound asked for "
        "$\\mathfrak S\\,d$; where $\\mathfrak S$ is small, as for structured matrices, that is "
        "fewer than Lewis weights need.",
        coverage=(
            covered(
                "Properties of sensitivities (appendix)",
                "verified",
                "For random matrices of several kinds, with certified sensitivities.",
                "lewis-sandwich",
                "leverage-comparison",
                "total-range",
                "monotone-maximum",
                "invariances",
                "flat-block-total",
                "leverage-accuracy",
                "sketched-leverage-variance",
                "total-against-columns",
            ),
            covered(
                "$p>2$: about $\\mathfrak S^{2-2/p}$ rows suffice (abstract)",
                "verified",
                "The change of density behind it; on polynomials its order suffices with a "
                "constant and a logarithm of ours; below some rows no sample can go.",
                "change-of-density",
                "order-above-two",
                "rows-above-two",
                "sufficient-oversampling",
                "sensitivities-beat-lewis",
                "rows-against-total",
            ),
            covered(
                "$p<2$: the order $\\mathfrak S^{2/p}$ of version 1, withdrawn in version 2",
                "verified",
                "The order that supersedes it is never larger, and plain sensitivities need it to "
                "keep the rank, but not with leverage scores added.",
                "superseded-order",
                "plain-sensitivities-lose-rank",
                "plain-oversampling-exponent",
                "augmented-rows-exponent",
                "plain-against-augmented",
            ),
            covered(
                "Structured matrices have small totals (abstract)",
                "verified",
                "With explicit bounds, which are ours.",
                "structured-totals",
                "polynomials-beat-lewis",
                "structured-totals-against-bounds",
            ),
            covered(
                "Root leverage score sampling, $p<2$ (abstract)",
                "verified",
                "The number of rows round by round, and its limit.",
                "root-leverage-recursion",
                "root-leverage-limit",
                "root-leverage-like-lewis",
                "root-leverage",
                "distortion-by-scores",
            ),
            covered(
                "Sampling by sensitivities keeps norms",
                "verified",
                "The estimator, its variance, and the decay of the distortion; what a sample keeps "
                "of scores and of regressions. Constants of the theorems are not stated.",
                "unbiased",
                "variance-law",
                "stacked-identity-failure",
                "distortion-law",
                "uniform-loses-rank",
                "uniform-distorts-more",
                "score-cap",
                "regression-cost",
                "coreset-regression",
                "irls-local-rate",
                "distortion-against-oversampling",
            ),
            covered(
                "Leverage scores and sensitivities together, $p>2$ (abstract)",
                "verified",
                "In a form of ours, as the printed one is not known to us: the density behind the "
                "rate, and its iteration up to a mixture with Lewis weights.",
                "flattening",
                "lewis-mixture",
            ),
        ),
    )
)

papers.add(
    Paper(
        id="padmanabhan2023",
        topic=TOPIC,
        title="Computing Approximate $\\ell_p$ Sensitivities",
        authors=("Swati Padmanabhan", "David P. Woodruff", "Qiuyi Zhang"),
        year=2023,
        venue="Advances in Neural Information Processing Systems",
        arxiv="2311.04158",
        summary="Sums, maxima and block sums of $\\ell_p$ sensitivities can be approximated from "
        "few of them: the total from rows drawn by their Lewis weights, blocks of rows from random "
        "signed sums of their rows.",
        coverage=(
            covered(
                "Total sensitivity from few sensitivities",
                "verified",
                "An estimator in its spirit with explicit constants, which are ours.",
                "total-estimate-unbiased",
                "total-estimate-variance",
            ),
            covered(
                "Sensitivities of blocks of rows",
                "verified",
                "The probability to miss for $p=1$, and an upper bound for every $p$.",
                "block-scores-miss-rarely",
                "block-scores-bounded",
            ),
            covered(
                "Experiments on real data",
                "re-created",
                "On tables that come with scikit-learn; those of the paper are not known to us.",
                "tables-total-estimate",
                "tables-look-flat",
                "total-estimates",
            ),
            covered(
                "Largest sensitivity within $\\sqrt d$",
                "verified",
                "From the rows of a design, which can be more than the order $d$ of the paper; and "
                "within $d$ from $d$ rows.",
                "largest-by-design",
                "largest-by-volume",
            ),
        ),
    )
)

papers.add(
    Paper(
        id="cohen2015",
        topic=TOPIC,
        title="$\\ell_p$ Row Sampling by Lewis Weights",
        authors=("Michael B. Cohen", "Richard Peng"),
        year=2015,
        venue="ACM Symposium on Theory of Computing",
        arxiv="1412.0588",
        summary="Lewis weights are the leverage scores of a matrix reweighted by themselves. For "
        "$p<4$ they are computed by a fixed-point iteration, and sampling rows by them keeps all "
        "norms $\\Vert Ax\\Vert_p$.",
        coverage=(
            covered(
                "Lewis weights by iteration, $p<4$",
                "verified",
                "With exact rates, and a damped step for every $p$, which are ours.",
                "lewis-contraction",
                "lewis-undamped-rate",
                "lewis-best-rate",
                "lewis-one-sided",
                "lewis-rates",
            ),
            covered(
                "Row sampling by Lewis weights",
                "re-created",
                "Its samples beside others; constants and logarithms of the bounds are not stated.",
                "distortion-by-scores",
                "rows-against-total",
            ),
        ),
    )
)
