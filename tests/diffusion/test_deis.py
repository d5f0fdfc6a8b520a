import math

import numpy as np
import pytest
from scipy.integrate import quad

from theorytk.diffusion.plans import Eval, Lin
from theorytk.diffusion.samplers import ddim, deis, ipndm, multistep, rho_runge_kutta
from theorytk.diffusion.schedules import EDM, VPCosine, VPLinear

VP = VPLinear()
TIMES = np.array([0.9, 0.7, 0.45, 0.3, 0.12, 0.05])
COORDINATES = {
    "t": lambda t: t,
    "rho": lambda t: math.expm1(-2 * float(VP.log_alpha(t))) ** 0.5,
    "log_rho": lambda t: 0.5 * math.log(math.expm1(-2 * float(VP.log_alpha(t)))),
}


def lin_coefficients(plan):
    """One dictionary {register: coefficient} per combination."""
    return [{r: c for c, r in s.terms} for s in plan.instructions if isinstance(s, Lin)]


def integrand(t, end, nodes, j, variable):
    """The integrand of DEIS's C_ij in t, with beta = -d log(alpha^2) / dt of VPLinear."""
    beta = VP.beta0 + t * (VP.beta1 - VP.beta0)
    alpha, alpha_end = math.exp(float(VP.log_alpha(t))), math.exp(float(VP.log_alpha(end)))
    value = alpha_end / alpha * beta / 2 / math.sqrt(1 - alpha**2)
    c = COORDINATES[variable]
    for k, node in enumerate(nodes):
        if k != j:
            value *= (c(t) - c(node)) / (c(nodes[j]) - c(node))
    return value


@pytest.mark.parametrize("variable", COORDINATES)
@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_weights_are_the_integrals_in_t_of_the_paper(degree, variable):
    combinations = lin_coefficients(deis(VP, TIMES, degree=degree, variable=variable))
    for i, found in enumerate(combinations):
        history = range(i, max(i - degree, 0) - 1, -1)
        assert list(found) == [f"x{i}", *(f"m{j}" for j in history)]
        ratio = float(VP.alpha(TIMES[i + 1]) / VP.alpha(TIMES[i]))
        assert found[f"x{i}"] == pytest.approx(ratio, rel=1e-13)
        nodes = [TIMES[j] for j in history]
        for j, node in enumerate(history):
            args = (TIMES[i + 1], nodes, j, variable)
            exact, _ = quad(integrand, TIMES[i], TIMES[i + 1], args, epsabs=1e-14, epsrel=1e-13)
            assert found[f"m{node}"] == pytest.approx(exact, rel=1e-11, abs=1e-13)


def test_weights_of_a_step_over_the_whole_range():
    (_, found) = lin_coefficients(deis(VP, [1.0, 0.99, 1e-3], degree=1, bootstrap=0))
    nodes = [0.99, 1.0]
    for j, name in enumerate(("m1", "m0")):
        args = (1e-3, nodes, j, "t")
        # The integrand is like t^(-1/2) near the end: integrate over its root.
        exact, _ = quad(
            lambda s, *args: 2 * s * integrand(s * s, *args),
            math.sqrt(0.99),
            math.sqrt(1e-3),
            args,
            epsabs=1e-14,
            epsrel=1e-13,
        )
        assert found[name] == pytest.approx(exact, rel=1e-11)


@pytest.mark.parametrize("variable", COORDINATES)
def test_riemann_weights_are_the_left_sum_in_t(variable):
    riemann = lin_coefficients(
        deis(VP, TIMES, degree=2, variable=variable, quadrature="riemann", bootstrap=2)
    )[0]
    cells = np.linspace(TIMES[2], TIMES[3], 10_000, endpoint=False)
    nodes = TIMES[2::-1]
    for j, name in enumerate(("m2", "m1", "m0")):
        values = [integrand(t, TIMES[3], nodes, j, variable) for t in cells]
        total = np.sum(values) * (TIMES[3] - TIMES[2]) / 10_000
        assert riemann[name] == pytest.approx(total, rel=1e-7)


def test_riemann_weights_miss_the_fifth_digit():
    exact = lin_coefficients(deis(VP, TIMES, degree=3))[-1]
    riemann = lin_coefficients(deis(VP, TIMES, degree=3, quadrature="riemann"))[-1]
    error = max(abs(riemann[name] / exact[name] - 1) for name in exact)
    assert 1e-5 < error < 1e-3


@pytest.mark.parametrize("schedule", [VP, VPCosine(), EDM(t_max=1.0)])
def test_degree_zero_is_ddim_and_euler_and_ipndm_of_one_term(schedule):
    expected = lin_coefficients(ddim(schedule, TIMES, output="noise"))
    plans = [deis(schedule, TIMES, degree=0, variable=v) for v in COORDINATES]
    plans += [ipndm(schedule, TIMES, order=1), rho_runge_kutta(schedule, TIMES, tableau="euler")]
    for plan in plans:
        for found, wanted in zip(lin_coefficients(plan), expected, strict=True):
            assert found == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_log_rho_is_the_multistep_solver_of_noise_prediction(degree):
    found = lin_coefficients(deis(VP, TIMES, degree=degree, variable="log_rho"))
    wanted = lin_coefficients(multistep(VP, TIMES, order=degree + 1, output="noise"))
    other = lin_coefficients(deis(VP, TIMES, degree=degree, variable="t"))
    for mine, theirs in zip(found, wanted, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-11)
    assert other[-1] != pytest.approx(wanted[-1], rel=1e-3)


def test_rho_weights_on_equal_steps_of_rho_are_adams_bashforth():
    times = np.linspace(2.0, 0.5, 6)
    for order in (1, 2, 3, 4):
        found = lin_coefficients(deis(EDM(), times, degree=order - 1, variable="rho"))
        wanted = lin_coefficients(ipndm(EDM(), times, order=order))
        for mine, theirs in zip(found, wanted, strict=True):
            assert mine == pytest.approx(theirs, rel=1e-12)
    assert found[-1]["m4"] == pytest.approx(-0.3 * 55 / 24, rel=1e-12)


def test_bootstrapped_plan_starts_at_node_b_with_full_history():
    plan = deis(VP, TIMES, degree=2, bootstrap=2)
    assert plan.inputs == ("x0", "x1", "x2")
    assert plan.n_evaluations == 5
    assert lin_coefficients(plan) == lin_coefficients(deis(VP, TIMES, degree=2))[2:]
    first = plan.instructions[:3]
    assert first == tuple(Eval(f"m{i}", f"x{i}", TIMES[i], "noise") for i in range(3))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (dict(degree=-1), "degree must be an integer >= 0"),
        (dict(degree=1, variable="log-rho"), "variable must be .* did you mean 'log_rho'"),
        (dict(degree=1, quadrature="gaus"), "quadrature must be .* did you mean 'gauss'"),
        (dict(degree=1, bootstrap=5), "bootstrap must be an integer >= 0 and <= 4"),
    ],
)
def test_bad_options_of_deis(options, match):
    with pytest.raises(ValueError, match=match):
        deis(VP, TIMES, **options)


def test_bad_options_of_ipndm():
    with pytest.raises(ValueError, match="order must be an integer >= 1 and <= 4; got 5"):
        ipndm(VP, TIMES, order=5)
    with pytest.raises(ValueError, match="time grid must decrease"):
        ipndm(VP, TIMES[::-1])


def test_too_few_steps_warn():
    with pytest.warns(UserWarning, match="2 steps never reach order 4"):
        deis(VP, TIMES[:3], degree=3)
    with pytest.warns(UserWarning, match="2 steps never reach order 4"):
        ipndm(VP, TIMES[:3])
