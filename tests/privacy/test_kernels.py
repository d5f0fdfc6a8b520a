import numpy as np
import pytest
from scipy.stats import norm

from theorytk.privacy.kernels import KERNELS, kernel_profile, kernel_values, random_frequencies


def test_values_are_those_of_the_formulas():
    x, y = np.array([[0.0, 1.0], [2.0, -1.0]]), np.array([[0.5, 0.5]])
    l1, l2 = np.array([1.0, 3.0]) / 0.7, np.sqrt([0.5, 4.5]) / 0.7
    wanted = {
        "gaussian": np.exp(-(l2**2)),
        "exponential": np.exp(-l2),
        "laplacian": np.exp(-l1),
        "cauchy": 1 / (1 + l2**2),
        "inverse": 1 / (1 + l2),
    }
    for kernel in KERNELS:
        values = kernel_values(kernel, x, y, bandwidth=0.7)
        np.testing.assert_allclose(values, wanted[kernel][None], rtol=1e-13)


@pytest.mark.parametrize("kernel", KERNELS)
def test_frequencies_have_the_spectral_law(kernel):
    n = 200_000
    w = random_frequencies(kernel, 3, n, bandwidth=0.5, rng=3)
    for u in ([0.1, 0.0, 0.0], [0.2, -0.1, 0.3], [1.0, 0.5, -0.5]):
        truth = kernel_values(kernel, np.zeros((1, 3)), [u], bandwidth=0.5)[0, 0]
        assert abs(np.cos(u @ w).mean() - truth) < norm.isf(1e-7) * np.sqrt(0.5 / n)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="did you mean 'gaussian'"):
        kernel_profile("gausian", 1.0)
    with pytest.raises(ValueError, match="z must be >= 0"):
        kernel_profile("cauchy", -1.0)
    with pytest.raises(ValueError, match="Y must have shape"):
        kernel_values("cauchy", [[0.0]], [[0.0, 1.0]])
    with pytest.raises(ValueError, match="bandwidth"):
        random_frequencies("cauchy", 1, 1, bandwidth=0.0)
    with pytest.raises(ValueError, match="n_features"):
        random_frequencies("cauchy", 1, 0)
