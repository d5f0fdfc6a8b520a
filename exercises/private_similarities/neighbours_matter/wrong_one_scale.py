"""Uses the noise of adding and removing under both relations."""

import numpy as np


def known(relation):
    if relation not in ("add_remove", "replace"):
        raise ValueError(f"relation must be 'add_remove' or 'replace'; got {relation!r}")


def privacy_loss(h, h_other, scale):
    return np.abs(np.asarray(h) - np.asarray(h_other)).sum() / scale


def laplace_scale(epsilon, relation):
    known(relation)
    return 1 / epsilon


def largest_loss(scale, relation):
    known(relation)
    return 1 / scale
