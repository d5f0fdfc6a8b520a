"""DC-Solver and what is done about its results."""

from __future__ import annotations

from theorytk.registry import Covered, Paper, papers

from .compensation_common import DC

TOPIC = "tuned-samplers"


def covered(item, status, note, *names):
    """Return a coverage entry whose claims and figures are named without the topic."""
    return Covered(item, status, note, tuple(f"{TOPIC}/{name}" for name in names))


papers.add(
    Paper(
        id=DC,
        topic=TOPIC,
        title="DC-Solver: Improving Predictor-Corrector Diffusion Sampler via Dynamic Compensation",
        authors=("Wenliang Zhao", "Haolin Wang", "Jie Zhou", "Jiwen Lu"),
        year=2024,
        venue="European Conference on Computer Vision",
        summary="A corrector that costs no evaluation keeps the model's output at the predicted, "
        "not the corrected, state. DC-Solver shifts that output in time by a ratio per step, found "
        "on ten trajectories or predicted by a cascade of polynomials.",
        coverage=(
            covered(
                "Dynamic compensation: ratios searched on ten trajectories",
                "verified",
                "On guided mixtures with exact predictions, against exact states in place of a "
                "200-step DDIM; the learned ratios are judged on held-out trajectories.",
                "ten-points-suffice",
                "strong-guidance",
                "one-point-overfits",
                "compensation-ratios",
            ),
            covered(
                "Cascade polynomial regression",
                "re-created",
                "`CascadePolynomialRegression`, fitted by least squares; the released coefficients "
                "for Stable Diffusion 2.1 give the same ratios here as in the authors' code. No "
                "claim: its effect varies too much between mixtures for the replicates we afford.",
            ),
            covered(
                "FID and text-to-image tables, sample images",
                "not reproducible",
                "They need trained image models.",
            ),
            covered(
                "Step grids of least cost (ours)",
                "verified",
                "Not in the paper, which fixes the grid: DDIM on Gaussians, and grids by dynamic "
                "programming against the four standard ones.",
                "ddim-turns-by-angles",
                "equal-angles-are-best",
                "cost-bounds-error",
                "optimal-grid-ddim",
                "unit-angles-are-near",
                "optimal-grid-2m",
                "lower-orders-close-the-gap",
                "optimal-grids",
            ),
        ),
    )
)
