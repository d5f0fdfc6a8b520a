"""The paper on searched solver schedules, and what is done about its results."""

from __future__ import annotations

from theorytk.registry import Covered, Paper, papers

from .usf_common import USF

TOPIC = "tuned-samplers"


def covered(item, status, note, *names):
    """Return a coverage entry whose claims and figures are named without the topic."""
    return Covered(item, status, note, tuple(f"{TOPIC}/{name}" for name in names))


papers.add(
    Paper(
        id=USF,
        topic=TOPIC,
        title="A Unified Sampling Framework for Solver Searching of Diffusion Probabilistic Models",
        authors=("Enshu Liu", "Xuefei Ning", "Huazhong Yang", "Yu Wang"),
        year=2024,
        venue="International Conference on Learning Representations",
        arxiv="2312.07243",
        summary="A sampler decides at every step: which prediction to expand, to which order, with "
        "which estimate of the derivatives, with or without a corrector, and where to step. Known "
        "solvers are points of this space; a search finds better ones at few evaluations.",
        coverage=(
            covered(
                "Known solvers are special cases of the framework",
                "verified",
                "Multistep DPM-Solver and ++, the midpoint 2M and every UniPC, on random grids. "
                "The third prediction, that of DPM-Solver-v3, is in no space that is searched.",
                "usf-known-solvers",
                "usf-distinct-solvers",
            ),
            covered(
                "Searched schedules are better at 3 to 10 evaluations (abstract; FID tables)",
                "re-created",
                "Errors of end points at 4 evaluations, on laws with exact scores; against the "
                "best of seven baselines, chosen with hindsight.",
                "usf-heldout-gain",
                "usf-landscape",
                "usf-methods",
            ),
            covered(
                "S^3: evolution, and its released settings",
                "re-created",
                "The score is an error on trajectories, which it overfits if they are few.",
                "usf-evolution-overfits",
                "usf-methods",
            ),
            covered(
                "S^3: the performance predictor",
                "re-created",
                "Its architecture is not released: a ridge regression of ours on indicators and "
                "their pairs, or any regressor of scikit-learn.",
                "usf-predictor-ranks",
                "usf-predictor",
            ),
            covered(
                "Refinement by gradients (ours)",
                "verified",
                "Times and relaxations move along exact gradients.",
                "usf-gradient-refines",
                "usf-gradient-overfits",
            ),
            covered(
                "FID tables and sample images",
                "not reproducible",
                "They need trained image models.",
            ),
        ),
    )
)
