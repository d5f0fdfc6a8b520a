"""Conversions between what models predict, from the forward law itself."""

from __future__ import annotations

import numpy as np
import pytest

from theorytk.diffusion.models import OUTPUTS, PREDICTIONS, Model, conversion
from theorytk.diffusion.schedules import EDM, VPLinear


def predictions(data, noise, alpha, sigma):
    """Return what each kind of model predicts where the state came from this data and noise."""
    return {
        "noise": noise,
        "data": data,
        "velocity": alpha * noise - sigma * data,
        "score": -noise / sigma,
    }


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("predicts", PREDICTIONS)
@pytest.mark.parametrize(("alpha", "sigma"), [(0.6, 0.8), (1.0, 3.0), (0.3, 0.2)])
def test_conversions_recover_data_and_noise(predicts, output, alpha, sigma):
    data, noise = np.random.default_rng(0).standard_normal((2, 5))
    known = predictions(data, noise, alpha, sigma)
    a, b = conversion(predicts, output, alpha, sigma)
    x = alpha * data + sigma * noise
    np.testing.assert_allclose(a * x + b * known[predicts], known[output], rtol=1e-12)


def test_predict_uses_the_schedule_of_the_model():
    schedule = VPLinear()
    data, noise = np.random.default_rng(1).standard_normal((2, 4, 3))
    alpha, sigma = schedule.alpha(0.4), schedule.sigma(0.4)
    x = alpha * data + sigma * noise
    for predicts, value in predictions(data, noise, alpha, sigma).items():
        model = Model(lambda x, t, value=value: value, predicts, schedule)
        np.testing.assert_allclose(model.predict("data", x, 0.4), data, rtol=1e-12)
        np.testing.assert_allclose(model.predict("noise", x, 0.4), noise, rtol=1e-12)
        assert model(x, 0.4) is value


def test_bad_models_are_named():
    with pytest.raises(ValueError, match=r"predicts must be one of .*did you mean 'noise'"):
        Model(abs, "nois")
    with pytest.raises(TypeError, match="function must be a function"):
        Model(3.0)
    with pytest.raises(TypeError, match="schedule must be a NoiseSchedule or None"):
        Model(abs, "noise", "linear")
    with pytest.raises(ValueError, match="predict needs a model with a schedule"):
        Model(abs).predict("data", np.ones((2, 2)), 0.5)
    with pytest.raises(ValueError, match="output must be one of 'noise', 'data'"):
        Model(abs, schedule=EDM()).predict("score", np.ones((2, 2)), 0.5)
    with pytest.raises(
        ValueError, match=r"data cannot be turned into noise at alpha = 1, sigma = 0"
    ):
        conversion("data", "noise", 1.0, 0.0)
