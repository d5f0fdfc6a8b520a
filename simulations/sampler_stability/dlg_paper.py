"""Denoising MCMC: what is done about the paper's results."""

from __future__ import annotations

from theorytk.registry import Paper, papers

from .common import IMAGES, TOPIC, covered
from .stochastic_common import DLG

papers.add(
    Paper(
        id=DLG,
        topic=TOPIC,
        title="Denoising MCMC for Accelerating Diffusion-Based Generative Models",
        authors=("Beomsu Kim", "Jong Chul Ye"),
        year=2023,
        venue="International Conference on Machine Learning",
        arxiv="2209.14593",
        summary="MCMC on the joint law of a point and its noise level gives states near the data, "
        "from which a reverse integrator needs few steps. Denoising Langevin Gibbs alternates "
        "Langevin steps in $x$ with a noise classifier's level.",
        coverage=(
            covered(
                "Denoising Langevin Gibbs (Algorithm 1)",
                "re-created",
                "On mixtures, where the level's posterior is exact. With exact or adjusted moves "
                "and drawn levels the law is kept; with the released rules it is not.",
                "dlg-keeps-levels",
                "dlg-keeps-weights",
                "level-marginals",
            ),
            covered(
                "Step sizes",
                "re-created",
                "Steps in $\\sigma^2$ mix from the highest level; a constant step does not.",
                "dlg-steps-in-variance",
            ),
            covered(
                "Acceleration at few evaluations (experiments)",
                "re-created",
                "In squared discrepancy instead of FID, the chains' evaluations included.",
                "dlg-efficiency",
                "chain-efficiency",
            ),
            IMAGES,
        ),
    )
)
