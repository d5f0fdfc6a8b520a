"""Random streams: what changes them, what must not, and the documented derivation."""

from __future__ import annotations

import hashlib
import struct

import numpy as np

from theorytk.experiments import grid
from theorytk.runner.run import Wanted, run_in_memory


def draws(experiment, seed=0, replicates=4, **factors):
    conditions = experiment.conditions("quick", **factors)
    return list(run_in_memory(Wanted(experiment, conditions, replicates, seed))["x"])


def test_the_documented_derivation(declare):
    experiment = declare(paired=("b",))
    digest = hashlib.sha256(b'unit/draw\n{"a":0.5}').digest()
    words = struct.unpack("<4I", digest[:16])
    seeds = [np.random.SeedSequence(11, spawn_key=(*words, i)) for i in range(4)]
    expected = [np.random.default_rng(seed).random() for seed in seeds]
    assert draws(experiment, seed=11, a=0.5) == expected


def test_block_order_and_other_conditions_do_not_matter(declare):
    alone = draws(declare(), a=2)
    assert draws(declare(block=3), a=2) == alone
    assert draws(declare(), a=[1, 2])[4:] == alone
    assert draws(declare(), a=[2, 1])[:4] == alone
    assert draws(declare(), replicates=9, a=2)[:4] == alone


def test_only_paired_conditions_share_their_draws(declare):
    one, two = np.reshape(draws(declare(paired=("a",)), a=[1, 2]), (2, 4))
    assert list(one) == list(two)
    one, two = np.reshape(draws(declare(), a=[1, 2]), (2, 4))
    assert not set(one) & set(two)


def test_replicate_condition_id_and_root_seed_change_the_draws(declare):
    variants = [
        draws(declare(), a=1),
        draws(declare(), a=2),
        draws(declare(), seed=1, a=1),
        draws(declare(id="unit/other"), a=1),
    ]
    assert len({x for variant in variants for x in variant}) == 16


def test_equal_numbers_give_equal_draws(declare):
    assert draws(declare(), a=1) == draws(declare(), a=1.0) == draws(declare(design=grid(a=1)))
