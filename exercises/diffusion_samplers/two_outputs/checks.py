"""Checks against stored coefficients, the library's plan, and the measured order of convergence."""

import numpy as np

from theorytk.classroom import array, between, check, close, picture, true
from theorytk.diffusion import (
    Eval,
    GaussianTarget,
    Lin,
    MixtureTarget,
    Plan,
    VPLinear,
    certify_order,
    compile_plan,
    reference_trajectory,
    sample,
    time_grid,
)

PAPER = "lu2022dpmpp"
QUESTION = (
    "The straight line is replaced by its value in the middle. Why does this not cost an order, "
    "although the weight under the integral is not symmetric about the middle?"
)

# Coefficients at these levels, integrated numerically with 30 digits.
SIGMA = np.array([1.0, 0.8, 0.5, 0.25])
RATIO = np.array([1.0, 1.5, 4.0, 8.0])
STORED = np.array(
    [
        [0.8, 0.4, 0.0],
        [0.625, 2.7618891141893185, -1.5118891141893185],
        [0.5, 1.3533475263057119, -0.3533475263057119],
    ]
)


def _levels(schedule, times):
    return schedule.alpha(times), schedule.sigma(times), schedule.lam(times)


def _grid(rng, n):
    """Return a grid of n uneven steps in lambda."""
    schedule = VPLinear()
    lam = rng.uniform(-4.0, -3.0) + np.append(
        0.0, np.cumsum(rng.uniform(0.3, 1.6, n)) * min(1, 4 / n)
    )
    return schedule, schedule.t_of_lam(lam)


def _found(student, alpha, sigma, lam):
    rows = student.coefficients(alpha.copy(), sigma.copy(), lam.copy())
    return array(rows, "coefficients(alpha, sigma, lam)", shape=(len(lam) - 1, 3))


def _plan(student):
    """Return the student's method as a function of schedule and times."""

    def method(schedule, times):
        rows, n = _found(student, *_levels(schedule, times)), len(times) - 1
        steps = []
        for i in range(n):
            a, b, c = (float(v) for v in rows[i])
            old = [(c, f"m{i - 1}")] if i else []
            steps.append(Eval(f"m{i}", f"x{i}", float(times[i]), "data"))
            steps.append(Lin(f"x{i + 1}", ((a, f"x{i}"), (b, f"m{i}"), *old)))
        return Plan("the student's", schedule, times, tuple(steps), ("x0",), f"x{n}")

    return method


@check(points=1)
def prediction(student, rng):
    """The data prediction from the score.

    Tweedie's formula is about alpha x_0, the prediction about x_0. For data that are one point m,
    the prediction is m at every state.
    """
    for _ in range(5):
        mean, var = rng.normal(), rng.uniform(0.1, 1.0)
        alpha, sigma = rng.uniform(0.2, 1.5, 2)
        x = rng.normal(size=7)
        score = -(x - alpha * mean) / (alpha**2 * var + sigma**2)
        expected = GaussianTarget([mean], var).data(x[:, None], alpha, sigma)[:, 0]
        given = f"alpha = {alpha:.3g}, sigma = {sigma:.3g}"
        found = student.data_prediction(x, score, alpha, sigma)
        name = "data_prediction(x, score, alpha, sigma)"
        close(found, expected, name, rtol=1e-10, atol=1e-12, given=given)


@check(points=2)
def equal_steps(student, rng):
    """The coefficients of steps of one length.

    Integrate e^lambda over a step, with h small as a test: b + c must tend to alpha h. What is the
    line's value half a step ahead, in terms of the last two predictions?
    """
    for _ in range(4):
        schedule = VPLinear()
        times = time_grid(schedule, "logsnr", 3, t_min=rng.uniform(0.01, 0.2), t_max=0.9)
        levels = _levels(schedule, times)
        expected = _rows_of_library(schedule, times)
        close(_found(student, *levels), expected, "coefficients(alpha, sigma, lam)", atol=1e-10)


@check(points=3)
def uneven_steps(student, rng):
    """The coefficients on a grid of four points with steps of different lengths.

    The line goes through points at a distance of the step behind, and its value is taken at half
    of the step ahead. Nothing may use alpha^2 + sigma^2 = 1, and the first step has one output.
    """
    levels = RATIO * SIGMA, SIGMA, np.log(RATIO)
    close(_found(student, *levels), STORED, "coefficients(alpha, sigma, lam)", atol=1e-10)
    for n in (3, 3, 6):
        schedule, times = _grid(rng, n)
        expected = _rows_of_library(schedule, times)
        found = _found(student, *_levels(schedule, times))
        close(found, expected, "coefficients(alpha, sigma, lam)", atol=1e-10, given=f"N = {n}")


def _rows_of_library(schedule, times):
    """Return the coefficients of the library's plan."""
    plan = compile_plan(schedule, times, "dpmpp_2m", lower_order_final=False)
    rows = [[c for c, _ in step.terms] for step in plan.instructions if isinstance(step, Lin)]
    return np.array([[*row, 0.0][:3] for row in rows])


@check(points=2)
def gaussian(student, rng):
    """The sampler on Gaussian data.

    The prediction that is remembered is the one before; each state is evaluated once, at its own
    level.
    """
    for n in (2, 3, 8):
        mean, var = rng.normal(), rng.uniform(0.05, 0.5)
        target, (schedule, times) = GaussianTarget([mean], var), _grid(rng, n)
        x, calls = rng.normal(size=5), []

        def score(states, alpha, sigma, target=target, calls=calls):
            calls.append(alpha)
            return target.score(np.reshape(states, (-1, 1)), alpha, sigma)[:, 0]

        found = student.sample(x.copy(), score, *_levels(schedule, times))
        plan = compile_plan(schedule, times, "dpmpp_2m", lower_order_final=False)
        expected = sample(plan, target.model(schedule), x[:, None]).x[:, 0]
        given = f"Gaussian data with mean {mean:.3g}, variance {var:.3g} and {n} steps"
        name = "sample(x, score, alpha, sigma, lam)"
        close(found, expected, name, rtol=1e-9, atol=1e-10, given=given)
        true(len(calls) == n, f"score was called {len(calls)} times in {n} steps")


@check(points=2)
def order(student, rng):
    """The order of convergence on a mixture, on grids whose steps alternate.

    A method that only works for equal steps has order 1 here. Does a step look at the length of the
    step before?
    """
    target = _mixture(rng)

    def alternating(schedule, n_steps, *, t_min, t_max):
        first, last = schedule.lam(np.array([t_max, t_min]))
        steps = np.where(np.arange(n_steps) % 2, 1.4, 0.6)
        lam = first + (last - first) * np.append(0.0, np.cumsum(steps) / steps.sum())
        times = schedule.t_of_lam(lam)
        times[[0, -1]] = t_max, t_min
        return times

    found = certify_order(
        _plan(student),
        expected=2,
        target=target,
        kind=alternating,
        n_steps=(32, 64, 128, 256),
        n_points=120,
        rng=rng,
    )
    between(found.order.value, 1.8, 2.2, "the order that is measured with your coefficients")


def _mixture(rng):
    weights = rng.dirichlet(np.full(3, 20.0))
    means = np.array([[1.2, -0.6], [-0.9, 0.8], [0.1, -1.4]]) + rng.uniform(-0.1, 0.1, (3, 2))
    return MixtureTarget(weights, means, rng.uniform(0.1, 0.2, (3, 2)))


@picture
def errors_fall(student, rng, figure):
    axes, schedule, target = figure.add_subplot(), VPLinear(), _mixture(rng)
    t_max, t_min = (float(t) for t in schedule.t_of_lam(np.array([-4.0, 0.3])))
    x, counts = rng.normal(size=(60, 2)), np.array([8, 16, 32, 64, 128])
    exact = reference_trajectory(target, schedule, x, [t_max, t_min], rtol=1e-10).states[-1]
    methods = {"2M, yours": _plan(student), "DDIM": lambda s, t: compile_plan(s, t, "ddim")}
    for name, method in methods.items():
        errors = []
        for n in counts:
            times = time_grid(schedule, "logsnr", int(n), t_min=t_min, t_max=t_max)
            end = sample(method(schedule, times), target.model(schedule), x).x
            errors.append(np.sqrt(np.mean((end - exact) ** 2)))
        axes.loglog(counts, errors, "o-", label=name)
    axes.loglog(counts, 2.0 / counts**2, "k:", label="slope -2")
    axes.set(xlabel="evaluations of the model (1)", ylabel="root mean square error (1)")
    axes.legend()
