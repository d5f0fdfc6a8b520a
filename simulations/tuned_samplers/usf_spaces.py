"""Known samplers as schedules, how many solvers a space holds, and how well a predictor ranks."""

from __future__ import annotations

import numpy as np
from scipy.stats import kendalltau

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import random_mixture
from theorytk.diffusion.samplers import multistep, unipc
from theorytk.diffusion.tuning.decisions import SolverSchedule, StepDecision
from theorytk.diffusion.tuning.predictor import RidgeRegression, schedule_features
from theorytk.diffusion.tuning.search import decision_space, n_distinct_solvers, n_schedules
from theorytk.diffusion.tuning.unrolled import PlanBatch
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, AtMost, exact_estimate, mean_estimate

from ..diffusion_samplers.common import run
from .usf import SETTING
from .usf_common import SCHEDULE, USF, plans, problem, space

N_LABELS = 150


def searched(order, prediction, corrector="none", b=0.0, lowered=False):
    """Return a schedule of one order as a function of times, UniPC's with a relaxation `b`."""

    def schedule(times):
        n, steps = len(times) - 1, []
        for i in range(n):
            o = min(order, i + 1, n - i if lowered else order)
            kind = "none" if i == n - 1 else corrector
            first = b if o == 2 or corrector == "none" else 0.0
            steps.append(StepDecision(prediction, o, kind, first, b if o == 1 else 0.0))
        return SolverSchedule(times, steps).compile(SCHEDULE)

    return schedule


def known(method, **options):
    """Return a sampler as a function of times."""
    return lambda times: method(SCHEDULE, times, **options)


SOLVERS = {
    **{
        f"order {k}, {output}": (searched(k, output), known(multistep, order=k, output=output))
        for k in (1, 2, 3, 4)
        for output in ("noise", "data")
    },
    **{
        f"midpoint 2M, {output}": (
            searched(2, output, b="bh2"),
            known(multistep, order=2, output=output, variant="midpoint"),
        )
        for output in ("noise", "data")
    },
    **{
        f"UniPC-{p}, {b}": (
            searched(p, "data", "pseudo", b, lowered=True),
            known(unipc, order=p, b=b),
        )
        for p in (1, 2, 3)
        for b in ("bh1", "bh2")
    },
    "midpoint 2M without the relaxation": (
        searched(2, "data"),
        known(multistep, order=2, variant="midpoint"),
    ),
    "UniPC-3 without UniPC's weights 1/2": (
        searched(3, "data", "pseudo", lowered=True),
        known(unipc, order=3),
    ),
}
KNOWN = list(SOLVERS)[:-2]


@experiment(
    "tuned-samplers/usf-known-solvers",
    paper=USF,
    design=grid(solver=KNOWN),
    paired=("solver", "device"),
    columns={"difference": Column("largest difference of two results over their largest entry")},
    presets={"quick": dict(replicates=10), "paper": dict(replicates=100)},
    block=10,
)
def usf_known_solvers(*, solver, device="cpu", rng):
    """A schedule and the sampler that it should be, on a random grid, for a random mixture."""
    n_steps, target = int(rng.integers(4, 11)), random_mixture(3, 4, rng)
    lam = np.cumsum(rng.uniform(0.1, 1.0, n_steps + 1))
    times = SCHEDULE.t_of_lam(-4.5 + 7 * (lam - lam[0]) / (lam[-1] - lam[0]))
    states, model = rng.standard_normal((1, 5, 3)), target.model(SCHEDULE)
    one, other = (run(make(times), model, states, device) for make in SOLVERS[solver])
    return {"difference": np.max(np.abs(one - other)) / np.max(np.abs(other))}


@claim(
    "tuned-samplers/usf-known-solvers",
    theorem="known solvers are special cases of the framework",
    statement=r"The multistep DPM-Solvers of order $k\le4$ in noise and in data prediction, the "
    r"midpoint 2M and UniPC-$p$, $p\le3$, with both functions $B(h)$, are schedules of decisions.",
    experiment=usf_known_solvers,
    kind="identity",
    region=AtMost(1e-12),
    reason="rounding; a data prediction taken from the noise at alpha = 0.011 loses a factor of 90",
    assumptions=(
        Assumption("times drawn at random, 4 to 10 steps of unequal length"),
        Assumption("a random mixture of Gaussians: a model that is not linear"),
    ),
    control=(
        Control("2M without its relaxation", solver="midpoint 2M without the relaxation"),
        Control("exact weights at two outputs", solver="UniPC-3 without UniPC's weights 1/2"),
    ),
)
def known_solvers(table):
    """Largest difference, per solver."""
    return {s: exact_estimate(g["difference"].max(), len(g)) for s, g in table.groupby("solver")}


@experiment(
    "tuned-samplers/usf-distinct-solvers",
    paper=USF,
    design=grid(n_steps=[2, 3, 4], max_order=[2, 3]),
    paired=("steps", "law"),
    columns={"excess": Column("distinct solvers beyond the number by the law")},
    presets={"quick": dict(replicates=1), "paper": dict(replicates=10)},
)
def usf_distinct_solvers(*, n_steps, max_order, steps="unequal", law="distinct", rng):
    """Distinct solvers in a decision space, on steps drawn at random or equal in lambda."""
    lengths = rng.uniform(0.5, 1.5, n_steps) if steps == "unequal" else np.ones(n_steps)
    lam = -4.5 + 8.0 * np.append(0.0, np.cumsum(lengths)) / lengths.sum()
    schedules = decision_space(SCHEDULE.t_of_lam(lam), max_order=max_order)
    found = PlanBatch([one.compile(SCHEDULE) for one in schedules]).n_distinct
    count = n_distinct_solvers if law == "distinct" else n_schedules
    return {"excess": found - count(n_steps, max_order)}


@claim(
    "tuned-samplers/usf-distinct-solvers",
    theorem="not in the paper; derived here",
    status="ours",
    statement=r"With two predictions, orders up to $k$ and a free corrector or none, the schedules "
    r"of $n$ steps of unequal length are as many solvers as ``n_distinct_solvers`` says: 1463 of "
    r"the 2304 schedules with $n=4$, $k=3$.",
    experiment=usf_distinct_solvers,
    kind="identity",
    region=AtMost(0),
    reason="whole numbers",
    assumptions=(
        Assumption("steps of unequal length in lambda; with equal ones there are fewer"),
        Assumption("coefficients that agree to 1e-9 of the largest are the same"),
    ),
    control=(
        Control("steps of equal length", steps="equal"),
        Control("every schedule counted as a solver", law="all"),
    ),
)
def distinct_solvers(table):
    """Largest excess, per space."""
    return {
        f"{n} steps, order {k}": exact_estimate(g["excess"].abs().max(), len(g))
        for (n, k), g in table.groupby(["n_steps", "max_order"])
    }


@experiment(
    "tuned-samplers/usf-predictor",
    paper=USF,
    design=grid(n_labels=N_LABELS),
    paired=("n_labels", "labels", "algorithm"),
    columns={"tau": Column("Kendall's rank correlation over the schedules without label")},
    presets={"quick": dict(replicates=30), "paper": dict(replicates=200)},
    block=10,
    algorithm="algorithm",
)
def usf_predictor(*, n_labels, labels="measured", algorithm="ridge", rng):
    """Ranks that a predictor gives the 2304 schedules, after `n_labels` measured errors.

    The regression is ``algorithm() -> object`` with ``fit(features, log_errors)`` and
    ``predict(features)``. Errors are those on 64 trajectories of a random mixture.
    """
    values = np.log(plans().errors(problem(int(rng.integers(2**32))).train))
    chosen = rng.permutation(len(values))
    known_ones, rest = chosen[:n_labels], chosen[n_labels:]
    told = values[known_ones]
    if labels == "permuted":
        told = rng.permutation(told)
    features = schedule_features(space())
    regression = RidgeRegression() if algorithm == "ridge" else algorithm()
    regression.fit(features[known_ones], told)
    return {"tau": kendalltau(regression.predict(features[rest]), values[rest]).statistic}


@claim(
    "tuned-samplers/usf-predictor-ranks",
    theorem="the performance predictor of S^3 (abstract); ours is a ridge regression",
    status="empirical",
    statement=r"After 150 measured errors a ridge regression on decisions and their pairs ranks "
    r"the other 2154 schedules with Kendall's $\tau\ge0.2$ on average: of five pairs at least "
    r"three are in order.",
    experiment=usf_predictor,
    region=AtLeast(0.2),
    reason="the least effect that is claimed: a pair is ordered right with probability 0.6",
    assumptions=(*SETTING[:2], Assumption("labels are errors on 64 trajectories")),
    control=Control("labels of other schedules", labels="permuted"),
)
def predictor_ranks(table):
    """Mean rank correlation."""
    return mean_estimate(table["tau"])
