"""Estimates that the claims on noise, kernels and audits share."""

from __future__ import annotations

from theorytk.inference import exact_estimate, mean_estimate, violations_estimate


def means(table, column, by):
    """Return the mean of a column per level of a factor, or per pair of two."""
    groups = table.groupby(by)
    return {str(level): mean_estimate(g[column].to_numpy()) for level, g in groups}


def largest(table, column):
    """Return the largest value of a column, as a deterministic number."""
    return exact_estimate(float(table[column].max()), len(table))


def violations(table, column, limit):
    """Return the share of rows that exceed the limit."""
    return violations_estimate(int((table[column] > limit).sum()), len(table))
