"""The time-shift sampler: what is done about the paper's results."""

from __future__ import annotations

from theorytk.registry import Paper, papers

from .common import IMAGES, TIME_SHIFT, TOPIC, covered

papers.add(
    Paper(
        id=TIME_SHIFT,
        topic=TOPIC,
        title="Alleviating Exposure Bias in Diffusion Models through Sampling with Shifted Time "
        "Steps",
        authors=("Mingxiao Li", "Tingyu Qu", "Ruicong Yao", "Wei Sun", "Marie-Francine Moens"),
        year=2024,
        venue="International Conference on Learning Representations",
        arxiv="2305.15583",
        summary="What a sampler makes at a time may fit another time better. The time-shift "
        "sampler gives each sample the time, within a window, whose noise variance is nearest to "
        "the sample's variance over its pixels.",
        coverage=(
            covered(
                "Theorem on the best time and the network's error",
                "re-created",
                "Its wording was not available. What an independent error adds to the variance "
                "is derived here, and the rule's own bias.",
                "forward-variance",
                "error-variance",
            ),
            covered(
                "Algorithm: the time-shift sampler with DDIM",
                "re-created",
                "On noisy templates with exact predictions times a bias, not images: the "
                "published rule helps with a high cut-off and hurts with a low one; with the "
                "data's variance it helps with both.",
                "corrected-shift-helps",
                "raw-shift-hurts",
                "raw-shift-helps",
                "time-shift-ratios",
            ),
            IMAGES,
        ),
    )
)
