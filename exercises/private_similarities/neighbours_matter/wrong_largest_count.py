"""Adds up nothing: takes the bin that changes most, as if one count were released."""

import numpy as np


def sensitivity(relation):
    if relation not in ("add_remove", "replace"):
        raise ValueError(f"relation must be 'add_remove' or 'replace'; got {relation!r}")
    return 1 if relation == "add_remove" else 2


def privacy_loss(h, h_other, scale):
    return np.abs(np.asarray(h) - np.asarray(h_other)).max() / scale


def laplace_scale(epsilon, relation):
    return sensitivity(relation) / epsilon


def largest_loss(scale, relation):
    return sensitivity(relation) / scale
