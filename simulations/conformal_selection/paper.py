"""The papers behind this topic, and what is done about their results."""

from __future__ import annotations

from theorytk.registry import Covered, Paper, papers

from .common import CFBH, PAPER, WCS

TOPIC = "conformal-selection"


def covered(item, status, note, *names):
    """Return a coverage entry whose claims and figures are named without the topic."""
    return Covered(item, status, note, tuple(f"{TOPIC}/{name}" for name in names))


papers.add(
    Paper(
        id=PAPER,
        topic=TOPIC,
        title="Optimized Conformal Selection: Powerful Selective Inference After Conformity Score "
        "Optimization",
        authors=("Tian Bai", "Ying Jin"),
        year=2024,
        venue="arXiv",
        arxiv="2411.17983",
        url="https://arxiv.org/abs/2411.17983",
        summary="Test points whose unknown label exceeds a threshold are selected with control of "
        "the false discovery rate. The score may be chosen or trained on the very data that "
        "calibrate it, if each test point is compared with data that treat it like a calibration "
        "point, and if e-values prune the selection.",
        coverage=(
            covered(
                "One score function: nothing is pruned, OptCS is cfBH",
                "verified",
                "On random instances with ties; proved in the docs.",
                "aux-size-identity",
                "aux-sizes",
            ),
            covered(
                "The naive baseline inflates the false discovery rate",
                "verified",
                "For useless models, with its exact rate, which is ours.",
                "naive-inflation-law",
                "naive-inflation-bound",
                "naive-inflation",
                "optcs-among-useless",
            ),
            covered(
                "Control of the false discovery rate: choice among given models",
                "verified",
                "For three prunings; its e-values are exact on average over who is tested.",
                "optcs-msel-fdr",
                "optcs-evalue",
                "optcs-randomised-evalue",
            ),
            covered(
                "Control of the false discovery rate: fit without splitting",
                "verified",
                "The exchange of scores that it rests on is audited exactly. Also with the paper's "
                "own learners, which predict by folds.",
                "optcs-full-fdr",
                "optcs-full-fdr-paper",
                "exchangeability-audit",
                "null-rank-uniform",
            ),
            covered(
                "Control of the false discovery rate: choice among learners fitted to all data",
                "verified",
                "For three prunings; at the paper preset with the paper's own learners, too.",
                "optcs-fullmsel-fdr",
                "optcs-fullmsel-fdr-paper",
            ),
            covered(
                "Section 5.1: choice among models, false discovery rate and power",
                "re-created",
                "At the paper preset the claim has its sizes and candidates in all settings of "
                "both families, with Meinshausen's quantile forest for that of the package "
                "quantile-forest. The figures have candidates in NumPy.",
                "optcs-msel-fdr-paper",
                "optcs-power-gain",
                "optcs-msel-grid",
                "more-data",
                "beta",
            ),
            covered(
                "Section 5.2: fit without splitting, false discovery rate and power",
                "re-created",
                "With boosting, forests and support vectors in the second setting, each row "
                "predicted without a fifth of the rows: five fits in the place of 300. In all four "
                "settings, and with more and more data, kernel ridge regression with penalty 0.3, "
                "which leaves out each row alone. With boosting splitting at 75% has more power.",
                "optcs-full-power",
                "optcs-full-oracle",
                "optcs-full-grid",
                "optcs-full-paper-learners",
                "full-more-data",
            ),
            covered(
                "Section 5.3: both, false discovery rate and power",
                "re-created",
                "Neighbours and ridges on random features in all settings of both families, beside "
                "splitting into three parts; with 200 labelled points for 500. The paper's nine "
                "and seven models in one setting each, for the claim on the false discovery rate.",
                "optcs-fullmsel-power",
                "optcs-fullmsel-grid",
            ),
            covered(
                "Section 6: drug discovery, radiology reports",
                "not reproducible",
                "Predictions and features are not published. In their place: the diabetes table "
                "of scikit-learn.",
                "diabetes-full-fdr",
                "diabetes-choice-fdr",
            ),
        ),
    )
)

papers.add(
    Paper(
        id=CFBH,
        topic=TOPIC,
        title="Selection by Prediction with Conformal p-values",
        authors=("Ying Jin", "Emmanuel J. Candès"),
        year=2023,
        venue="Journal of Machine Learning Research",
        arxiv="2210.01408",
        url="https://www.jmlr.org/papers/v24/22-1176.html",
        summary="Conformal p-values rank the score of a test point, taken at the threshold, among "
        "those of labelled points. Benjamini-Hochberg on them, cfBH, has a false discovery rate of "
        "at most $q$ for any prediction and any numbers of points.",
        coverage=(
            covered(
                "Theorem 3: cfBH controls the false discovery rate",
                "verified",
                "On the paper's eight regressions, and how close to the level it comes.",
                "cfbh-fdr",
                "cfbh-exact-lattice",
                "cfbh-sub-pi0q",
                "single-test-law",
                "storey-on-nulls",
            ),
            covered(
                "Theorem 6: ties, and randomised p-values",
                "verified",
                "Also that the uniforms must not be shared, with an exact rate of ours.",
                "ties",
                "independent-uniforms",
                "shared-uniform-law",
                "shared-uniform",
            ),
            covered(
                "Section 2: calibration of conformal p-values",
                "verified",
                "Jointly with the null, and not given it.",
                "pvalue-joint",
            ),
            covered(
                "Asymptotic analysis",
                "verified",
                "In a Gaussian bed whose limits are explicit.",
                "asymptotic-limits",
                "asymptotic-fluctuations",
                "asymptotics",
            ),
            covered(
                "Simulations: false discovery rate and power against $q$",
                "re-created",
                "Kernel ridge regression in the place of boosting, forests and support vectors, 4 "
                "covariates in the place of 20, and at most 500 calibration points.",
                "cfbh-scores",
            ),
            covered(
                "Verdicts on the false discovery rate",
                "verified",
                "Not in the paper: how its theorem may be tested by looking again and again.",
                "sequential-verdicts",
            ),
            covered(
                "Real data: recruitment and drug discovery",
                "not reproducible",
                "The predictions are not published, and the data need downloads.",
            ),
        ),
    )
)

papers.add(
    Paper(
        id=WCS,
        topic=TOPIC,
        title="Model-free Selective Inference under Covariate Shift via Weighted Conformal "
        "p-values",
        authors=("Ying Jin", "Emmanuel J. Candès"),
        year=2023,
        venue="arXiv",
        arxiv="2307.09291",
        summary="If test covariates have another law, calibration points count with the density "
        "ratio. Weighted p-values are no longer fit for Benjamini-Hochberg; sizes of auxiliary "
        "selections and a random pruning restore control of the false discovery rate.",
        coverage=(
            covered(
                "Control of the false discovery rate in finite samples, three prunings",
                "verified",
                "On normal covariates with a shifted mean, with randomised p-values, which are "
                "ours.",
                "wcs-fdr",
                "wcs-prunings",
            ),
            covered(
                "Pruning is e-BH",
                "verified",
                "On random weighted instances with ties.",
                "wcs-equals-ebh",
                "aux-sizes-weighted",
            ),
            covered(
                "Simulations: individual treatment effects and outliers",
                "not started",
                "Their forests and one-class machines are outside the core; the shift of "
                "wcs-prunings stands for them.",
            ),
            covered(
                "Real data: drug properties and drug-target interactions",
                "not reproducible",
                "The predictions are not published, and the data need downloads.",
            ),
        ),
    )
)
