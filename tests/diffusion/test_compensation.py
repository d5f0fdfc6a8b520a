import numpy as np
import pytest

from theorytk.diffusion import GaussianTarget, VPLinear, reference_trajectory, sample, time_grid
from theorytk.diffusion.samplers import unipc
from theorytk.diffusion.targets import three_modes
from theorytk.diffusion.tuning.compensation import search_compensation

VP = VPLinear()
TIMES = time_grid(VP, "uniform", 5)
X = np.random.default_rng(0).standard_normal((10, 2))


def errors(ratios, target, exact, order=2):
    """The mean square errors at all nodes but the first, by running the whole plan."""
    plan = unipc(VP, TIMES, order=order, ratios=ratios)
    states = sample(plan, target.model(VP), X, record=True).states
    return [np.mean((x - y) ** 2) for x, y in zip(states[1:], exact[1:], strict=True)]


@pytest.mark.parametrize("target", [GaussianTarget([0.5, -1.0], [0.1, 0.4]), three_modes()])
def test_each_ratio_is_the_best_of_a_brute_force_scan(target):
    exact = reference_trajectory(target, VP, X, TIMES, rtol=1e-9).states
    found = search_compensation(target.model(VP), VP, TIMES, X, order=2)
    assert (found.ratios[:2] == 1).all()
    assert (found.ratios[2:] != 1).any()
    for i in range(2, 5):
        ratios = np.where(np.arange(5) < i, found.ratios, 1.0)
        trials = []
        for ratio in np.linspace(0.2, 1.8, 161):
            ratios[i] = ratio
            trials.append(errors(ratios, target, exact)[i])
        assert found.errors[i] <= min(trials) * (1 + 1e-9)
        ratios[i] = 1.0
        assert found.uncompensated[i] == pytest.approx(errors(ratios, target, exact)[i], rel=1e-9)
    assert found.errors == pytest.approx(errors(found.ratios, target, exact), rel=1e-9)


def test_a_trial_costs_one_evaluation_and_none_in_the_last_step():
    calls = []

    def noise(x, t):
        calls.append(t)
        return np.sin(x) * t

    references = np.stack([X * (0.8 + 0.04 * i) for i in range(6)])
    found = search_compensation(noise, VP, TIMES, X, order=3, references=references, n_scan=5)
    assert len(calls) == found.n_evaluations
    assert {calls.count(t) for t in TIMES[:3]} == {1}
    assert TIMES[-1] not in calls
    assert all(6 <= calls.count(t) <= 40 for t in TIMES[3:5])
    again = search_compensation(noise, VP, TIMES, X, order=3, references=references, n_scan=5)
    assert (again.ratios == found.ratios).all()


@pytest.mark.torch
def test_the_same_ratios_on_torch():
    import torch

    target = three_modes()
    exact = reference_trajectory(target, VP, X, TIMES, rtol=1e-9).states
    found = search_compensation(target.model(VP), VP, TIMES, X, order=2)
    tensors = [torch.from_numpy(a) for a in (X, exact)]
    other = search_compensation(
        target.model(VP), VP, TIMES, tensors[0], order=2, references=tensors[1]
    )
    assert other.ratios == pytest.approx(found.ratios, abs=1e-4)
    with pytest.raises(ValueError, match="references must be given for starts of type Tensor"):
        search_compensation(target.model(VP), VP, TIMES, tensors[0], order=2)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (dict(bounds=(1.0, 1.0)), r"bounds must increase; got \(1.0, 1.0\)"),
        (dict(n_scan=2), "n_scan must be an integer >= 3; got 2"),
        (dict(order=0), "order must be an integer >= 1; got 0"),
        (dict(order_of_compensation=0), "order_of_compensation must be an integer >= 1; got 0"),
        (dict(references=np.zeros((3, 10, 2))), r"references must have shape \(6, 10, 2\)"),
    ],
)
def test_bad_input(options, match):
    with pytest.raises(ValueError, match=match):
        search_compensation(three_modes().model(VP), VP, TIMES, X, **{"order": 2, **options})


def test_a_model_of_another_schedule_is_refused():
    model = three_modes().model(VPLinear(beta1=10.0))
    with pytest.raises(ValueError, match="model was made for"):
        search_compensation(model, VP, TIMES, X, order=2)
