"""The design by its rules, the slopes within seeds, and both on rates of trained networks."""

import math

import numpy as np
from scipy.stats import t as student_t

from theorytk.classroom import Wrong, array, check, close, picture, true

PAPER = "aithal2024"
QUESTION = "What would you have concluded from the confounded design, and what is wrong with it?"
SAMPLES, UPDATES, SEEDS = [300, 3000, 30000], [300, 600, 1200, 2400], list(range(8))

# Rates between the modes 1, 2, 3 of theorytk's networks, exact for each: 3 layers of 32 units, 250
# samples per update, by (samples, updates) and seed. Intervals of 95% contain 0, and lie below -1,
# for every design that the rules of the statement admit.
RATES = {
    (300, 300): [0.249, 0.208, 0.224, 0.302, 0.271, 0.255, 0.236, 0.249],
    (300, 600): [0.127, 0.0332, 0.0621, 0.202, 0.0992, 0.101, 0.0854, 0.0568],
    (300, 1200): [0.0337, 0.0112, 0.0165, 0.0252, 0.0244, 0.016, 0.00917, 0.0161],
    (300, 2400): [0.00901, 0.00599, 0.00658, 0.00914, 0.00895, 0.00582, 0.00487, 0.00661],
    (3000, 300): [0.261, 0.233, 0.216, 0.276, 0.284, 0.254, 0.25, 0.252],
    (3000, 600): [0.136, 0.0352, 0.0567, 0.202, 0.189, 0.0819, 0.0728, 0.0547],
    (3000, 1200): [0.0292, 0.0125, 0.0175, 0.0262, 0.0104, 0.0134, 0.011, 0.0189],
    (3000, 2400): [0.00842, 0.00655, 0.0073, 0.00705, 0.00315, 0.00477, 0.00522, 0.00764],
    (30000, 300): [0.26, 0.23, 0.221, 0.289, 0.289, 0.253, 0.255, 0.246],
    (30000, 600): [0.134, 0.0331, 0.0585, 0.203, 0.151, 0.0898, 0.0671, 0.0565],
    (30000, 1200): [0.0291, 0.0119, 0.0179, 0.0271, 0.0198, 0.0141, 0.00894, 0.0184],
    (30000, 2400): [0.00891, 0.00551, 0.00651, 0.0108, 0.0117, 0.00508, 0.00483, 0.00829],
}


def _ordered(student, seeds):
    """Return the runs of the student's design as tuples of numbers."""
    found = student.design(list(SAMPLES), list(UPDATES), list(seeds))
    true(isinstance(found, (list, tuple)) and len(found) > 0, "design must return a list of runs")
    runs = []
    for run in found:
        numbers = array(run, "a run of design(samples, updates, seeds)", shape=(3,))
        known = tuple(numbers[:2]) in RATES and numbers[2] in seeds
        if not known:
            raise Wrong(f"the laboratory cannot do the run {tuple(numbers.tolist())}")
        runs.append(tuple(int(each) for each in numbers))
    return runs


def _estimated(student, runs, rates):
    found = student.slopes(list(runs), np.array(rates))
    return array(found, "slopes(runs, rates)", shape=(2, 2))


def _oracle(runs, rates):
    """Return slopes and half-widths by least squares on deviations from each seed's mean."""
    n, u, seed = np.array(runs).T
    same = (seed[:, None] == seed).astype(float)
    same /= same.sum(axis=1, keepdims=True)
    X, y = np.log(np.column_stack([n, u])), np.log(rates)
    X, y = X - same @ X, y - same @ y
    gram = X.T @ X
    slopes = np.linalg.solve(gram, X.T @ y)
    freedom = len(y) - 2 - len(set(seed.tolist()))
    variance = np.sum((y - X @ slopes) ** 2) / freedom
    half = student_t.ppf(0.975, freedom) * np.sqrt(variance * np.diag(np.linalg.inv(gram)))
    return np.column_stack([slopes, half])


@check(points=3)
def designed(student, rng):
    """The design: two by two, the same seeds everywhere.

    Each number of samples must meet each number of updates, at every seed; else a difference
    between two runs has more than one reason.
    """
    seeds = rng.permutation(SEEDS).tolist()
    runs = _ordered(student, seeds)
    true(len(runs) <= 32, f"the design has {len(runs)} runs; the laboratory takes 32")
    true(len(set(runs)) == len(runs), "the design orders a run twice: it would be the same number")
    n, u = (sorted({run[i] for run in runs}) for i in (0, 1))
    true(len(n) == 2 and n[1] >= 10 * n[0], f"two numbers of samples far enough apart, not {n}")
    true(len(u) == 2 and u[1] >= 4 * u[0], f"two numbers of updates far enough apart, not {u}")
    groups = {(a, b): {run[2] for run in runs if run[:2] == (a, b)} for a in n for b in u}
    empty = [cell for cell, group in groups.items() if not group]
    true(not empty, f"no run has (samples, updates) in {empty}")
    first = groups[n[0], u[0]]
    true(all(group == first for group in groups.values()), "the seeds differ between combinations")
    true(len(first) >= 4, f"each combination has {len(first)} seeds; at least four are asked for")


@check(points=3)
def regression(student, rng):
    """The slopes and their intervals, on made-up rates.

    Logarithms on both sides; an intercept per seed costs a degree of freedom each.
    """
    for _ in range(5):
        runs = [(n, u, seed) for n in (100, 2000) for u in (50, 400, 900) for seed in range(5)]
        runs = [runs[i] for i in rng.permutation(len(runs))[: int(rng.integers(15, 31))]]
        n, u, seed = np.array(runs).T
        levels = rng.uniform(-2, 2, 2) @ np.log([n, u]) + rng.standard_normal(5)[seed]
        rates = np.exp(levels + 0.3 * rng.standard_normal(len(runs)))
        expected = _oracle(runs, rates)
        found = _estimated(student, runs, rates)
        given = f"{len(runs)} runs"
        close(found[:, 0], expected[:, 0], "the slopes", rtol=1e-6, atol=1e-9, given=given)
        close(found[:, 1], expected[:, 1], "the half-widths", rtol=1e-6, atol=1e-9, given=given)


@check(points=2)
def experiment(student, rng):
    """The experiment: no effect of the samples, and a slope below -1 in the updates.

    If design and regression are right, so is this.
    """
    runs = _ordered(student, rng.permutation(SEEDS).tolist())
    found = _estimated(student, runs, [RATES[n, u][seed] for n, u, seed in runs])
    shown = [f"{slope:.3f} with a half-width of {half:.2g}" for slope, half in found]
    true(abs(found[0, 0]) <= found[0, 1], f"the interval of the samples, {shown[0]}, misses 0")
    below = found[1, 1] >= 0 and found[1].sum() < -1
    true(below, f"the interval of the updates, {shown[1]}, does not lie below -1")


@picture
def both_factors(student, rng, figure):
    left, right = figure.subplots(1, 2, sharey=True)
    runs = _ordered(student, SEEDS)
    rates = np.array([RATES[n, u][seed] for n, u, seed in runs])
    found = _estimated(student, runs, rates)
    diagonal = [(300, 300), (3000, 600), (30000, 2400)]
    means = [math.exp(np.log(RATES[cell]).mean()) for cell in diagonal]
    for axes, column, name in ((left, 0, "samples"), (right, 1, "updates")):
        for place, other in enumerate(sorted({run[1 - column] for run in runs})):
            picked = [i for i, run in enumerate(runs) if run[1 - column] == other]
            x = np.array([runs[i][column] for i in picked]) * 1.1**place
            label = f"{other} {('updates', 'samples')[column]}"
            axes.loglog(x, rates[picked], "o", ms=4, label=label)
        axes.plot([cell[column] for cell in diagonal], means, "k:", label="both at once")
        slope, half = found[column]
        axes.set(xlabel=f"{name} (1)")
        axes.set_xticks([cell[column] for cell in diagonal], [f"{c[column]}" for c in diagonal])
        axes.minorticks_off()
        axes.margins(x=0.2)
        axes.legend(title=rf"slope ${slope:.2f} \pm {half:.2f}$", fontsize="small")
    left.set(ylabel="rate between the modes (1)")
