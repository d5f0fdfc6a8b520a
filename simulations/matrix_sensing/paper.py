"""The paper behind this topic, and what is done about each of its results."""

from __future__ import annotations

from theorytk.registry import Covered, Paper, papers

OWN = "Own parameters: those of the printed figure are not all known to us."


def covered(item, status, note, *names):
    """Return a coverage entry whose claims and figures are named without the topic."""
    return Covered(item, status, note, tuple(f"matrix-sensing/{name}" for name in names))


papers.add(
    Paper(
        id="xiong2024",
        topic="matrix-sensing",
        title="How Over-Parameterization Slows Down Gradient Descent in Matrix Sensing: "
        "The Curses of Symmetry and Initialization",
        authors=("Nuoya Xiong", "Lijun Ding", "Simon S. Du"),
        year=2024,
        venue="International Conference on Learning Representations",
        arxiv="2310.01769",
        url="https://openreview.net/forum?id=xGvPKAiOhq",
        summary="A low-rank matrix is recovered from linear measurements by gradient descent on "
        "its factors. With more columns than the rank, symmetric factors $XX^\\top$ converge no "
        "faster than $1/T^2$ in squared error, where the exact number would be exponential. "
        "Asymmetric factors $FG^\\top$ from a random start of scale $\\alpha$ are exponential "
        "again, because their initial imbalance $F^\\top F-G^\\top G$ is conserved, but at a rate "
        "of order $\\alpha^2$. Changing a single step, so that the imbalance is large, makes the "
        "rate free of $\\alpha$.",
        coverage=(
            covered(
                "Theorem 3.1: symmetric, $k>r$, no faster than $1/T^2$",
                "verified",
                "In the population; the paper's constants are not known to us, ours are explicit.",
                "symmetric-overparam-slope",
                "symmetric-overparam-constant",
                "symmetric-flow-lower-bound",
                "symmetric-rates",
            ),
            covered(
                "Symmetric, $k=r$, exponential (abstract)",
                "verified",
                "In the population, with the sharp rate.",
                "symmetric-exact-linear",
                "symmetric-rates",
            ),
            covered(
                "Theorem 4.1: asymmetric, $k=r$, exponential",
                "verified",
                "In the population, with the sharp rate.",
                "asymmetric-exact-linear",
            ),
            covered(
                "Theorem 4.2: asymmetric, $k>r$, rate of order $\\alpha^2$",
                "verified",
                "The power of alpha in the population; the role of finitely many measurements "
                "against a random-matrix prediction of ours.",
                "asymmetric-alpha-squared",
                "asymmetric-overparam-linear",
                "asymmetric-initial-law",
                "measured-local-rate",
                "measured-slowdown-law",
                "asymmetric-rates",
                "rate-against-alpha",
                "measurements",
            ),
            covered(
                "The dependence on $\\alpha$ cannot be avoided (abstract)",
                "verified",
                "By an example of ours with explicit constants, for every iteration.",
                "worst-case-alpha",
            ),
            covered(
                "Section 5, equation (5.1): one modified step",
                "verified",
                "With the sharp rate, the stability limit and the best $\\beta$, which are ours.",
                "one-step-alpha-free",
                "one-step-rate",
                "one-step-best-beta",
                "one-step-stability",
                "one-step-too-early",
                "one-step",
            ),
            covered("Figure 1: symmetric descent", "re-created", OWN, "symmetric-rates"),
            covered("Figure 2: asymmetric descent", "re-created", OWN, "asymmetric-rates"),
            covered("Figure of the one-step method", "re-created", OWN, "one-step"),
            covered(
                "Table 1: comparison with prior work",
                "not reproducible",
                "It lists theorems of other papers; nothing in it is measured.",
            ),
        ),
    )
)
