"""The MR Sampler: what is done about the paper's results."""

from __future__ import annotations

from theorytk.registry import Paper, papers

from .common import IMAGES, TOPIC, covered
from .stochastic_common import MRS

papers.add(
    Paper(
        id=MRS,
        topic=TOPIC,
        title="MRS: A Fast Sampler for Mean Reverting Diffusion based on ODE and SDE Solvers",
        authors=("Ao Li", "Wei Fang", "Hongbo Zhao", "Le Lu", "Ge Yang", "Minfeng Xu"),
        year=2025,
        venue="International Conference on Learning Representations",
        arxiv="2502.07856",
        summary="Image restoration reverts to the degraded image $\\mu$ instead of to 0. The "
        "solutions of its reverse SDE and of its ODE are written semi-analytically, with the terms "
        "in $\\mu$, and give solvers of orders 1 to 3 in noise and in data prediction.",
        coverage=(
            covered(
                "Semi-analytic solutions of the ODE and of the SDE, orders 1 and 2",
                "verified",
                "They are those of the DPM-Solvers for $x-\\mu$.",
                "mr-is-centred",
            ),
            covered(
                "Orders of the ODE solvers",
                "verified",
                "The third order has the missing factor 2 of the released DPM-Solvers.",
                "mr-ode-second-order",
                "mr-ode-third-order",
            ),
            covered(
                "Orders of the SDE solvers",
                "verified",
                "As weak orders, by exact moments of Gaussians; what the first order loses is a "
                "law of ours, and so is that three outputs are no better than order 2.",
                "mr-sde-first-order",
                "mr-sde-second-order",
                "mr-sde-third-is-second",
                "mr-variance-loss",
                "weak-orders",
            ),
            covered(
                "Comparison with Heun's method and other black-box solvers",
                "re-created",
                "The released baseline divides the noise by the diffusion coefficient and does "
                "not converge; Heun's method done right has order 2.",
                "mr-heun-baseline",
            ),
            IMAGES,
        ),
    )
)
