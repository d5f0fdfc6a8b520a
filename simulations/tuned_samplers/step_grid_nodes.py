"""Where the nodes of standard grids and of grids of least cost lie."""

from __future__ import annotations

from theorytk.experiments import Column, experiment, grid

from ..diffusion_samplers.common import SCHEDULE
from .compensation_common import DC
from .step_grid_common import STANDARD, named_grid


@experiment(
    "tuned-samplers/grid-nodes",
    paper=DC,
    design=grid(kind=[*STANDARD, "angles 1", "optimal for ddim", "optimal for 2m"], n_steps=8),
    columns={
        "node": Column("node, from 0", dtype="int"),
        "lam": Column("half log signal-to-noise ratio of the node"),
    },
    presets={"quick": dict(replicates=1), "paper": dict(replicates=1)},
    block=1,
)
def grid_nodes(*, kind, n_steps, rng):
    """Nodes of a grid, in lambda; those of least cost are for eight training mixtures."""
    lam = SCHEDULE.lam(named_grid(str(kind), "ddim", int(n_steps)))
    return [{"node": i, "lam": value} for i, value in enumerate(lam)]
