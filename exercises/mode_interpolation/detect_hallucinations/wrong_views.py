"""Keeps the arrays that are overwritten, without copies: all are the last one."""

import numpy as np


def streaming_variance(predictions, window):
    low, high = window
    kept = [x for t, x in predictions if low <= t < high]
    return np.var(kept, axis=0)


def roc(hallucinated, score):
    hallucinated = np.asarray(hallucinated, dtype=bool)
    order = np.argsort(-score)
    last = np.append(np.diff(score[order]) != 0, True)
    counts = [np.cumsum(kind[order])[last] for kind in (~hallucinated, hallucinated)]
    return tuple(np.append(0, count) / count[-1] for count in counts)


def auroc(hallucinated, score):
    false, true = roc(hallucinated, score)
    return np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2)


def rank_windows(paths, hallucinated, windows):
    areas = []
    for window in windows:
        steps = ((t, paths[t]) for t in range(len(paths) - 1, -1, -1))
        areas.append(auroc(hallucinated, streaming_variance(steps, window)))
    return list(np.argsort(areas)[::-1])
