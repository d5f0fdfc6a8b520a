"""Generated data follow the laws that their docstrings state."""

import numpy as np
import pytest
from scipy import stats

from theorytk.conformal.problems import (
    screening_data,
    separated_data,
    shifted_data,
    shifted_prediction,
)

FALSE_ALARM = 1e-7
N = 4000


def follows(values, law):
    return stats.kstest(np.ravel(values), law.cdf).pvalue > FALSE_ALARM


def test_shifted_data():
    data = shifted_data(N, N + 1, shift=0.7, sigma=0.3, rng=0)
    assert follows(data.X_cal, stats.norm())
    assert follows(data.X_test, stats.norm(0.7))
    for X, y, weight in (
        (data.X_cal, data.y_cal, data.cal_weight),
        (data.X_test, data.y_test, data.test_weight),
    ):
        assert follows((y - 0.8 + X) / 0.3, stats.norm())
        np.testing.assert_allclose(weight, stats.norm(0.7).pdf(X) / stats.norm().pdf(X))


def test_shifted_data_without_shift_or_noise():
    data = shifted_data(3, 2, shift=0, sigma=0, rng=0)
    np.testing.assert_array_equal(data.cal_weight, 1)
    np.testing.assert_allclose(data.y_test, 0.8 - data.X_test)
    np.testing.assert_allclose(shifted_prediction([np.pi / 6]), [1.2 - np.pi / 6])


def test_screening_data():
    skill = [0.0, 0.5, -0.9, 1.0]
    predictions, y = screening_data(N, 4, active=0.2, skill=skill, df=4, correlation=0.3, rng=1)
    activity = y + stats.t(4).ppf(0.8)
    assert follows(activity, stats.t(4))
    assert follows(predictions[0], stats.norm())
    normal_score = stats.norm.ppf(stats.t(4).cdf(activity))
    for k, s in enumerate(skill):
        assert follows(predictions[k], stats.norm())
        assert np.corrcoef(predictions[k], normal_score)[0, 1] == pytest.approx(s, abs=0.08)
    errors = predictions - np.array(skill)[:, None] * normal_score
    assert np.corrcoef(errors[0], errors[2])[0, 1] == pytest.approx(0.3, abs=0.08)
    np.testing.assert_allclose(errors[3], 0, atol=1e-6)


def test_screening_with_useless_predictors():
    predictions, y = screening_data(N, 6, active=0.5, skill=np.zeros(6), correlation=0, rng=2)
    assert np.abs(np.corrcoef(predictions) - np.eye(6)).max() < 0.09
    assert max(abs(np.corrcoef(row, y > 0)[0, 1]) for row in predictions) < 0.09
    assert stats.binomtest(int((y > 0).sum()), N, 0.5).pvalue > FALSE_ALARM


def test_separated_data():
    X, y = separated_data(N, pi0=0.7, rng=3)
    assert set(y) == {-1.0, 1.0}
    np.testing.assert_array_equal(X > 1, y > 0)
    assert follows(X % 1, stats.uniform())
    assert stats.binomtest(int((y < 0).sum()), N, 0.7).pvalue > FALSE_ALARM


def test_seeds_repeat():
    for draw in (
        lambda rng: shifted_data(3, 2, rng=rng).y_test,
        lambda rng: screening_data(3, 2, rng=rng)[0],
        lambda rng: separated_data(3, rng=rng)[0],
    ):
        np.testing.assert_array_equal(draw(7), draw(np.random.default_rng(7)))
        assert (draw(7) != draw(8)).any()


REFUSED = [
    (lambda: shifted_data(0, 1), "n must be"),
    (lambda: shifted_data(1, 0), "m must be"),
    (lambda: shifted_data(1, 1, sigma=-1), "sigma must be"),
    (lambda: shifted_prediction([[0.0]]), "X must have 1 dimension"),
    (lambda: screening_data(3, 2, active=1.0), "active must be"),
    (lambda: screening_data(3, 2, skill=[0.5]), "skill must have shape"),
    (lambda: screening_data(3, 2, skill=[0.5, 1.5]), "skill"),
    (lambda: screening_data(3, 2, correlation=2), "correlation must be"),
    (lambda: screening_data(3, 2, df=0), "df must be"),
    (lambda: separated_data(3, pi0=-0.1), "pi0 must be"),
    (lambda: separated_data(0), "n must be"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
