"""A small project for the tests: one coin, every kind of claim, and tasks that misbehave."""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import time
from pathlib import Path

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import (
    AtMost,
    Between,
    exact_estimate,
    mean_estimate,
    violations_estimate,
)
from theorytk.registry import Covered, Paper, papers

from .laws import outcome_probability

PAPER = "bernoulli1713"

papers.add(
    Paper(
        PAPER,
        topic="coin",
        title="Ars conjectandi",
        authors=("Jacob Bernoulli",),
        year=1713,
        summary="Frequencies come close to probabilities.",
        coverage=(Covered("Part IV", "verified", by=("coin/fair",)),),
    )
)


def fair(rng, bias):
    """Return heads with probability one half plus `bias`."""
    return float(rng.random() < 0.5 + bias)


@experiment(
    "coin/toss",
    paper=PAPER,
    design=grid(bias=0.0, scale=[1, 2]),
    paired=("bias",),
    block=10,
    columns={"heads": Column("heads times scale")},
    presets={"quick": dict(replicates=400), "paper": dict(replicates=405)},
    algorithm="toss",
)
def toss(*, bias, scale, toss=None, rng):
    """Toss once; ``toss(rng, bias)`` returns 0 or 1."""
    return {"heads": scale * float((toss or fair)(rng, bias))}


@experiment(
    "coin/pascal",
    paper=PAPER,
    design=grid(n=[4, 30], skip=0, device="cpu"),
    paired=("skip", "device"),
    columns={"residual": Column("distance of the sum of all probabilities from 1")},
    presets={"quick": dict(replicates=1)},
)
def pascal(*, n, skip, device, rng):
    """Sum the binomial probabilities from `skip` to n; any device counts alike."""
    total = sum(math.comb(n, k) * outcome_probability(n) for k in range(skip, n + 1))
    return {"residual": abs(total - 1)}


@experiment(
    "coin/count",
    paper=PAPER,
    design=grid(tosses=20, twice=False),
    paired=("twice",),
    block=50,
    columns={"heads": Column("heads", dtype="int"), "tails": Column("tails", dtype="int")},
    presets={"quick": dict(replicates=200)},
)
def count(*, tosses, twice, rng):
    """Count heads and tails; the mistake counts the heads twice."""
    heads = int(rng.integers(0, 2, tosses).sum())
    return {"heads": heads * (1 + twice), "tails": tosses - heads}


@experiment(
    "coin/fragile",
    paper=PAPER,
    design=grid(level=[0, 1, 2, 3, 4, 5], mishap="none"),
    columns={"draw": Column("a uniform draw")},
    presets={"quick": dict(replicates=2)},
)
def fragile(*, level, mishap, rng):
    """Draw once; at level 2 a mishap happens, one of MISHAPS or none."""
    draw = float(rng.random())
    if level == 2 and mishap in MISHAPS:
        draw = MISHAPS[mishap]()
    return {"draw": draw}


def fall():
    """Raise."""
    raise ArithmeticError("the coin fell on its edge")


def loop():
    """Never end, in Python's own bytecode."""
    while True:
        pass


def too_much():
    """Ask for more memory than the process may have."""
    resource.setrlimit(resource.RLIMIT_AS, (2**34, resource.RLIM_INFINITY))
    return float(len(bytearray(2**36)))


MISHAPS = {
    "raise": fall,
    "nan": lambda: math.nan,
    "exit": lambda: os._exit(7),
    "segfault": lambda: ctypes.string_at(0),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "memory": too_much,
    "loop": loop,
    "stuck": lambda: sum(range(10**13)),  # compiled code, deaf to signals
}


@experiment(
    "coin/slow",
    paper=PAPER,
    design=grid(index=list(range(6)), pause=0.0),
    columns={"draw": Column("a uniform draw")},
    presets={"quick": dict(replicates=2)},
)
def slow(*, index, pause, rng):
    """Note the call in the file that COIN_CALLS names, wait, draw."""
    if "COIN_CALLS" in os.environ:
        with Path(os.environ["COIN_CALLS"]).open("a") as file:
            file.write(f"{index}\n")
    time.sleep(pause)
    return {"draw": float(rng.random())}


@claim(
    "coin/fair",
    theorem="Part IV",
    statement="$p = 1/2$",
    experiment=toss,
    at={"scale": 1},
    region=Between(0.35, 0.65),
    reason="the width that 400 tosses can tell",
    assumptions=(Assumption("independent tosses"), Assumption("a thin coin", checked=False)),
    control=Control("a bent coin", bias=0.3),
)
def is_fair(table):
    """Mean of the heads."""
    return mean_estimate(table["heads"])


@claim(
    "coin/fair-at-every-scale",
    theorem="Part IV",
    statement="$E X / s = 1/2$",
    experiment=toss,
    region=Between(0.35, 0.65),
    control=Control("a bent coin", bias=0.3),
)
def is_fair_at_every_scale(table):
    """Mean of the heads over the scale, for each scale."""
    shares = table.assign(share=table["heads"] / table["scale"])
    return {f"scale={s}": mean_estimate(rows["share"]) for s, rows in shares.groupby("scale")}


@claim(
    "coin/fair-in-the-long-run",
    theorem="Part IV",
    statement="$p = 1/2$",
    experiment=toss,
    at={"scale": 1},
    region=Between(0.35, 0.65),
    decides="paper",
    control=Control("a bent coin", bias=0.3),
)
def is_fair_in_the_long_run(table):
    """Mean of the heads."""
    return mean_estimate(table["heads"])


@claim(
    "coin/total",
    theorem="Part I",
    statement=r"$\sum_k \binom nk 2^{-n} = 1$",
    experiment=pascal,
    kind="identity",
    region=AtMost(1e-14),
    control=Control("a sum that begins at 1", skip=1),
)
def total(table):
    """Largest residual."""
    return exact_estimate(float(table["residual"].max()), len(table))


@claim(
    "coin/no-more-heads-than-tosses",
    theorem="Part I",
    statement=r"heads $\le n$",
    status="ours",
    experiment=count,
    kind="refutable",
    region=AtMost(0),
    control=Control("heads counted twice", twice=True),
)
def no_more_heads(table):
    """How often there are more heads than tosses."""
    return violations_estimate(int((table["heads"] > table["tosses"]).sum()), len(table))


@claim(
    "coin/quantum",
    theorem="none",
    statement="$p = 1/2$",
    status="empirical",
    experiment=toss,
    region=Between(0.35, 0.65),
    needs=("quantum_mint",),
    control=Control("a bent coin", bias=0.3),
)
def quantum(table):
    """Never reached: its extra does not exist."""
    return mean_estimate(table["heads"])
