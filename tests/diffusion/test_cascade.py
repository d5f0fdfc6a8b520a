import numpy as np
import pytest

from theorytk.diffusion.tuning.cascade import CascadePolynomialRegression

CELLS = [(w, n) for w in (1.0, 3.0, 5.0, 7.5) for n in (5, 6, 8, 10, 12)]


def nested(coefficients, guidance, n):
    """The cascade as the paper writes it: a polynomial of polynomials of polynomials."""
    values = [1.0, 1.0]
    for i in range(3, n + 1):
        powers = []
        for of_guidance in coefficients:
            quadratic = [np.polyval(of_budget, n / 50) for of_budget in of_guidance]
            powers.append(np.polyval(quadratic, guidance / 12))
        values.append(np.polyval(powers[::-1], i / n))
    return np.array(values)


def test_predictions_are_nested_polynomials():
    coefficients = np.random.default_rng(0).normal(size=(4, 3, 3))
    model = CascadePolynomialRegression(coefficients.ravel())
    for guidance, n in CELLS:
        expected = nested(coefficients, guidance, n)
        np.testing.assert_allclose(model.predict(guidance, n), expected, rtol=1e-12)
    assert model.predict(3.0, 1).tolist() == [1.0]
    assert model.predict(3.0, 2).tolist() == [1.0, 1.0]


def test_fit_recovers_ratios_that_follow_the_model():
    coefficients = np.random.default_rng(1).normal(size=(4, 3, 3))
    ratios = [nested(coefficients, *cell) for cell in CELLS]
    guidance, budgets = zip(*CELLS, strict=True)
    model = CascadePolynomialRegression().fit(guidance, budgets, ratios)
    np.testing.assert_allclose(model.predict(4.0, 7), nested(coefficients, 4.0, 7), atol=1e-6)


def test_bad_input():
    with pytest.raises(ValueError, match=r"coefficients must have shape \(4, 3, 3\); got \(9,\)"):
        CascadePolynomialRegression(np.zeros(9))
    with pytest.raises(AttributeError, match="call fit first"):
        CascadePolynomialRegression().predict(3.0, 5)
    empty = CascadePolynomialRegression()
    with pytest.raises(ValueError, match="must have one entry per cell; got 2, 1, 1"):
        empty.fit([1.0, 2.0], [5], [np.ones(5)])
    with pytest.raises(ValueError, match="n_evaluations must be an integer >= 3; got 2"):
        empty.fit([1.0], [2], [np.ones(2)])
    with pytest.raises(ValueError, match=r"ratios must have shape \(5\); got \(4,\)"):
        empty.fit([1.0], [5], [np.ones(4)])
    with pytest.raises(ValueError, match="must determine 36 coefficients; they determine 4"):
        empty.fit([1.0], [8], [np.ones(8)])
