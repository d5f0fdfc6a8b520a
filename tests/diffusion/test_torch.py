"""The torch hook: networks, devices, precisions, compilation; and what needs no torch."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from theorytk.diffusion import execution
from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.models import PREDICTIONS, Model
from theorytk.diffusion.plans import Eval, Lin, Noise, Plan
from theorytk.diffusion.samplers import METHODS, compile_plan
from theorytk.diffusion.schedules import EDM, VPDiscrete, VPLinear
from theorytk.diffusion.targets import GuidedTarget, three_modes
from theorytk.diffusion.torch import sample, to_device, to_numpy, wrap

SCHEDULE = VPLinear()
TIMES = time_grid(SCHEDULE, "quadratic", 9)
OPTIONS = {"unip": {"order": 3}, "unipc": {"order": 3}}
torch_only = pytest.mark.torch


@pytest.fixture
def start():
    return np.random.default_rng(0).standard_normal((7, 2))


def exact_module(predicts="noise", target=None):
    """Return a network that predicts exactly, of labels that are 1000 t."""
    import torch

    target = three_modes() if target is None else target

    class Exact(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.gain = torch.nn.Parameter(torch.ones((), dtype=torch.float64))
            self.labels = []

        def forward(self, x, label, component=None):
            assert label.shape == (len(x),)
            self.labels.append(label)
            t = float(label[0]) / 1000
            level = float(SCHEDULE.alpha(t)), float(SCHEDULE.sigma(t))
            law = target if component is None else target.component(component)
            noise, data = law.noise(x, *level), law.data(x, *level)
            values = dict(noise=noise, data=data, score=-noise / level[1])
            values["velocity"] = level[0] * noise - level[1] * data
            return self.gain.to(x.dtype) * values[predicts]

    return Exact()


def label(t):
    return 1000 * t


@torch_only
@pytest.mark.parametrize("predicts", PREDICTIONS)
def test_a_network_equals_the_target_that_it_knows(start, predicts):
    import torch

    plan = compile_plan(SCHEDULE, TIMES, "dpmpp_3m")
    module = exact_module(predicts)
    result = sample(plan, wrap(module, SCHEDULE, predicts=predicts, time_label=label), start)
    expected = execution.sample(plan, three_modes().model(SCHEDULE), start)
    assert isinstance(result.x, torch.Tensor)
    assert not result.x.requires_grad
    np.testing.assert_allclose(to_numpy(result.x), expected.x, rtol=1e-10, atol=1e-10)
    assert len(module.labels) == result.n_evaluations == expected.n_evaluations


@torch_only
@pytest.mark.parametrize("method", METHODS)
def test_every_method_on_every_device(start, method):
    import torch

    plan = compile_plan(SCHEDULE, TIMES, method, **OPTIONS.get(method, {}))
    model = three_modes().model(SCHEDULE)
    expected = execution.sample(plan, model, start)
    for device in ["cpu"] + ["cuda"] * torch.cuda.is_available():
        result = sample(plan, model, start, device=device)
        assert result.x.device.type == device
        np.testing.assert_allclose(to_numpy(result.x), expected.x, rtol=1e-12, atol=1e-12)


@torch_only
def test_gradients_flow_through_the_executor_itself(start):
    import torch

    module = exact_module()
    model = wrap(module, SCHEDULE, time_label=label)
    execution.sample(
        compile_plan(SCHEDULE, TIMES, "ddim"), model, torch.from_numpy(start)
    ).x.sum().backward()
    assert module.gain.grad.abs() > 0


@torch_only
def test_guidance_is_that_of_guided_targets(start):
    guided = GuidedTarget(three_modes(), three_modes().component(2), 2.5)
    model = wrap(
        exact_module(),
        SCHEDULE,
        time_label=label,
        conditioning={"component": 2},
        unconditional={},
        guidance=2.5,
    )
    plan = compile_plan(SCHEDULE, TIMES, "dpm_2m")
    expected = execution.sample(plan, guided.model(SCHEDULE), start)
    np.testing.assert_allclose(to_numpy(sample(plan, model, start).x), expected.x, rtol=1e-9)


@torch_only
def test_the_default_labels_and_the_output_hook(start):
    import torch

    seen = []

    class Denoiser(torch.nn.Module):
        def forward(self, x, label):
            seen.append(label)
            return SimpleNamespace(sample=x)

    discrete = VPDiscrete(betas=np.linspace(1e-4, 0.02, 100), clip=None)
    model = wrap(Denoiser(), discrete, output=lambda result: result.sample)
    x = torch.ones((3, 2), dtype=torch.bfloat16)
    assert model(x, discrete.t_of_label(57)) is x
    wrap(Denoiser(), EDM())(x.double(), 1.0)
    assert [str(labels.dtype) for labels in seen] == ["torch.float32", "torch.float64"]
    np.testing.assert_allclose(seen[0], np.full(3, 57.0), rtol=1e-6)
    np.testing.assert_array_equal(seen[1], np.full(3, 1.0))


@torch_only
def test_states_go_where_the_network_is(start):
    import torch

    class Linear(torch.nn.Module):
        def __init__(self, **place):
            super().__init__()
            self.layer = torch.nn.Linear(2, 2, **place)

        def forward(self, x, label):
            return self.layer(x)

    plan = compile_plan(SCHEDULE, TIMES, "ddim")
    assert sample(plan, Linear(), start).x.dtype == torch.float32
    assert sample(plan, Linear(dtype=torch.float64), start).x.dtype == torch.float64
    assert sample(plan, lambda x, t: x, start).x.dtype == torch.float64
    assert sample(plan, lambda x, t: x, start, dtype=torch.float16).x.dtype == torch.float16
    assert sample(plan, lambda x, t: x, start, device="meta").x.device.type == "meta"
    assert sample(plan, Linear(device="meta"), start).x.device.type == "meta"


@torch_only
def test_noise_and_exact_history_are_placed(start):
    import torch

    times = TIMES[:3]
    steps = (
        Eval("m0", "x0", float(times[0])),
        Noise("z"),
        Lin("x2", ((1.0, "x1"), (0.5, "m0"), (2.0, "z"))),
    )
    plan = Plan("two inputs", SCHEDULE, times, steps, ("x0", "x1"), "x2")
    noise = np.random.default_rng(1).standard_normal(start.shape)
    given = [start, torch.from_numpy(2 * start)]
    result = sample(plan, lambda x, t: x * x, given, noise=[noise], dtype=torch.float32)
    assert result.x.dtype == torch.float32
    expected = 2 * start + 0.5 * start**2 + 2 * noise
    np.testing.assert_allclose(to_numpy(result.x), expected, rtol=1e-5, atol=1e-5)
    drawn = [sample(plan, lambda x, t: x, given, rng=seed).x for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


@torch_only
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compiled_combinations_and_networks(start, backend):
    import torch

    plan = compile_plan(SCHEDULE, TIMES, "unipc", order=3)
    network = torch.nn.Linear(2, 2, dtype=torch.float64)

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, x, label):
            return torch.tanh(self.network(x)) * label[:, None]

    expected = sample(plan, Net(), start)
    model = wrap(Net(), SCHEDULE, compile=backend)
    result = sample(plan, model, start, compile=backend)
    np.testing.assert_allclose(to_numpy(result.x), to_numpy(expected.x), rtol=1e-12, atol=1e-12)


@torch_only
def test_one_compilation_serves_all_coefficients_and_sizes():
    import torch

    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    plans = [compile_plan(SCHEDULE, t, "dpmpp_3m") for t in (TIMES, TIMES[1:])]
    for plan in plans:
        for n in (5, 8, 13):
            x = torch.linspace(-1, 1, 2 * n).reshape(n, 2)
            compiled = sample(plan, lambda x, t: x, x, compile=backend)
            torch.testing.assert_close(compiled.x, sample(plan, lambda x, t: x, x).x)
    assert len(graphs) <= 4  # one for each number of terms


@torch_only
def test_devices_of_experiments(start):
    import torch

    tensor = to_device(start, "torch-cpu")
    assert isinstance(tensor, torch.Tensor)
    assert tensor.dtype == torch.float64
    assert to_device(start, "meta").device.type == "meta"
    np.testing.assert_array_equal(to_numpy(tensor.requires_grad_()), start)


def test_numpy_stays_numpy(start):
    assert to_device(start, "cpu") is start
    assert to_numpy(start) is start


def test_without_torch_it_says_what_to_install(start, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    for call in (
        lambda: wrap(None, SCHEDULE),
        lambda: sample(compile_plan(SCHEDULE, TIMES, "ddim"), lambda x, t: x, start),
        lambda: to_device(start, "cuda"),
    ):
        with pytest.raises(ImportError, match=r"pip install 'theorytk\[torch\]'"):
            call()


@torch_only
def test_bad_input(start):
    import torch

    network = torch.nn.Identity()
    with pytest.raises(TypeError, match=r"module must be a torch.nn.Module; got <function"):
        wrap(lambda x, t: x, SCHEDULE)
    with pytest.raises(ValueError, match="guidance 2 needs unconditional; got None"):
        wrap(network, SCHEDULE, guidance=2.0)
    with pytest.raises(ValueError, match="predicts must be one of"):
        wrap(network, SCHEDULE, predicts="flow")
    plan = compile_plan(SCHEDULE, TIMES, "ddim")
    with pytest.raises(ValueError, match="the model was made for EDM"):
        sample(plan, Model(lambda x, t: x, "noise", EDM()), start)
    with pytest.raises(TypeError, match="real floating dtype"):
        sample(plan, lambda x, t: x, np.arange(6).reshape(3, 2))
