"""What the experiments on diffusion samplers share: the device, the grids, the keys of papers."""

from __future__ import annotations

import numpy as np

from theorytk.diffusion import VPLinear, sample, time_grid
from theorytk.diffusion.torch import to_device, to_numpy

DEIS = "zhang2023deis"
DPM = "lu2022dpm"
DPMPP = "lu2022dpmpp"
UNIPC = "zhao2023unipc"
SCHEDULE = VPLinear()


def run(plan, model, states, device="cpu"):
    """Return the result, shape (n, d), of a plan on NumPy ("cpu") or on a device of torch.

    Of the states at the first nodes, shape (b + 1, n, d), the plan takes as many as it needs.
    """
    states = to_device(states[: len(plan.inputs)], device)
    start = states[0] if len(plan.inputs) == 1 else list(states)
    return to_numpy(sample(plan, model, start).x)


def grid(kind, n_steps, lam_span):
    """Return the times of a grid of SCHEDULE between two values of lambda; "rho" is uniform in it.

    "alternating" is made of steps 0.4 and 1.6 times as long as equal ones.
    The ends do not depend on the number of steps.
    """
    t_max, t_min = (float(t) for t in SCHEDULE.t_of_lam(np.asarray(lam_span)))
    if kind == "rho":
        return time_grid(SCHEDULE, "edm", n_steps, t_min=t_min, t_max=t_max, rho=1.0)
    if kind == "alternating":
        shares = np.append(0.0, np.cumsum(np.tile([0.4, 1.6], n_steps // 2)) / n_steps)
        times = SCHEDULE.t_of_lam(lam_span[0] + shares * (lam_span[1] - lam_span[0]))
        times[[0, -1]] = t_max, t_min
        return times
    return time_grid(SCHEDULE, kind, n_steps, t_min=t_min, t_max=t_max)
