"""Importing theorytk is quick, and a topic does not pull in what it does not use."""

import subprocess
import sys
import time

import pytest

LIMIT_SECONDS = 0.2
ROUNDS = 7


def seconds(code):
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def test_import_takes_under_a_fifth_of_a_second():
    rounds = [(seconds("pass"), seconds("import theorytk")) for _ in range(ROUNDS)]
    bare, loaded = (min(times) for times in zip(*rounds, strict=True))
    assert loaded - bare < LIMIT_SECONDS


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("theorytk", {"matplotlib", "numba", "numpy", "pandas", "pyarrow", "scipy", "typer"}),
        ("theorytk.inference", {"matplotlib", "numba", "pandas", "pyarrow", "sklearn", "typer"}),
        ("theorytk.matrix_sensing", {"matplotlib", "pandas", "pyarrow", "sklearn", "typer"}),
    ],
)
def test_import_leaves_out_what_it_does_not_use(module, absent):
    code = f"import sys, {module}; print(*sorted({absent!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []
