"""What holds for every test: one BLAS thread, no display; in CI the same examples always."""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
os.environ["MPLBACKEND"] = "Agg"

from hypothesis import settings

# hypothesis's own profile "ci" is derandomised; time limits per example only measure the machine.
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")
