"""What holds for every test: one BLAS thread, no display; in CI the same examples always."""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
os.environ["MPLBACKEND"] = "Agg"

from typing import Any

import pytest
from hypothesis import settings

from theorytk.experiments import Column, Experiment, grid

# hypothesis's own profile "ci" is derandomised; time limits per example only measure the machine.
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def draw(*, a=1, b=1, rng):
    """Return one draw, so that rows tell the random streams apart."""
    return {"x": float(rng.random())}


@pytest.fixture
def declare():
    """Return a function that declares an experiment without registering it."""

    def make(function: Any = draw, **changes: Any) -> Experiment:
        settings: dict[str, Any] = {
            "id": "unit/draw",
            "paper": "nobody",
            "design": grid(),
            "columns": {"x": Column("a draw")},
            "presets": {"quick": {"replicates": 3}},
        }
        return Experiment(function=function, **{**settings, **changes})

    return make
