"""The four papers of this topic, and what is done about their results."""

from __future__ import annotations

from theorytk.registry import Covered, Paper, papers

from .common import DEIS, DPM, DPMPP, UNIPC

TOPIC = "diffusion-samplers"


def covered(item, status, note, *names):
    """Return a coverage entry whose claims and figures are named without the topic."""
    return Covered(item, status, note, tuple(f"{TOPIC}/{name}" for name in names))


IMAGES = covered(
    "FID tables and sample images",
    "not reproducible",
    "They need trained image models; the same samplers run here on laws with exact scores.",
)

papers.add(
    Paper(
        id=DPM,
        topic=TOPIC,
        title="DPM-Solver: A Fast ODE Solver for Diffusion Probabilistic Model Sampling in Around "
        "10 Steps",
        authors=("Cheng Lu", "Yuhao Zhou", "Fan Bao", "Jianfei Chen", "Chongxuan Li", "Jun Zhu"),
        year=2022,
        venue="Advances in Neural Information Processing Systems",
        arxiv="2206.00927",
        summary="In $\\lambda=\\log(\\alpha/\\sigma)$ the probability flow of a diffusion model is "
        "semilinear: its linear part is solved exactly, and the integral of the noise prediction "
        "against $e^{-\\lambda}$ is expanded. That gives singlestep solvers of order 1, 2 and 3.",
        coverage=(
            covered(
                "Convergence theorem: DPM-Solver-k has order k, k = 1, 2, 3",
                "verified",
                "On a mixture with exact scores and grids uniform in $\\lambda$; order 1 on others "
                "too. The statement is from memory: the observed order is what is claimed.",
                "first-order",
                "singlestep-second-order",
                "singlestep-third-order",
                "orders",
            ),
            covered(
                "DPM-Solver-1 is DDIM",
                "verified",
                "With five more methods that are the same.",
                "ddim-identities",
            ),
            covered(
                "DPM-Solver-fast: the budget of evaluations",
                "verified",
                "Counted by a model that counts its calls.",
                "evaluations",
            ),
            covered(
                "Adaptive step size (appendix)",
                "verified",
                "The error follows the tolerance, a law of ours; the published rule couples the "
                "samples of a batch.",
                "adaptive-error",
                "adaptive-batch-independence",
            ),
            covered(
                "The integrals $\\varphi_k$ of the exact solution",
                "verified",
                "In a form without cancellation.",
                "phi-cancellation",
            ),
            covered(
                "Distances between laws, for Gaussian data (ours)",
                "verified",
                "$W_2$ and KL of the sampler's exact law against the data's.",
                "gaussian-ddim-factor",
                "gaussian-monte-carlo",
                "gaussian-distances",
                "gaussian-kl-order",
            ),
            IMAGES,
        ),
    )
)
papers.add(
    Paper(
        id=DPMPP,
        topic=TOPIC,
        title="DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models",
        authors=("Cheng Lu", "Yuhao Zhou", "Fan Bao", "Jianfei Chen", "Chongxuan Li", "Jun Zhu"),
        year=2022,
        venue="arXiv",
        arxiv="2211.01095",
        summary="The same for the data prediction, which is expanded in place of the noise; "
        "multistep solvers reuse earlier outputs, so that a step costs one evaluation.",
        coverage=(
            covered(
                "Algorithms 1 and 2: DPM-Solver++(2S) and (2M)",
                "verified",
                "Order 2, on unequal steps too.",
                "dpmpp-second-order",
                "uneven-steps",
                "orders",
            ),
            covered(
                "Released code: singlestep of order 3",
                "verified",
                "Order 3.",
                "dpmpp-singlestep-third-order",
            ),
            covered(
                "Released code: multistep of order 3",
                "verified",
                "Its order is 2; with twice the weight of the second derivative it is 3.",
                "published-3m-is-second-order",
                "third-order-multistep",
                "adams-bashforth-limit",
                "orders",
            ),
            covered(
                "High orders are unstable under guidance, data prediction less so (abstract)",
                "re-created",
                "On guided mixtures, not images; a test equation gives the limits of second order, "
                "and data prediction at most an eighth more.",
                "high-orders-diverge",
                "frozen-rate-limits",
                "data-prediction-gain",
                "guided-divergence",
                "frozen-rate",
                "guidance-limit",
            ),
            covered(
                "Dynamic thresholding",
                "verified",
                "A bound of ours for DDIM.",
                "thresholded-ddim-is-bounded",
            ),
            covered(
                "Few steps suffice (abstract): quality at 5 to 20 evaluations",
                "re-created",
                "Errors of end points on random mixtures in the place of FIDs; the released option "
                "for few steps helps at 5 and harms from 8.",
                "second-order-halves",
                "heun-needs-more",
                "quadratic-grid",
                "third-order-prefers-logsnr",
                "lower-orders-help-at-5",
                "lower-orders-harm-from-8",
                "error-against-evaluations",
            ),
            IMAGES,
        ),
    )
)
papers.add(
    Paper(
        id=DEIS,
        topic=TOPIC,
        title="Fast Sampling of Diffusion Models with Exponential Integrator",
        authors=("Qinsheng Zhang", "Yongxin Chen"),
        year=2023,
        venue="International Conference on Learning Representations",
        arxiv="2204.13902",
        summary="An exponential integrator whose noise prediction is extrapolated by a polynomial "
        "in $t$ or in $\\rho=\\sigma/\\alpha$, or integrated by a Runge-Kutta method in $\\rho$.",
        coverage=(
            covered(
                "tAB-DEIS and rhoAB-DEIS",
                "verified",
                "Order $r+1$ with exact weights; the released Riemann sum stops it.",
                "deis-second-order",
                "deis-third-order",
                "deis-fourth-order",
                "deis-logrho-is-lagrange",
                "orders",
            ),
            covered(
                "tAB0 is DDIM (proposition)",
                "verified",
                "To rounding, on random grids.",
                "ddim-identities",
            ),
            covered(
                "rhoRK",
                "verified",
                "All tableaux of the released code.",
                "heun-second-order",
                "runge-kutta-third-order",
                "runge-kutta-fourth-order",
            ),
            covered(
                "iPNDM",
                "verified",
                "Its order, ours: 2 on usual grids, 4 on a grid uniform in $\\rho$.",
                "ipndm-order-two",
                "ipndm-uniform-rho",
            ),
            covered(
                "High accuracy at 10 to 20 evaluations (abstract)",
                "re-created",
                "Errors on random mixtures in the place of FIDs.",
                "deis-beats-2m",
            ),
            IMAGES,
        ),
    )
)
papers.add(
    Paper(
        id=UNIPC,
        topic=TOPIC,
        title="UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion "
        "Models",
        authors=("Wenliang Zhao", "Lujia Bai", "Yongming Rao", "Jie Zhou", "Jiwen Lu"),
        year=2023,
        venue="Advances in Neural Information Processing Systems",
        arxiv="2302.04867",
        summary="A predictor of any order $p$ and a corrector that raises it to $p+1$ with the "
        "model's output at the predicted state, which is needed for the next step anyway.",
        coverage=(
            covered(
                "UniP-p has order p",
                "verified",
                "For p = 2 and 3, both functions $B(h)$.",
                "unip-second-order",
                "unip-third-order",
                "orders",
            ),
            covered(
                "UniC raises the order by one at no evaluation (abstract)",
                "verified",
                "From 2 to 3 and from 3 to 4; evaluations are counted.",
                "corrector-gains-one",
                "corrector-gains-one-at-three",
                "evaluations",
            ),
            covered(
                "The choice of $B(h)$",
                "verified",
                "It matters at order 2 alone; there one choice is DPM-Solver++(2M). Ours.",
                "unip2-is-2m",
                "unip3-b-invariant",
                "unip3-is-consistent-3m",
            ),
            covered(
                "A corrector without extra evaluations pays (abstract)",
                "re-created",
                "Errors on random mixtures in the place of FIDs, at 20 evaluations.",
                "corrector-pays",
            ),
            IMAGES,
        ),
    )
)
