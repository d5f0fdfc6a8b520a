"""Plans against the schedulers of diffusers, and certificates of these schedulers."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from theorytk.diffusion.certify import BlackBoxSampler, certify_order
from theorytk.diffusion.diffusers import from_diffusers
from theorytk.diffusion.execution import sample
from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.reference import reference_trajectory
from theorytk.diffusion.samplers import compile_plan
from theorytk.diffusion.schedules import EDM, VPCosine, VPDiscrete, VPLinear
from theorytk.diffusion.targets import three_modes

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]
DPM, SINGLE = "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler"
DEIS, UNIPC = "DEISMultistepScheduler", "UniPCMultistepScheduler"
NOISE = {"algorithm_type": "dpmsolver"}
PUBLISHED, ORDER_3 = {"variant": "published"}, {"solver_order": 3}


def scheduler_class(name):
    import diffusers

    return getattr(diffusers, name)


def exact_states(schedule, times, n=64):
    """Return exact states at the times, (n_times, n, 2)."""
    target = three_modes()
    first = float(schedule.alpha(times[0])), float(schedule.sigma(times[0]))
    x = target.sample(n, 0, *first)
    return reference_trajectory(target, schedule, x, times).states


# With the root mean square that the schedulers' single precision may leave.
AS_RELEASED = [
    (DPM, {"solver_order": 2}, "dpmpp_2m", {}, 2e-5),
    (DPM, ORDER_3, "dpmpp_3m", PUBLISHED, 1.2e-4),
    (DPM, ORDER_3 | NOISE, "dpm_3m", PUBLISHED, 1.2e-4),
    (UNIPC, ORDER_3, "unipc", {"order": 3}, 1e-6),
    (UNIPC, ORDER_3 | {"solver_type": "bh1"}, "unipc", {"order": 3, "b": "bh1"}, 1e-6),
    (UNIPC, ORDER_3 | {"predict_x0": False}, "unipc", {"order": 3, "output": "noise"}, 1e-6),
    (DEIS, {"solver_order": 2}, "deis_logrho1", {}, 1.4e-5),
    (DEIS, ORDER_3, "deis_logrho2", {}, 1.4e-5),
    ("DDIMScheduler", {"steps_offset": 1, "set_alpha_to_one": False}, "ddim", {}, 9e-7),
]
LADDER = VPDiscrete(betas=np.linspace(1e-4, 0.02, 1000))


@pytest.mark.parametrize(("name", "settings", "method", "options", "tolerance"), AS_RELEASED)
def test_a_plan_equals_the_released_scheduler(name, settings, method, options, tolerance):
    import torch

    made = {"beta_schedule": "linear", **settings}
    if name == "DDIMScheduler":
        made["clip_sample"] = False
    if name in (DPM, UNIPC):
        made["final_sigmas_type"] = "sigma_min"
    scheduler = scheduler_class(name)(**made)
    scheduler.set_timesteps(20)
    labels = [*scheduler.timesteps.tolist(), 0]
    times = LADDER.t_of_label(labels)
    x = torch.from_numpy(exact_states(LADDER, times[:2])[0])
    model = three_modes().model(LADDER)
    ours = sample(compile_plan(LADDER, times, method, **options), model, x).x
    for i, label in enumerate(scheduler.timesteps):
        x = scheduler.step(model(x, float(times[i])), label, x).prev_sample
    error = float((ours - x).square().mean().sqrt())
    assert error < tolerance


IN_DOUBLE = [
    ("DDIMScheduler", {}, "ddim", {}),
    (DPM, {"solver_order": 2}, "dpmpp_2m", {}),
    (DPM, ORDER_3, "dpmpp_3m", PUBLISHED),
    (DPM, ORDER_3 | NOISE, "dpm_3m", PUBLISHED),
    (UNIPC, ORDER_3, "unipc", {"order": 3, "lower_order_final": False}),
    (UNIPC, ORDER_3 | {"lower_order_final": True}, "unipc", {"order": 3}),
    (DEIS, ORDER_3, "deis_logrho2", {}),
]


@pytest.mark.parametrize("n_exact", [1, 3])
@pytest.mark.parametrize("schedule", [VPLinear(), VPCosine()])
@pytest.mark.parametrize(("name", "settings", "method", "options"), IN_DOUBLE)
def test_the_adapter_equals_the_plan(name, settings, method, options, schedule, n_exact):
    times = time_grid(schedule, "logsnr", 18, t_max=0.8, t_min=0.05)
    states = exact_states(schedule, times[:3])[:n_exact]
    options = options | ({} if method == "ddim" else {"bootstrap": n_exact - 1})
    model = three_modes().model(schedule)
    start = states if method != "ddim" else states[-1:]
    grid = times if method != "ddim" else times[n_exact - 1 :]
    plan = compile_plan(schedule, grid, method, **options)
    ours = sample(plan, model, list(start)).x
    theirs = from_diffusers(scheduler_class(name), **settings)(schedule, times, states, model)
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-11)


EVEN = (24, 48, 96, 192)
ORDERS = [
    ("DDIMScheduler", {}, {}, 1),
    (DPM, {"solver_order": 2}, {}, 2),
    (DPM, {"solver_order": 2, "solver_type": "heun"}, {}, 2),
    (DPM, ORDER_3, {}, 2),
    (DPM, ORDER_3 | NOISE, {}, 2),
    (DEIS, {"solver_order": 2}, {}, 2),
    (DEIS, ORDER_3, {}, 3),
    (UNIPC, {"solver_order": 2}, {}, 3),
    (UNIPC, ORDER_3, {}, 4),
    (UNIPC, ORDER_3 | {"lower_order_final": True}, {}, 2),
    (SINGLE, {"solver_order": 2}, {"n_steps": EVEN}, 2),
    (SINGLE, ORDER_3, {"n_steps": EVEN}, 3),
    (SINGLE, ORDER_3 | NOISE, {"n_steps": EVEN}, 3),
]


@pytest.mark.parametrize(("name", "settings", "options", "order"), ORDERS)
def test_orders_of_the_schedulers(name, settings, options, order):
    sampler = from_diffusers(scheduler_class(name), **settings)
    certificate = certify_order(sampler, expected=order, **options)
    assert certificate.finding == f"order {order}"
    assert name in str(certificate)


@pytest.mark.parametrize("settings", [ORDER_3, ORDER_3 | NOISE])
def test_the_released_third_order_multistep_is_refuted(settings):
    sampler = from_diffusers(scheduler_class(DPM), **settings)
    assert certify_order(sampler, expected=3).finding == "not order 3"


def test_a_last_step_of_first_order_is_found():
    sampler = from_diffusers(scheduler_class(DEIS), **ORDER_3, lower_order_final=True)
    grids = (4, 8, 16, 32)  # of which only those below 15 steps are affected
    model = three_modes().model(VPLinear())
    for n, affected in zip(grids, (True, True, False, False), strict=True):
        times = time_grid(VPLinear(), "logsnr", n, t_max=0.8, t_min=0.05)
        states = exact_states(VPLinear(), times[:2])[:1]
        neutral = from_diffusers(scheduler_class(DEIS), **ORDER_3)
        results = [box(VPLinear(), times, states, model) for box in (sampler, neutral)]
        assert np.array_equal(*results) != affected


def test_defaults_are_those_of_the_kind_of_scheduler():
    box = from_diffusers(scheduler_class(UNIPC), solver_order=4)
    assert isinstance(box, BlackBoxSampler)
    assert box.needs == 3
    assert box.options["final_sigmas_type"] == "sigma_min"
    assert from_diffusers(scheduler_class("DDIMScheduler")).needs == 0
    assert from_diffusers(scheduler_class(SINGLE), solver_order=3).needs == 0
    assert from_diffusers(scheduler_class(DPM), needs=0).needs == 0


def test_what_cannot_be_adapted_is_refused():
    schedule, model = EDM(), three_modes().model(EDM())
    box = from_diffusers(scheduler_class("DDIMScheduler"))
    with pytest.raises(ValueError, match="schedule must be variance preserving; got EDM"):
        box(schedule, np.array([2.0, 1.0]), np.zeros((1, 3, 2)), model)
    box = from_diffusers(scheduler_class("HeunDiscreteScheduler"))
    model = three_modes().model(VPLinear())
    with pytest.raises(ValueError, match="HeunDiscreteScheduler does not step once from each time"):
        box(VPLinear(), np.array([0.8, 0.5, 0.2]), np.zeros((1, 3, 2)), model)
    with pytest.raises(TypeError, match="scheduler must be a scheduler class of diffusers; got 'D"):
        from_diffusers("DDIM")
    with pytest.raises(TypeError, match="unexpected keyword argument 'order'"):
        from_diffusers(scheduler_class(DPM), order=3)
    with pytest.raises(ValueError, match="needs must be an integer >= 0"):
        from_diffusers(scheduler_class(DPM), needs=-1)


def test_without_torch_it_says_what_to_install(monkeypatch):
    name = scheduler_class("DDIMScheduler")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"pip install 'theorytk\[torch\]'"):
        from_diffusers(name)
