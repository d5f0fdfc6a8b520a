"""Verdicts on the false discovery rate that stop as soon as they are decided."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from theorytk.claims import Assumption, Control, claim
from theorytk.conformal import clip_score
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, proportion_estimate, sequential_verdict

from .common import CFBH, EXCHANGEABLE, proportions, select


def betting(fdp, q, level):
    """Tell whether the betting verdict ever contradicts a mean of at most q."""
    return sequential_verdict([fdp], AtMost(q), level=level).verdict == "contradicted"


def peeking(fdp, q, level, looks):
    """Tell whether a normal interval for this n alone, looked at several times, ever lies above."""
    n = np.linspace(0, len(fdp), looks + 1)[1:].astype(int)
    mean, square = (np.cumsum(values)[n - 1] / n for values in (fdp, fdp**2))
    error = np.sqrt(np.maximum(0, square - mean**2) / (n - 1))
    return bool((mean - norm.ppf(1 - level / 2) * error > q).any())


VERDICTS = {
    "betting": betting,
    "every look": lambda fdp, q, level: peeking(fdp, q, level, len(fdp) // 2),
    "ten looks": lambda fdp, q, level: peeking(fdp, q, level, 10),
}


@experiment(
    "conformal-selection/sequential",
    paper=CFBH,
    design=grid(n=19, m=4, q=0.2, pi0=0.5, stream=200, streams=25, level=0.2),
    paired=("verdict",),
    columns={
        "contradicted": Column("streams in which a true statement was contradicted", dtype="int")
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=400)},
    block=10,
    algorithm="verdict",
)
def sequential(*, n, m, q, pi0, stream, streams, level, verdict="betting", rng):
    """Streams of false discovery proportions of cfBH, whose mean is q but for 0.2%.

    The algorithm is ``verdict(fdp, q, level) -> bool``: whether FDR <= q is ever contradicted, at
    an error probability of level / 2.
    """
    sets = stream * streams
    prediction, null = rng.random((sets, n + m)), rng.random((sets, n + m)) < pi0
    y = np.where(null, -1.0, 1.0)
    cal = clip_score(prediction[:, :n].ravel(), y[:, :n].ravel()).reshape(sets, n)
    selected = select("conservative", cal, -prediction[:, n:], q, rng)
    fdp = proportions(selected, ~null[:, n:])[0].reshape(streams, stream)
    rule = VERDICTS.get(verdict, verdict)
    return {"contradicted": sum(bool(rule(one, q, level)) for one in fdp)}


@claim(
    "conformal-selection/sequential-verdicts",
    theorem="Ville's inequality, for a mixture of bets (betting_interval)",
    status="ours",
    statement=r"A betting verdict on $\mathrm{FDR}\le q$, looked at after every data set, ever "
    r"contradicts a true one with probability at most $\alpha/2$, here at $\mathrm{FDR}=q$ and "
    r"$\alpha=0.2$.",
    experiment=sequential,
    region=AtMost(0.1, margin=0.05),
    reason="proved at all n at once; the margin is the interval of 1000 streams",
    assumptions=(EXCHANGEABLE, Assumption("clipped scores on the lattice: the rate is q")),
    control=(
        Control("a normal interval looked at after every second data set", verdict="every look"),
        Control("a normal interval looked at ten times", verdict="ten looks"),
    ),
)
def sequential_verdicts(table):
    """Share of streams contradicted at any time."""
    streams = int(table["streams"].iloc[0]) * len(table)
    return proportion_estimate(int(table["contradicted"].sum()), streams)
