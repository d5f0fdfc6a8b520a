"""Momentum samplers and their stability: what is done about the paper's results."""

from __future__ import annotations

from theorytk.registry import Paper, papers

from .common import IMAGES, MOMENTUM, TOPIC, covered

papers.add(
    Paper(
        id=MOMENTUM,
        topic=TOPIC,
        title="Diffusion Sampling with Momentum for Mitigating Divergence Artifacts",
        authors=(
            "Suttisak Wizadwongsa",
            "Worameth Chinchuthakun",
            "Pramook Khungurn",
            "Amit Raj",
            "Supasorn Suwajanakorn",
        ),
        year=2024,
        venue="International Conference on Learning Representations",
        arxiv="2307.11118",
        summary="High-order samplers diverge at few steps because their stability regions are "
        "small. Momentum enlarges them: heavy ball at the cost of the order, GHVB with weights "
        "that keep it.",
        coverage=(
            covered(
                "Stability regions of Adams-Bashforth, HB and GHVB (figures)",
                "reproduced",
                "The regions, by the Schur-Cohn test; real limits in closed form and, around the "
                "Euler step, the whole region, an ellipse. Ours.",
                "real-limits",
                "heavy-ball-ellipse",
                "heavy-ball-area",
                "regions",
            ),
            covered(
                "HB is of first order (abstract)",
                "verified",
                "For Adams-Bashforth parts of 2 and 4 terms, and for Nesterov's variant.",
                "heavy-ball-first-order",
            ),
            covered(
                "GHVB keeps the order",
                "verified",
                "Orders 2 to 4 on grids uniform in $\\rho$ with a consistent start; on grids "
                "uniform in $\\lambda$ at most 2. The statement is from memory: the observed "
                "order is what is claimed.",
                "ghvb-second-order",
                "ghvb-third-order",
                "ghvb-fourth-order",
                "ghvb-order-two",
            ),
            covered(
                "Divergence at high guidance and its cure (figures on images)",
                "re-created",
                "On guided mixtures: heavy ball cures third order; fourth order diverges with GHVB "
                "too, and second order does without momentum.",
                "fourth-order-diverges",
                "heavy-ball-cures-third-order",
                "guided-cure",
            ),
            covered(
                "Stability on the grids that samplers use (ours)",
                "verified",
                "Limits and charts of a test equation in $\\lambda$, at real and complex rates.",
                "third-order-rate-limits",
                "momentum-rate-limits",
                "complex-rates",
                "fourth-order-amplifies-errors",
                "rate-charts",
            ),
            IMAGES,
        ),
    )
)
