"""Numbers that the theory page states."""

from pathlib import Path

import numpy as np
import pytest

import theorytk
from theorytk.sensitivity.lewis import lewis_weights
from theorytk.sensitivity.matrices import vandermonde
from theorytk.sensitivity.matrix_laws import flat_block_total_limit, stacked_identity_failure
from theorytk.sensitivity.sensitivities import sensitivities

ROOT = Path(theorytk.__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "sensitivity_sampling.md").read_text(encoding="utf-8")


def test_where_the_hard_instance_fails():
    assert "$\\alpha=24$" in PAGE
    assert stacked_identity_failure(64, 10**6, 24, 0.5) == pytest.approx(0.5, abs=0.01)
    assert "$\\alpha=6.4$" in PAGE
    assert 64 / flat_block_total_limit(64, 1) == pytest.approx(6.4, abs=0.05)


@pytest.mark.parametrize("d", [6, 11])
def test_sensitivities_of_polynomials_are_near_their_lewis_weights(d):
    A = vandermonde(np.random.default_rng(0).uniform(-1, 1, 200), d)
    ratio = sensitivities(A, 4).values / lewis_weights(A, 4).weights
    assert 1 < ratio.min() < ratio.max() < 2
