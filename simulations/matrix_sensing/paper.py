"""The paper behind this topic, and what is done about each of its results."""

from __future__ import annotations

from theorytk.registry import Paper, papers

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
        summary="TO WRITE",
        coverage=(),
    )
)
