"""Variances by the definition, curves by counting, and samples of a chain that does hallucinate."""

from functools import lru_cache

import numpy as np

from theorytk.classroom import array, check, close, number, picture, same, true
from theorytk.diffusion.hallucination import (
    HallucinationRule,
    cap_slope,
    default_grid,
    detector_report,
    exact_denoiser,
    level_weights,
    line_mixture,
    sample_chain,
    steep_schedule,
    tabulate,
)

PAPER = "aithal2024"
QUESTION = "Why does a window far from the end of sampling tell nothing here?"
START, SHOWN = 300, 130  # label at which chains start, and labels whose predictions are kept
BATCHES, BATCH = 60, 4000


@lru_cache(maxsize=1)
def _samples():
    """Return which samples are hallucinations and their predictions (SHOWN, n).

    All hallucinations of many samples, and the first of the others: the areas under curves are
    nearly those of all. Always the same, so that the areas are.
    """
    target, schedule = line_mixture([1, 2, 3], 0.05), steep_schedule()
    grid = default_grid(target, 4096)
    table = tabulate(exact_denoiser(target, schedule), schedule, grid, t_start=START)
    table = cap_slope(table, schedule, 3.0, level_weights(target, schedule, table))
    rule, rng = HallucinationRule(target, between=True), np.random.default_rng(1)
    labels, paths = [], []
    for _ in range(BATCHES):
        drawn = sample_chain(table, schedule, BATCH, t_start=START, n_paths=BATCH, rng=rng)
        bad = rule(drawn.x)
        kept = bad | (np.cumsum(~bad) <= 100)
        labels.append(bad[kept])
        paths.append(drawn.paths[:SHOWN, kept, 0])
    return np.concatenate(labels), np.concatenate(paths, axis=1)


def _stream(paths):
    """Yield steps from the noisiest on, in an array that is overwritten."""
    x = np.empty(paths.shape[1])
    for t in range(len(paths) - 1, -1, -1):
        x[:] = paths[t]
        yield t, x


def _variance(student, paths, window):
    name = "streaming_variance(predictions, window)"
    found = student.streaming_variance(_stream(paths), window)
    return array(found, name, shape=paths.shape[1:])


@check(points=2)
def streaming(student, rng):
    """The variance over a window of a stream.

    The array is overwritten in the next step; the upper end does not belong to the window, and the
    sum of squares is divided by their number.
    """
    for _ in range(10):
        steps, n = int(rng.integers(12, 40)), int(rng.integers(1, 6))
        low = int(rng.integers(0, steps - 4))
        window = (low, int(rng.integers(low + 2, steps + 1)))
        paths = rng.standard_normal((steps, n))
        expected = paths[slice(*window)].var(axis=0)
        given = f"{steps} steps and the window {window}"
        close(_variance(student, paths, window), expected, "the variance", rtol=1e-7, given=given)


@check(points=1)
def offset(student, rng):
    """The same for predictions near 1e6, to seven digits.

    Large squares lose the digits that matter. Deviations from any value of the window do not.
    """
    paths = 1e6 * rng.uniform(0.5, 1, 4) + rng.standard_normal((30, 4))
    found = _variance(student, paths, (3, 20))
    close(found, paths[3:20].var(axis=0), "the variance", rtol=1e-7, given="predictions near 1e6")


def _scores(rng):
    """Return labels and scores with ties."""
    n = int(rng.integers(10, 60))
    hallucinated = rng.permutation(np.arange(n) < n // 3)
    return hallucinated, np.round(rng.standard_normal(n) + hallucinated, 1)


@check(points=2)
def curve(student, rng):
    """The curve, threshold by threshold; scores are tied.

    Tied samples are called hallucinations together: one step, which may go up and right.
    """
    for _ in range(10):
        hallucinated, score = _scores(rng)
        found = student.roc(hallucinated.copy(), score.copy())
        true(isinstance(found, (tuple, list)) and len(found) == 2, "roc must return a pair")
        thresholds = np.append(np.inf, np.unique(score)[::-1])
        called = score >= thresholds[:, None]
        for which, part, name in (
            (~hallucinated, found[0], "false"),
            (hallucinated, found[1], "true"),
        ):
            expected = called[:, which].mean(axis=1)
            close(part, expected, f"the array {name} of roc", atol=1e-9, given="tied scores")


@check(points=1)
def area(student, rng):
    """The area under the curve: the probability of a larger score, ties counted half.

    Compare every hallucination with every other sample, or sum up trapezia.
    """
    for _ in range(10):
        hallucinated, score = _scores(rng)
        difference = score[hallucinated][:, None] - score[~hallucinated]
        expected = np.mean((difference > 0) + 0.5 * (difference == 0))
        found = student.auroc(hallucinated.copy(), score.copy())
        close(found, expected, "auroc(hallucinated, score)", atol=1e-9, given="tied scores")


@check(points=2)
def detector(student, rng):
    """The detector on samples of a chain: an area of 0.987 within 0.01.

    If all checks before pass, so does this. Does a hallucination have the larger score?
    """
    hallucinated, paths = _samples()
    score = _variance(student, paths, (0, 10))
    found = number(student.auroc(hallucinated.copy(), score), "auroc(hallucinated, score)")
    true(abs(found - 0.987) <= 0.01, f"the area under the curve of your detector is {found:.4f}")


@check(points=1)
def windows(student, rng):
    """The windows, from the best to the worst.

    Sort by the areas, and mind the direction.
    """
    hallucinated, paths = _samples()
    pairs = [(0, 10), (20, 40), (60, 120)]
    areas = [detector_report(hallucinated, paths[slice(*w)].var(axis=0)).auroc for w in pairs]
    order = rng.permutation(len(pairs))
    expected = np.argsort([-areas[i] for i in order])
    given = [pairs[i] for i in order]
    found = student.rank_windows(paths.copy(), hallucinated.copy(), given)
    found = array(found, "rank_windows(paths, hallucinated, windows)", shape=(len(pairs),))
    same(found, expected, "the order of the windows", given=f"{given}")


@picture
def both(student, rng, figure):
    hallucinated, paths = _samples()
    left, right = figure.subplots(1, 2)
    for kind, color, label in ((False, "C0", "in a mode"), (True, "C1", "between modes")):
        some = np.flatnonzero(hallucinated == kind)[:8]
        lines = left.plot(paths[:60, some], color=color, lw=1)
        lines[0].set_label(label)
    left.set(xlabel="step $t$ (1)", ylabel=r"prediction $\hat x_0$ (data units)")
    left.invert_xaxis()
    left.legend(fontsize="small")
    for window in ((0, 10), (20, 40), (60, 120)):
        score = student.streaming_variance(_stream(paths), window)
        right.plot(*student.roc(hallucinated, score), label=f"{window}")
    right.set(xlabel="share of the support removed (1)", ylabel="hallucinations removed (1)")
    right.legend(title="window")
