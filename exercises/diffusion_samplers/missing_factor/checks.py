"""Checks against quadrature, the limit of small steps and the order on mixtures."""

import math

import numpy as np
from scipy.integrate import quad

from theorytk.classroom import Wrong, array, between, check, close, picture, quick, true
from theorytk.diffusion import (
    Eval,
    Lin,
    MixtureTarget,
    Plan,
    VPLinear,
    reference_trajectory,
    sample,
    time_grid,
)
from theorytk.diffusion.samplers import multistep_weights

PAPER = "lu2022dpmpp"
QUESTION = (
    "What is D2 for a smooth prediction, what does its weight suppose, and what is left over?"
)

ADAMS_BASHFORTH = np.array([23.0, -16.0, 5.0]) / 12


T_MAX, T_MIN = (float(t) for t in VPLinear().t_of_lam(np.array([-4.0, 0.3])))


def _consistent(r0, r1, h):
    return np.array(multistep_weights([0.0, -r0, -r0 - r1], h))


def _released(r0, r1, h):
    return np.array(multistep_weights([0.0, -r0, -r0 - r1], h, variant="published"))


def _second(r0, r1, h):
    return np.array([*multistep_weights([0.0, -r0], h), 0.0])


def _first(r0, r1, h):
    return np.array([-np.expm1(-h), 0.0, 0.0])


def _weights(student, r0, r1, h):
    return array(student.corrected(r0, r1, h), "corrected(r0, r1, h)", shape=(3,))


def _measured(student, weights, low, high, given):
    found = quick(lambda: student.measured_order(weights), 20.0, "measured_order(weights)")
    between(found, low, high, "measured_order(weights)", given=given)


@check(points=2)
def measuring(student, rng):
    """The measured orders of methods of order 1, 2 and 3.

    Are the first three states exact, and the reference better than the smallest error? Does the
    error of a whole group of points change sign? On a Gaussian errors cancel.
    """
    _measured(student, _first, 0.75, 1.25, "a method of order 1")
    _measured(student, _second, 1.75, 2.25, "a method of order 2")
    _measured(student, _consistent, 2.75, 3.25, "a method of order 3")


@check(points=2)
def released_order(student, rng):
    """The measured order of the released method.

    The order is the slope that is left on fine grids; on coarse ones two terms of the error mix.
    """
    _measured(student, _released, 1.7, 2.3, "the released method")


@check(points=1)
def factor(student, rng):
    """The missing factor.

    Put the parabola m(u) = u^2 into D1 and D2, and compare with what the integral of u^2 is.
    """
    close(student.missing_factor(), 2.0, "missing_factor()", atol=1e-12)


@check(points=2)
def exact_for_parabolas(student, rng):
    """The weights at steps of different lengths.

    Put 1, u and u^2 in the place of the prediction: three equations for three weights.
    """
    for _ in range(5):
        r0, r1, h = rng.uniform(0.4, 2.5, 3)
        nodes = np.array([0.0, -r0, -r0 - r1])
        expected = []
        for j in range(3):
            a, b = np.delete(nodes, j)
            scale = (nodes[j] - a) * (nodes[j] - b)

            def integrand(u, a=a, b=b, h=h):
                return math.exp(-h * (1 - u)) * (u - a) * (u - b)

            expected.append(h * quad(integrand, 0, 1, epsabs=1e-14, epsrel=1e-13)[0] / scale)
        given = f"r0 = {r0:.3g}, r1 = {r1:.3g}, h = {h:.3g}"
        found = _weights(student, r0, r1, h)
        close(found, expected, "corrected(r0, r1, h)", rtol=1e-9, atol=1e-11, given=given)


@check(points=2)
def small_steps(student, rng):
    """The limit of the weights over h, extrapolated from steps of moderate length.

    A method of order 3 has no other limit than that of Adams and Bashforth.
    """
    h = 0.06 * np.arange(1, 9) * rng.uniform(0.9, 1.1)
    rows = np.stack([_weights(student, 1.0, 1.0, float(one)) / one for one in h])
    limit = [
        sum(
            row[j] * np.prod([b / (b - a) for b in h if b != a])
            for a, row in zip(h, rows, strict=True)
        )
        for j in range(3)
    ]
    if np.abs(np.array(limit) - ADAMS_BASHFORTH).max() > 1e-6:
        raise Wrong(f"the weights over h tend to {np.round(limit, 6)}, which is not the limit")


@check(points=1)
def digits(student, rng):
    """The weights at steps so short that the released formulas lose their digits.

    How many digits has phi_2 / h - 1/2 if phi_2 is h / 2 up to h^2? An integral of a positive
    function can be summed without differences.
    """
    for h in (1e-8, *10 ** rng.uniform(-9.0, -7.0, 3)):
        found = _weights(student, 1.0, 1.0, float(h)) / h
        name, given = "corrected(1, 1, h) / h", f"h = {h:.3g}"
        close(found, ADAMS_BASHFORTH, name, atol=1e-6, given=given)


def _plan(weights):
    """Return the method as a function of schedule, times and exact history."""

    def method(schedule, times, bootstrap):
        lam, alpha, sigma = (f(times) for f in (schedule.lam, schedule.alpha, schedule.sigma))
        steps = [Eval(f"m{i}", f"x{i}", float(times[i]), "data") for i in range(bootstrap)]
        for i in range(bootstrap, len(times) - 1):
            h = lam[i + 1] - lam[i]
            r0, r1 = ((lam[i - k] - lam[i - k - 1]) / h for k in (0, 1))
            row = weights(float(r0), float(r1), float(h))
            steps.append(Eval(f"m{i}", f"x{i}", float(times[i]), "data"))
            terms = [(float(alpha[i + 1] * w), f"m{i - k}") for k, w in enumerate(row)]
            keep = float(sigma[i + 1] / sigma[i])
            steps.append(Lin(f"x{i + 1}", ((keep, f"x{i}"), *terms)))
        inputs = tuple(f"x{i}" for i in range(bootstrap + 1))
        return Plan("by weights", schedule, times, tuple(steps), inputs, f"x{len(times) - 1}")

    return method


def _even(schedule, n_steps, *, t_min, t_max):
    return time_grid(schedule, "logsnr", n_steps, t_min=t_min, t_max=t_max)


def _uneven(schedule, n_steps, *, t_min, t_max):
    first, last = schedule.lam(np.array([t_max, t_min]))
    places = np.linspace(0.0, 1.0, n_steps + 1)
    times = schedule.t_of_lam(first + (last - first) * (places + 0.7 * places**2) / 1.7)
    times[[0, -1]] = t_max, t_min
    return times


@check(points=3)
def order(student, rng):
    """The order of the corrected method on a mixture, with equal and with uneven steps.

    Which weight is left that is not exact for u^2? A factor that is right for one grid may be
    wrong for others.
    """
    weights = rng.dirichlet(np.full(3, 20.0))
    means = np.array([[1.2, -0.6], [-0.9, 0.8], [0.1, -1.4]]) + rng.uniform(-0.1, 0.1, (3, 2))
    target = MixtureTarget(weights, means, rng.uniform(0.1, 0.2, (3, 2)))
    for name, kind in (("equal steps", _even), ("steps of different lengths", _uneven)):
        value = _order(lambda *ratios: _weights(student, *ratios), target, kind, rng)
        true(value > 2.75, f"the order that is measured with {name} is {value:.3g}")


def _order(weights, target, grid, rng):
    """Return the order from exact history on a target, from its two finest grids."""
    schedule, errors = VPLinear(), []
    start = target.sample(40, rng, *(float(f(T_MAX)) for f in (schedule.alpha, schedule.sigma)))
    for n in (64, 128, 256):
        times = grid(schedule, n, t_min=T_MIN, t_max=T_MAX)
        exact = reference_trajectory(
            target, schedule, start, times[[0, 1, 2, -1]], rtol=1e-12
        ).states
        plan = _plan(weights)(schedule, times, 2)
        end = sample(plan, target.model(schedule), list(exact[:3])).x
        errors.append(np.sqrt(np.mean((end - exact[3]) ** 2)))
    first, second = np.log2(np.divide(errors[:-1], errors[1:]))
    return 2 * second - first


@picture
def two_slopes(student, rng, figure):
    axes, counts = figure.add_subplot(), np.array([10, 20, 40, 80, 160])
    schedule, x = VPLinear(), np.linspace(-2.0, 2.0, 30)
    target = MixtureTarget([0.6, 0.4], [[-1.0], [0.8]], [[0.3], [0.2]])
    errors = {"released": [], "corrected": []}
    for n in counts:
        lam = np.linspace(-2.5, 1.5, n + 1)
        times = schedule.t_of_lam(lam[[0, 1, 2, -1]])
        exact = reference_trajectory(target, schedule, x[:, None], times, rtol=1e-11).states
        for name, found in errors.items():
            end = student.run(getattr(student, name), lam, exact[:3, :, 0])
            found.append(np.sqrt(np.mean((end - exact[3, :, 0]) ** 2)))
    for name, found in errors.items():
        axes.loglog(counts, found, "o-", label=f"{name} weights")
    axes.loglog(counts, 1.0 / counts**2, "k:", label="slopes -2 and -3")
    axes.loglog(counts, 1.0 / counts**3, "k:")
    axes.set(xlabel="steps (1)", ylabel="root mean square error (1)")
    axes.legend()
