import itertools

import numpy as np
import pytest

from theorytk.diffusion import VPLinear, sample, time_grid
from theorytk.diffusion.samplers import multistep, unipc
from theorytk.diffusion.tuning.decisions import SolverSchedule, StepDecision

VP = VPLinear()
TIMES = time_grid(VP, "quadratic", 6, t_min=0.02, t_max=0.95)
X = np.random.default_rng(3).normal(size=(6, 2))


def noise(x, t):
    return np.sin(x) * (1 - t) + x * t


def run(plan):
    return sample(plan, noise, X).x


def schedule(orders, **options):
    """Return the schedule with these orders and common other decisions."""
    corrector = options.pop("corrector", "none")
    kinds = [corrector] * (len(orders) - 1) + ["none"]
    steps = [
        StepDecision(order=o, corrector=c, **options) for o, c in zip(orders, kinds, strict=True)
    ]
    return SolverSchedule(TIMES, steps)


def same(one, other):
    np.testing.assert_allclose(run(one.compile(VP)), run(other), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("output", ["data", "noise"])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_one_prediction_of_one_order_is_the_multistep_method(order, output):
    orders = [min(order, i + 1) for i in range(6)]
    same(schedule(orders, prediction=output), multistep(VP, TIMES, order=order, output=output))


@pytest.mark.parametrize("output", ["data", "noise"])
def test_the_relaxation_bh2_is_the_midpoint_rule(output):
    mine = schedule([1, 2, 2, 2, 2, 2], prediction=output, relaxation="bh2")
    same(mine, multistep(VP, TIMES, order=2, output=output, variant="midpoint"))


@pytest.mark.parametrize("output", ["data", "noise"])
@pytest.mark.parametrize("b", ["bh1", "bh2"])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_every_unipc_is_a_schedule(order, b, output):
    steps = []
    for i in range(6):
        o = min(order, i + 1, 6 - i)
        options = dict(relaxation=b if o == 2 else 0.0, corrector_relaxation=b if o == 1 else 0.0)
        steps.append(StepDecision(output, o, "pseudo" if i < 5 else "none", **options))
    same(SolverSchedule(TIMES, steps), unipc(VP, TIMES, order=order, b=b, output=output))


def test_without_unipc_s_simplifications_it_differs_where_two_outputs_are_used():
    mine = run(schedule([1, 2, 3, 3, 3, 3], corrector="pseudo").compile(VP))
    released = run(unipc(VP, TIMES, order=3, lower_order_final=False))
    assert 1e-6 < np.abs(mine / released - 1).max() < 0.1


def by_hand(decisions, analytic=False):
    """Run a schedule as a loop over arrays, with polynomials by numpy and integrals by sums."""
    lam, alpha, sigma = VP.lam(TIMES), VP.alpha(TIMES), VP.sigma(TIMES)
    u, w = np.polynomial.legendre.leggauss(40)

    def output(point, prediction):
        i, x, e = point
        return e if prediction == "noise" else (x - sigma[i] * e) / alpha[i]

    def step(x, i, points, prediction, c):
        h = lam[i + 1] - lam[i]
        nodes = [(lam[p[0]] - lam[i]) / h for p in points]
        values = np.stack([output(p, prediction) for p in points])
        polynomial = np.polynomial.polynomial.polyfit(
            nodes, values.reshape(len(points), -1), len(points) - 1
        )
        if len(points) > 1:
            polynomial[1] *= 1 + c * h
        s = (u + 1) / 2
        along = np.polynomial.polynomial.polyval(s, polynomial).reshape(*x.shape, -1)
        sign = 1 if prediction == "noise" else -1
        integral = along @ (w / 2 * h * np.exp(sign * h * (1 - s)))
        if prediction == "noise":
            return alpha[i + 1] / alpha[i] * x - sigma[i + 1] * integral
        return sigma[i + 1] / sigma[i] * x + alpha[i + 1] * integral

    x, history = X, [(0, X, X / sigma[0] if analytic else noise(X, TIMES[0]))]
    for i, d in enumerate(decisions):
        used = history[::-1][: d.order]
        predicted = step(x, i, used, d.prediction, d.relaxation)
        if i + 1 == len(decisions):
            return predicted
        point = (i + 1, predicted, noise(predicted, TIMES[i + 1]))
        if d.corrector == "none":
            x = predicted
        else:
            x = step(x, i, [*used, point], d.prediction, d.corrector_relaxation)
            if d.corrector == "implicit":
                point = (i + 1, x, noise(x, TIMES[i + 1]))
        history.append(point)


@pytest.mark.parametrize("seed", range(12))
def test_random_schedules_against_arrays(seed):
    rng = np.random.default_rng(seed)
    decisions = [
        StepDecision(
            str(rng.choice(["noise", "data"])),
            int(rng.integers(1, min(i + 1, 4) + 1)),
            "none" if i == 5 else str(rng.choice(["none", "pseudo", "implicit"])),
            *(float(c) for c in rng.normal(0, 0.2, 2)),
        )
        for i in range(6)
    ]
    mine = SolverSchedule(TIMES, decisions, bool(seed % 2))
    plan = mine.compile(VP)
    np.testing.assert_allclose(run(plan), by_hand(decisions, bool(seed % 2)), rtol=1e-10)
    assert plan.n_evaluations == mine.n_evaluations


def test_states_at_the_nodes_are_recorded():
    plan = schedule([1, 2, 2, 2, 2, 2], corrector="pseudo").compile(VP)
    states = sample(plan, noise, X, record=True).states
    assert len(states) == 7
    np.testing.assert_array_equal(states[-1], run(plan))


def test_json_round_trip():
    for prediction, corrector, c in itertools.product(
        ("noise", "data"), ("pseudo", "implicit"), (0.1, "bh1")
    ):
        steps = [StepDecision(prediction, 1, corrector, c), StepDecision(prediction, 2)]
        mine = SolverSchedule([0.9, 0.4, 0.1], steps, analytic_first_step=c == 0.1)
        assert SolverSchedule.from_json(mine.to_json()) == mine


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        (dict(prediction="score"), "prediction must be one of 'noise', 'data'"),
        (dict(order=5), "order must be an integer >= 1 and <= 4"),
        (dict(corrector="heun"), "corrector must be one of"),
        (dict(relaxation="bh3"), "relaxation must be one of 'bh1', 'bh2'"),
        (dict(corrector_relaxation=np.inf), "corrector_relaxation must be"),
    ],
)
def test_bad_decisions(decision, message):
    with pytest.raises(ValueError, match=message):
        StepDecision(**decision)


def test_bad_schedules():
    step = StepDecision()
    with pytest.raises(ValueError, match="one node more than there are decisions"):
        SolverSchedule([0.9, 0.1], [step, step])
    with pytest.raises(ValueError, match="at least two; got 1 times"):
        SolverSchedule([0.9], [])
    with pytest.raises(TypeError, match="must hold StepDecision; got 'data' at 0"):
        SolverSchedule([0.9, 0.1], ["data"])
    with pytest.raises(ValueError, match="step 0 has 1 outputs to interpolate; got order 2"):
        SolverSchedule([0.9, 0.1], [StepDecision(order=2)])
    with pytest.raises(ValueError, match="last step has no corrector; got pseudo"):
        SolverSchedule([0.9, 0.1], [StepDecision(corrector="pseudo")])
    with pytest.raises(ValueError, match="time grid must decrease"):
        SolverSchedule([0.1, 0.9], [step]).compile(VP)
