"""The papers on attacks, holdouts and leaderboards, and what is done about their results."""

from __future__ import annotations

from theorytk.registry import Paper, papers

from .paper import DWORK_AND_OTHERS, TOPIC, covered

papers.add(
    Paper(
        id="dwork2015science",
        topic=TOPIC,
        title="The Reusable Holdout: Preserving Validity in Adaptive Data Analysis",
        authors=DWORK_AND_OTHERS,
        year=2015,
        venue="Science",
        url="https://doi.org/10.1126/science.aaa9375",
        summary="A study that selects variables with a holdout overfits it and cannot tell; if "
        "the holdout is asked through Thresholdout, what it says stays true.",
        coverage=(
            covered(
                "Figure 1, without and with signal",
                "reproduced",
                "With the paper's numbers of points and variables. The laws of the standard "
                "holdout are ours.",
                "holdout-overfit",
                "fresh-is-fair",
                "thresholdout-valid",
                "thresholdout-finds-signal",
                "reduced-is-exact",
                "reusable-holdout",
            ),
            covered(
                "Thresholdout without a budget, as in the supplementary code",
                "verified",
                "It leaks slowly; the version of the theorem has a budget.",
                "thresholdout-leak",
            ),
        ),
    )
)

papers.add(
    Paper(
        id="blum2015",
        topic=TOPIC,
        title="The Ladder: A Reliable Leaderboard for Machine Learning Competitions",
        authors=("Avrim Blum", "Moritz Hardt"),
        year=2015,
        venue="International Conference on Machine Learning",
        arxiv="1502.04585",
        summary="A leaderboard that reports every loss is climbed by submissions that are worth "
        "nothing. One that reports a score only where it improves by a step is not.",
        coverage=(
            covered(
                "Theorem 3.1 (leaderboard error of the Ladder)",
                "verified",
                "With histories counted exactly, which gives a smaller bound, and the rate with a "
                "constant.",
                "ladder-bound",
                "ladder-rate",
            ),
            covered(
                "Boosting attack (Section 4)",
                "verified",
                "With the constant of its law, which is ours.",
                "boosting-law",
                "ladder-vs-kaggle",
                "ladder-boosting",
            ),
            covered(
                "Experiments on a competition's real submissions",
                "not reproducible",
                "They need the submissions of a real competition, which we do not have.",
            ),
        ),
    )
)

papers.add(
    Paper(
        id="zrnic2019",
        topic=TOPIC,
        title="Natural Analysts in Adaptive Data Analysis",
        authors=("Tijana Zrnic", "Moritz Hardt"),
        year=2019,
        venue="International Conference on Machine Learning",
        arxiv="1901.11143",
        summary="Analysts who forget what they have learnt, or trust it less and less, overfit "
        "less than the worst case allows.",
        coverage=(
            covered(
                "Theorem 1 (progressive analysts)",
                "re-created",
                "As the exact limit law of one such analyst; the bound for all is not computed.",
                "progressive-law",
            ),
        ),
    )
)

papers.add(
    Paper(
        id="steinke2015",
        topic=TOPIC,
        title="Interactive Fingerprinting Codes and the Hardness of Preventing False Discovery",
        authors=("Thomas Steinke", "Jonathan Ullman"),
        year=2015,
        venue="Conference on Learning Theory",
        arxiv="1410.1228",
        summary="No efficient mechanism answers more than about $n^2$ adaptive queries with "
        "constant error: an analyst can trace the sample.",
        coverage=(
            covered(
                "Lower bound of order $n^2$",
                "re-created",
                "For mechanisms that add noise, by an attack whose law is ours; the theorem is "
                "about all efficient ones.",
                "n-squared-tracing",
                "tracing-after-n-squared",
            ),
        ),
    )
)

papers.add(
    Paper(
        id="feldman2019",
        topic=TOPIC,
        title="The Advantages of Multiple Classes for Reducing Overfitting from Test Set Reuse",
        authors=("Vitaly Feldman", "Roy Frostig", "Moritz Hardt"),
        year=2019,
        venue="International Conference on Machine Learning",
        arxiv="1905.10360",
        summary="With more classes a test set can be used more often: the bias that any attack can "
        "reach falls with their number.",
        coverage=(
            covered(
                "Attack by a weighted plurality",
                "re-created",
                "With its limit law, which is ours; the bound for all attacks has no constants.",
                "plurality-law",
            ),
        ),
    )
)

papers.add(
    Paper(
        id="freedman1983",
        topic=TOPIC,
        title="A Note on Screening Regression Equations",
        authors=("David A. Freedman",),
        year=1983,
        venue="The American Statistician",
        summary="Screen the variables of a regression by their significance, fit again to the "
        "same points, and noise looks like a discovery.",
        coverage=(
            covered(
                "The simulation with 100 points and 50 variables",
                "re-created",
                "With many repetitions where the paper shows a few; a second regression on new "
                "points is the control.",
                "freedman-f-test",
                "freedman-coefficients",
            ),
        ),
    )
)
