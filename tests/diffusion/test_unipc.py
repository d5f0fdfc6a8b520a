import numpy as np
import pytest
from scipy.interpolate import BarycentricInterpolator

from theorytk.diffusion.execution import sample
from theorytk.diffusion.plans import Lin
from theorytk.diffusion.samplers import ddim, multistep, unip, unipc
from theorytk.diffusion.schedules import VPLinear

VP = VPLinear()
TIMES = np.array([0.9, 0.75, 0.5, 0.38, 0.2, 0.11, 0.05])
X = np.random.default_rng(3).normal(size=(6, 2))


def noise(x, t):
    return np.sin(x) * (1 - t) + x * t


def run(plan):
    return sample(plan, noise, X).x


def released(
    order,
    output,
    b,
    *,
    corrector=True,
    lower_order_final=True,
    final_corrector=False,
    ratios=(1,) * 6,
    degree=2,
):
    """The loop of the authors' code, written with its linear systems and subtractive factors."""
    sign = -1.0 if output == "data" else 1.0
    lam, alpha, sigma = VP.lam(TIMES), VP.alpha(TIMES), VP.sigma(TIMES)

    def model(x, i):
        eps = noise(x, TIMES[i])
        return eps if output == "noise" else (x - sigma[i] * eps) / alpha[i]

    x, n = X, len(TIMES) - 1
    history = [model(x, 0)]
    for i in range(n):
        p = min(order, i + 1, n - i if lower_order_final else order)
        if ratios[i] != 1:
            shifted = ratios[i] * TIMES[i] + (1 - ratios[i]) * TIMES[i - 1]
            last = slice(i - degree, i + 1)
            history[i] = BarycentricInterpolator(TIMES[last], history[last])(shifted)
        hh = sign * (lam[i + 1] - lam[i])
        big_b = hh if b == "bh1" else np.expm1(hh)
        r = [(lam[i - k] - lam[i]) / (lam[i + 1] - lam[i]) for k in range(1, p)] + [1.0]
        d = [(history[i - k] - history[i]) / r[k - 1] for k in range(1, p)]
        phi, factorial, right = np.expm1(hh) / hh - 1, 1, []
        for j in range(1, p + 1):
            right.append(phi * factorial / big_b)
            factorial *= j + 1
            phi = phi / hh - 1 / factorial
        matrix = np.array([np.power(r, j) for j in range(p)])
        if output == "data":
            base = sigma[i + 1] / sigma[i] * x - alpha[i + 1] * np.expm1(hh) * history[i]
            scale = alpha[i + 1] * big_b
        else:
            base = alpha[i + 1] / alpha[i] * x - sigma[i + 1] * np.expm1(hh) * history[i]
            scale = sigma[i + 1] * big_b
        weights = [0.5] if p == 2 else np.linalg.solve(matrix[:-1, :-1], right[:-1])
        predicted = base - scale * sum(w * e for w, e in zip(weights, d, strict=True))
        x = predicted
        if i + 1 < n or final_corrector:
            history.append(model(predicted, i + 1))
        if corrector and (i + 1 < n or final_corrector):
            weights = [0.5] if p == 1 else np.linalg.solve(matrix, right)
            d.append(history[i + 1] - history[i])
            x = base - scale * sum(w * e for w, e in zip(weights, d, strict=True))
    return x


@pytest.mark.parametrize("output", ["data", "noise"])
@pytest.mark.parametrize("b", ["bh1", "bh2"])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_plans_run_the_released_algorithm(order, b, output):
    options = dict(order=order, b=b, output=output)
    for flags in (
        {},
        dict(lower_order_final=False),
        dict(final_corrector=True),
        dict(lower_order_final=False, final_corrector=True),
    ):
        expected = released(order, output, b, **flags)
        np.testing.assert_allclose(run(unipc(VP, TIMES, **options, **flags)), expected, rtol=1e-10)
    for lower in (True, False):
        expected = released(order, output, b, corrector=False, lower_order_final=lower)
        plan = unip(VP, TIMES, **options, lower_order_final=lower)
        np.testing.assert_allclose(run(plan), expected, rtol=1e-10)


@pytest.mark.parametrize("output", ["data", "noise"])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_ratios_shift_the_stored_outputs(order, output):
    ratios = [1, 1, 0.4, 1, 1.3, 0.8]
    for degree in (1, 2):
        expected = released(order, output, "bh2", ratios=ratios, degree=degree)
        options = dict(ratios=ratios, order_of_compensation=degree)
        plan = unipc(VP, TIMES, order=order, output=output, **options)
        assert plan.n_evaluations == 6
        np.testing.assert_allclose(run(plan), expected, rtol=1e-10)
    states = [X, X * 0.99, X * 0.9, X * 0.8]
    plan = unipc(VP, TIMES, order=2, bootstrap=3, ratios=[1, 1, 1, 0.4, 1, 1])
    assert sample(plan, noise, states).x.shape == X.shape


def test_ratios_of_one_change_no_bit():
    plain, ones = unipc(VP, TIMES, order=3), unipc(VP, TIMES, order=3, ratios=np.ones(6))
    assert plain.instructions == ones.instructions
    assert plain.method == ones.method


def test_auto_lowers_the_final_orders_below_ten_steps():
    long = np.linspace(0.9, 0.05, 11)
    for function in (unip, unipc):
        for times, lowers in ((TIMES, True), (long, False)):
            auto = function(VP, times, order=3, lower_order_final="auto")
            expected = function(VP, times, order=3, lower_order_final=lowers)
            assert auto.instructions == expected.instructions
        with pytest.raises(ValueError, match="lower_order_final must be True, False or 'auto'"):
            function(VP, TIMES, order=2, lower_order_final="never")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (dict(ratios=[1, 1, 0.5]), r"ratios must have shape \(6\); got \(3,\)"),
        (dict(ratios=[1, 1, np.nan, 1, 1, 1]), "ratios must be finite; got nan at index"),
        (dict(ratios=[1, 0.5, 1, 1, 1, 1]), "ratios must be 1 in the first 2 steps"),
        (dict(ratios=[1, 1, 0.5, 1, 1, 1], bootstrap=3), "ratios must be 1 in the first 3 steps"),
        (dict(order_of_compensation=0), "order_of_compensation must be an integer >= 1; got 0"),
    ],
)
def test_bad_ratios(options, match):
    with pytest.raises(ValueError, match=match):
        unipc(VP, TIMES, order=2, **options)


def test_predictor_of_order_two_is_the_midpoint_multistep():
    expected = run(multistep(VP, TIMES, order=2, variant="midpoint"))
    found = run(unip(VP, TIMES, order=2, b="bh2", lower_order_final=False))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    other = run(unip(VP, TIMES, order=2, b="bh1", lower_order_final=False))
    assert np.abs(other - expected).max() > 1e-4


@pytest.mark.parametrize("output", ["data", "noise"])
def test_predictor_of_order_three_is_the_consistent_multistep(output):
    states = [X, X * 0.99, X * 0.9]
    plans = [
        unip(VP, TIMES, order=3, output=output, lower_order_final=False, bootstrap=2),
        multistep(VP, TIMES, order=3, output=output, bootstrap=2),
        multistep(VP, TIMES, order=3, output=output, variant="published", bootstrap=2),
    ]
    found, expected, other = (sample(plan, noise, states).x for plan in plans)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.abs(other - expected).max() > 1e-4


@pytest.mark.parametrize("output", ["data", "noise"])
def test_steps_of_order_three_do_not_depend_on_b(output):
    def pair(order):
        states = [X, X * 0.99, X * 0.9]
        options = dict(order=order, output=output, lower_order_final=False, bootstrap=2)
        return [sample(unipc(VP, TIMES, b=b, **options), noise, states).x for b in ("bh1", "bh2")]

    np.testing.assert_allclose(*pair(3), rtol=1e-13)
    first, second = pair(2)
    assert np.abs(first - second).max() > 1e-5


def test_predictor_of_order_one_is_ddim():
    np.testing.assert_allclose(run(unip(VP, TIMES, order=1)), run(ddim(VP, TIMES)), rtol=1e-13)


def test_evaluations_are_one_per_step_and_serve_predictor_and_corrector():
    for order in (1, 2, 3):
        assert unip(VP, TIMES, order=order).n_evaluations == 6
        assert unipc(VP, TIMES, order=order).n_evaluations == 6
        assert unipc(VP, TIMES, order=order, final_corrector=True).n_evaluations == 7
    states = unipc(VP, TIMES, order=3, bootstrap=2)
    assert states.inputs == ("x0", "x1", "x2")
    assert states.n_evaluations == 6


def test_lower_order_final_ends_with_order_one():
    def terms(plan):
        return [len(s.terms) for s in plan.instructions if isinstance(s, Lin)]

    assert terms(unip(VP, TIMES, order=3)) == [2, 3, 4, 4, 3, 2]
    assert terms(unip(VP, TIMES, order=3, lower_order_final=False)) == [2, 3, 4, 4, 4, 4]


@pytest.mark.parametrize("function", [unip, unipc])
@pytest.mark.parametrize(
    ("options", "match"),
    [
        (dict(order=0), "order must be an integer >= 1; got 0"),
        (dict(order=2, b="bh3"), "b must be one of 'bh1', 'bh2'; got 'bh3'"),
        (dict(order=2, output="score"), "output must be one of 'noise', 'data'; got 'score'"),
        (dict(order=2, bootstrap=6), "bootstrap must be an integer >= 0 and <= 5; got 6"),
    ],
)
def test_bad_input(function, options, match):
    with pytest.raises(ValueError, match=match):
        function(VP, TIMES, **options)


@pytest.mark.parametrize("function", [unip, unipc])
def test_too_few_steps_warn(function):
    with pytest.warns(UserWarning, match="2 steps never reach order 3"):
        function(VP, TIMES[:3], order=3)
