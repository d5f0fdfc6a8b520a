"""The papers behind the other kernel mechanisms, and what is done about their results."""

from __future__ import annotations

from theorytk.registry import Paper, papers

from .paper import TOPIC, covered

papers.add(
    Paper(
        id="coleman2020race",
        topic=TOPIC,
        title="A One-Pass Private Sketch for Most Machine Learning Tasks",
        authors=("Benjamin Coleman", "Anshumali Shrivastava"),
        year=2020,
        venue="arXiv",
        arxiv="2006.09352",
        url="https://arxiv.org/abs/2006.09352",
        summary="Rows of counters, indexed by locality-sensitive hashes, plus Laplace noise: the "
        "mean of the counters that a query hits estimates a sum of kernels, which are the "
        "collision probabilities of the hashes. We correct for shared buckets, add Gaussian noise, "
        "with which more rows do no harm, and audit the scale of the published code.",
        coverage=(
            covered(
                "The sketch: its mean and its noise",
                "verified",
                "For three families of hashes; statements are from memory and derived again.",
                "race-kernel",
                "race-noise",
                "kernel-losses",
            ),
            covered(
                "The published code: noise on counts with the scale of means",
                "verified",
                "Audits certify many times the claimed epsilon.",
                "audit-race-published",
                "race-audit",
            ),
            covered(
                "Experiments on regression, classification and density estimates",
                "not reproducible",
                "They need the data sets of the paper; settings could not be read.",
            ),
        ),
    )
)
papers.add(
    Paper(
        id="wagner2023lsq",
        topic=TOPIC,
        title="Fast Private Kernel Density Estimation via Locality Sensitive Quantization",
        authors=("Tal Wagner", "Yonatan Naamad", "Nina Mishra"),
        year=2023,
        venue="ICML 2023",
        arxiv="2307.01877",
        url="https://arxiv.org/abs/2307.01877",
        summary="Kernels as means of products of bounded sparse features become private sums with "
        "Laplace noise: by random Fourier features, and by the fast Gauss transform in few "
        "dimensions.",
        coverage=(
            covered(
                "Random Fourier features (LSQ-RFF)",
                "verified",
                "Its noise, its best number of features, and its loss under replacement.",
                "rff-laplace-noise",
                "rff-best-count",
                "features-double-loss",
                "audit-neighbours",
            ),
            covered(
                "The fast Gauss transform (LSQ-FGT)",
                "verified",
                "Sensitivity and noise, with a bound of the truncation; also for replaced points "
                "and with Gaussian noise.",
                "fgt-error",
                "fgt-noise",
                "kernel-losses",
                "kernel-mechanisms",
            ),
            covered(
                "Experiments on density estimates of embedded data",
                "not reproducible",
                "They need the data sets of the paper; settings could not be read.",
            ),
        ),
    )
)
papers.add(
    Paper(
        id="alda2017bernstein",
        topic=TOPIC,
        title="The Bernstein Mechanism: Function Release under Differential Privacy",
        authors=("Francesco Aldà", "Benjamin I. P. Rubinstein"),
        year=2017,
        venue="AAAI 2017",
        arxiv="1507.04499",
        url="https://arxiv.org/abs/1507.04499",
        summary="A function of private data is released by noisy values on a lattice, between "
        "which a Bernstein polynomial answers.",
        coverage=(
            covered(
                "The mechanism and its sensitivity",
                "verified",
                "For kernel sums, with the operator of order 1: its error, its exact noise, and "
                "that a replaced point costs no more than an added one.",
                "bernstein-error",
                "bernstein-noise",
                "bernstein-replacement",
                "kernel-mechanisms",
            ),
            covered(
                "Iterated operators and lower bounds",
                "not started",
                "Operators of higher order for smooth functions.",
            ),
        ),
    )
)
papers.add(
    Paper(
        id="hall2013functions",
        topic=TOPIC,
        title="Differential Privacy for Functions and Functional Data",
        authors=("Rob Hall", "Alessandro Rinaldo", "Larry Wasserman"),
        year=2013,
        venue="JMLR 14",
        arxiv="1203.2570",
        url="https://www.jmlr.org/papers/v14/hall13a.html",
        summary="A function plus a Gaussian process is private if the function's change has a "
        "bounded norm in the kernel's space. We release it lazily, by projections rounded point by "
        "point, so that adaptive queries are consistent and the noise is integer.",
        coverage=(
            covered(
                "Gaussian processes for functions in a kernel's space",
                "verified",
                "For kernel sums under zCDP, with exact losses and with the law of adaptive "
                "answers.",
                "gp-adaptive",
                "gp-orders",
                "kernel-losses",
                "kernel-mechanisms",
            ),
            covered(
                "Density estimates and functional means",
                "not started",
                "Other functions than kernel sums.",
            ),
        ),
    )
)
