"""DPM-Solver-v3, and what is done about its results."""

from __future__ import annotations

from theorytk.registry import Covered, Paper, papers

from .common import V3

TOPIC = "tuned-samplers"


def covered(item, status, note, *names):
    """Return a coverage entry whose claims and figures are named without the topic."""
    return Covered(item, status, note, tuple(f"{TOPIC}/{name}" for name in names))


papers.add(
    Paper(
        id=V3,
        topic=TOPIC,
        title="DPM-Solver-v3: Improved Diffusion ODE Solver with Empirical Model Statistics",
        authors=("Kaiwen Zheng", "Cheng Lu", "Jianfei Chen", "Jun Zhu"),
        year=2023,
        venue="Advances in Neural Information Processing Systems",
        arxiv="2310.13268",
        summary="The probability flow has a family of exact solutions, one for each choice of "
        "coefficients $l$, $s$, $b$ as functions of $\\lambda$. Those that make the first-order "
        "error smallest are statistics of the model, estimated once before sampling.",
        coverage=(
            covered(
                "Formulation with $l$, $s$, $b$; noise and data prediction as special cases",
                "verified",
                "To rounding, for the multistep methods of order 1 to 3 with exact integrals.",
                "v3-degenerates",
            ),
            covered(
                "Definition of $l$: the smallest Jacobian of the nonlinear part",
                "verified",
                "With the excess of any other $l$.",
                "v3-minimal-jacobian",
            ),
            covered(
                "Local unbiasedness of the first-order step",
                "verified",
                "The statement is from memory of the paper; the observed order is what is claimed.",
                "v3-local-unbiased",
                "v3-local-bias",
            ),
            covered(
                "Convergence of the solver of order n + 1",
                "verified",
                "Orders 2 and 3, on a mixture with exact scores.",
                "v3-second-order",
                "v3-third-order",
                "v3-corrector-order",
            ),
            covered(
                "Pseudo-order solver and half-corrector settings of the released code",
                "verified",
                "The pseudo-order solver of order 3 has order 2 (ours).",
                "v3-pseudo-order",
            ),
            covered(
                "Figures of the statistics $l$, $s$, $b$ against $\\lambda$",
                "re-created",
                "Of mixtures with exact scores and of a Gaussian with its closed form; there of "
                "image models.",
                "v3-statistics",
                "v3-exact-gaussian",
            ),
            covered(
                "Number of draws behind the statistics",
                "verified",
                "The spread of the results over draws, for 64 to 1024 of them (ours).",
                "v3-sample-size",
            ),
            covered(
                "Convergence at 5 to 20 evaluations against DPM-Solver++ and UniPC",
                "re-created",
                "Errors of end points on random mixtures in the place of FID.",
                "v3-few-evaluations",
                "v3-twenty-evaluations",
                "v3-against-others",
            ),
            covered(
                "FID tables and sample images",
                "not reproducible",
                "They need trained image models; the solver runs here on laws with exact scores.",
            ),
        ),
    )
)
