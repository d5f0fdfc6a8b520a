import numpy as np


def sensitivity(relation):
    if relation == "add_remove":
        return 1
    if relation == "replace":
        return 2
    raise ValueError(f"relation must be 'add_remove' or 'replace'; got {relation!r}")


def privacy_loss(h, h_other, scale):
    return np.abs(np.asarray(h) - np.asarray(h_other)).sum() / scale


def laplace_scale(epsilon, relation):
    return sensitivity(relation) / epsilon


def largest_loss(scale, relation):
    return sensitivity(relation) / scale
