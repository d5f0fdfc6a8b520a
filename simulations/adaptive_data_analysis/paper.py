"""The papers behind this topic, and what is done about their results."""

from __future__ import annotations

from theorytk.registry import Covered, Paper, papers

TOPIC = "adaptive-data-analysis"


def covered(item, status, note, *names):
    """Return a coverage entry whose claims and figures are named without the topic."""
    return Covered(item, status, note, tuple(f"{TOPIC}/{name}" for name in names))


DWORK_AND_OTHERS = (
    "Cynthia Dwork",
    "Vitaly Feldman",
    "Moritz Hardt",
    "Toniann Pitassi",
    "Omer Reingold",
    "Aaron Roth",
)

papers.add(
    Paper(
        id="jung2020",
        topic=TOPIC,
        title="A New Analysis of Differential Privacy's Generalization Guarantees",
        authors=(
            "Christopher Jung",
            "Katrina Ligett",
            "Seth Neel",
            "Aaron Roth",
            "Saeed Sharifi-Malvajerdi",
            "Moshe Shenfeld",
        ),
        year=2020,
        venue="Innovations in Theoretical Computer Science Conference",
        arxiv="1909.03577",
        summary="Whoever asks, answers that are private and accurate on the sample are accurate "
        "on the population: given a transcript, the sample may be drawn again from its posterior, "
        "and privacy keeps the posterior near the population.",
        coverage=(
            covered(
                "Posterior sensitivity, $e^\\varepsilon-1$ for $\\varepsilon$-private transcripts",
                "verified",
                "With $\\tanh(\\varepsilon/4)$, which is ours, and is attained.",
                "posterior-sensitivity-exact",
                "transfer-excess",
                "dp-tanh-transfer",
            ),
            covered(
                "Transfer theorem, for the Gaussian mechanism",
                "verified",
                "In our form with $\\tanh(\\varepsilon/4)$ and one use of Markov's inequality; its "
                "widths are below the paper's everywhere that we looked.",
                "gaussian-coverage",
                "tanh-below-jung",
            ),
            covered(
                "Figure: queries at fixed width against $n$, and width against $k$",
                "re-created",
                "With all bounds of the calculator; the paper's grid of $n$ is not known to us.",
                "published-widths",
                "bound-crossing",
                "queries-and-widths",
            ),
        ),
    )
)

papers.add(
    Paper(
        id="dwork2015",
        topic=TOPIC,
        title="Preserving Statistical Validity in Adaptive Data Analysis",
        authors=DWORK_AND_OTHERS,
        year=2015,
        venue="ACM Symposium on Theory of Computing",
        arxiv="1411.2664",
        summary="An analyst who lets earlier answers choose the next query can overfit a sample "
        "after as many queries as it has points. Answers that are differentially private keep "
        "their validity for many more queries.",
        coverage=(
            covered(
                "EffectiveRounds",
                "verified",
                "In a form with explicit constants, which are ours.",
                "effective-rounds",
            ),
            covered(
                "Private multiplicative weights",
                "verified",
                "Their error hardly grows with the number of queries, and the attack learns the "
                "answers that led to updates and no more.",
                "pmw-flat-in-k",
                "pmw-resists-attack",
                "multiplicative-weights-against-noise",
            ),
            covered(
                "Appendix: naive answers overfit after order $n$ queries",
                "verified",
                "With the constants of the limit law and the exact law, which are ours.",
                "naive-sqrt-law",
                "gaussian-damping",
                "exact-attack-law",
                "attack-law",
            ),
        ),
    )
)

papers.add(
    Paper(
        id="dwork2015holdout",
        topic=TOPIC,
        title="Generalization in Adaptive Data Analysis and Holdout Reuse",
        authors=DWORK_AND_OTHERS,
        year=2015,
        venue="Advances in Neural Information Processing Systems",
        arxiv="1506.02629",
        summary="A holdout set can be used again and again if it is asked by way of a mechanism "
        "that answers from the training set unless the two disagree. Short answers generalise as "
        "private ones do; max-information is what both have in common.",
        coverage=(
            covered(
                "Theorem 9 (description length)",
                "verified",
                "With histories of answers counted exactly, which is ours.",
                "rounding-coverage",
            ),
            covered(
                "Theorems 17, 19 and 20 (max-information)",
                "verified",
                "Against exact max-information of channels that can be enumerated.",
                "max-information-of-outputs",
                "max-information-of-privacy",
            ),
            covered(
                "Theorem 27 (SparseValidate)",
                "verified",
                "With histories counted exactly, which is ours, and an analyst who attains it.",
                "sparse-validate-factor",
            ),
        ),
    )
)

papers.add(
    Paper(
        id="bassily2016",
        topic=TOPIC,
        title="Algorithmic Stability for Adaptive Data Analysis",
        authors=(
            "Raef Bassily",
            "Kobbi Nissim",
            "Adam Smith",
            "Thomas Steinke",
            "Uri Stemmer",
            "Jonathan Ullman",
        ),
        year=2016,
        venue="ACM Symposium on Theory of Computing",
        arxiv="1511.02513",
        summary="Private and accurate answers to $k$ adaptive queries are right on the population "
        "for about $\\sqrt k/\\tau^2$ points: a monitor that watches many copies of the experiment "
        "and reports the worst of them is private itself.",
        coverage=(
            covered(
                "Transfer theorem",
                "re-created",
                "As a width with the constants of the code published for Jung et al.; in figures, "
                "and where it overtakes sample splitting.",
                "bound-crossing",
                "queries-and-widths",
            ),
        ),
    )
)

papers.add(
    Paper(
        id="rogers2020",
        topic=TOPIC,
        title="Guaranteed Validity for Empirical Approaches to Adaptive Data Analysis",
        authors=(
            "Ryan Rogers",
            "Aaron Roth",
            "Adam Smith",
            "Nathan Srebro",
            "Om Thakkar",
            "Blake Woodworth",
        ),
        year=2020,
        venue="International Conference on Artificial Intelligence and Statistics",
        arxiv="1906.09231",
        summary="Any guesses at all can be held to a width that is valid, by a holdout that "
        "speaks only when a guess is wrong. Such answers are valid for many more queries than "
        "the worst-case bounds promise, unless the analyst really overfits.",
        coverage=(
            covered(
                "Guess-and-Check (Section 3)",
                "verified",
                "With histories counted exactly and a test on both sides.",
                "gnc-valid",
                "gnc-beats-splitting",
                "gnc-growing-width",
            ),
            covered(
                "Theorem 2.1 (mutual information)",
                "re-created",
                "As a width; the code published last has half the term of the noise, which is too "
                "little.",
                "noise-term",
                "published-widths",
                "queries-and-widths",
            ),
        ),
    )
)

papers.add(
    Paper(
        id="dwork2014",
        topic=TOPIC,
        title="The Algorithmic Foundations of Differential Privacy",
        authors=("Cynthia Dwork", "Aaron Roth"),
        year=2014,
        venue="Foundations and Trends in Theoretical Computer Science",
        url="https://www.cis.upenn.edu/~aaroth/Papers/privacybook.pdf",
        summary="The textbook: private mechanisms, how they compose, and mechanisms that answer "
        "very many queries from a hypothesis that is updated seldom.",
        coverage=(
            covered(
                "Theorem 4.10 (updates of multiplicative weights)",
                "verified",
                "With the drop of the potential that Hoeffding's lemma gives, which is ours.",
                "mw-update-bound",
                "mw-potential-drop",
                "mw-point-mass",
            ),
            covered(
                "Theorem 3.28 (accuracy of NumericSparse)",
                "verified",
                "The printed accuracy for $\\delta>0$ leaves out the noise on numbers; with it, it "
                "holds.",
                "sparse-vector-accuracy",
            ),
        ),
    )
)
