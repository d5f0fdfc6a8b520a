"""The paper behind this topic, and what is done about its results."""

from __future__ import annotations

from theorytk.registry import Covered, Paper, papers

TOPIC = "stochastic-interpolants"


def covered(item, status, note, *names):
    """Return a coverage entry whose claims and figures are named without the topic."""
    return Covered(item, status, note, tuple(f"{TOPIC}/{name}" for name in names))


papers.add(
    Paper(
        id="albergo2023",
        topic=TOPIC,
        title="Stochastic Interpolants: A Unifying Framework for Flows and Diffusions",
        authors=("Michael S. Albergo", "Nicholas M. Boffi", "Eric Vanden-Eijnden"),
        year=2023,
        venue="Journal of Machine Learning Research 26 (2025)",
        arxiv="2303.08797",
        url="https://arxiv.org/abs/2303.08797",
        summary="A stochastic interpolant $x_t=I(t,x_0,x_1)+\\gamma(t)z$ joins two laws by noisy "
        "curves. Conditional means given $x_t$ are the velocity and the score of a generative "
        "flow and of a family of diffusions with any noise $\\epsilon$, all with the law of "
        "$x_t$. They minimise quadratic objectives; for the diffusions the excess of these bounds "
        "the likelihood, for the flow it does not.",
        coverage=(
            covered(
                "Transport equation; score and denoiser (2.10)-(2.17)",
                "verified",
                "For random Gaussian mixtures.",
                "transport",
            ),
            covered(
                "Objectives (2.13), (2.16), (2.19), (2.29)",
                "verified",
                "With the exact excess, and the variances behind the advice to draw in pairs.",
                "excess-loss",
                "antithetic-draws",
                "single-draws",
            ),
            covered(
                "Fokker-Planck equations (2.20), (2.22)",
                "verified",
                "Forward and backward, for random Gaussian mixtures.",
                "fokker-planck",
            ),
            covered(
                "Generative models: flow, forward and backward SDE",
                "verified",
                "On the example of Figures 6 and 7.",
                "marginals",
                "backward-marginals",
                "weak-order",
            ),
            covered(
                "Lemma on the likelihood of the flow (2.39)",
                "verified",
                "By an example of ours in which the loss vanishes and the divergence does not.",
                "flow-without-control",
            ),
            covered(
                "Lemma on the likelihood of the SDE (2.42)",
                "verified",
                "For random errors and for the example that attains the bound.",
                "likelihood-by-drift",
            ),
            covered(
                "Theorem on likelihood control (2.45), and its companion for the mean velocity",
                "verified",
                "With twice the printed constants; the printed bound is exceeded.",
                "likelihood-by-losses",
                "likelihood-by-mean-velocity",
                "likelihood-attained",
            ),
            covered(
                "Best epsilon (2.49)",
                "verified",
                "As the neighbourhood of the minimum of the divergence itself.",
                "interior-epsilon",
            ),
            covered(
                "Density along paths (2.58)",
                "verified",
                "For the diffusion; the flow's change of variables is used in the example that "
                "has no control.",
                "feynman-kac",
                "flow-without-control",
            ),
            covered(
                "Schroedinger bridge (3.35)-(3.39)",
                "verified",
                "Between Gaussians in one dimension, where it has a closed form.",
                "gaussian-bridge",
            ),
            covered(
                "Spatially linear interpolants (4.4), (4.5); end points (4.12)-(4.14)",
                "verified",
                "For every named interpolant. (4.9) prints alpha and beta swapped, and the table "
                "of choices lacks the factor of (4.10).",
                "conditional-means",
                "end-points",
            ),
            covered(
                "The role of gamma",
                "verified",
                "What smoothness costs in kinetic energy is ours.",
                "latent-noise-smooths",
                "smoothness-against-energy",
            ),
            covered(
                "One-sided interpolants and denoising (5.14)",
                "verified",
                "With its order, which is ours.",
                "denoising-order",
                "denoising-is-euler",
                "denoising-a-point",
            ),
            covered(
                "Diffusive interpolants (Theorem 31 of the journal version)",
                "verified",
                "In the linear case with gamma^2 = t (1 - t) and the epsilon of a regular drift.",
                "point-start",
            ),
            covered(
                "Gaussian mixtures (Appendix A)",
                "verified",
                "The exact fields of all experiments.",
                "transport",
                "fokker-planck",
            ),
            covered(
                "Figures 6 and 7: a mixture in one dimension",
                "re-created",
                "With the laws of the figures and the noise of the public notebook, "
                "gamma^2 = t (1 - t), where the text has 2 t (1 - t).",
                "density-evolution",
                "trajectories",
                "forgets-its-start",
            ),
            covered(
                "Figures 11 to 14: a mixture in 128 dimensions, KL against epsilon",
                "re-created",
                "In one dimension, with exact fields and errors of known size in the place of "
                "trained networks: KL against epsilon has its minimum inside, as there.",
                "interior-epsilon",
                "kl-against-epsilon",
            ),
            covered(
                "Figures 9 and 10: the checkerboard",
                "not reproducible",
                "They need networks that are trained for hours; no result of theirs is a number.",
            ),
            covered(
                "Figures 15 to 17: images of flowers",
                "not reproducible",
                "They need large networks and image data.",
            ),
        ),
    )
)
