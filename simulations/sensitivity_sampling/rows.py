"""How many rows: as many as suffice by the laws, and one set of scores against another."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, AtMost, Between, mean_estimate, proportion_estimate
from theorytk.sensitivity.distortion import distortion
from theorytk.sensitivity.lewis import lewis_weights
from theorytk.sensitivity.matrices import heavy_tailed, vandermonde
from theorytk.sensitivity.sampling import root_leverage_sample, sample_rows
from theorytk.sensitivity.sampling_laws import sufficient_oversampling
from theorytk.sensitivity.sensitivities import sensitivities

from .common import PAPER
from .samplers import INDEPENDENT, PLANE, draw

NODES = np.linspace(-1, 1, 200)
COLUMNS = {1: 2, 2: 8, 4: 5}


def split(A, copies, p):
    """Return the matrix with every row in so many copies, scaled to keep the l_p norm."""
    return np.tile(A * copies ** (-1 / p), (copies, 1))


def polynomial_distortion(d, copies, p, omega):
    """Bound the distortion of polynomials of degree below d at NODES, split into copies.

    For p = 4 by their squares, polynomials of twice the degree, at p = 2.
    """
    if p == 4:
        d, p = 2 * d - 1, 2
    return distortion(split(vandermonde(NODES, d), copies, p), omega, p).upper


@experiment(
    "sensitivity-sampling/sufficient-oversampling",
    paper=PAPER,
    design=grid(p=[1, 2, 4], epsilon=0.5, constant=8, draws=25, copies=10),
    paired=("constant", "sampler"),
    columns={"failed": Column("whether the distortion may be above epsilon", dtype="bool")},
    presets={"quick": dict(replicates=10), "paper": dict(replicates=80)},
    algorithm="sampler",
)
def enough_rows(*, p, epsilon, constant, draws, copies, sampler="independent", rng):
    """Sample polynomials at 200 equidistant nodes, split into copies, as a law says.

    The oversampling is the constant times log(2 d) times the order of `sufficient_oversampling`.
    The algorithm is a sampler ``sampler(scores, p, alpha, rng) -> omega``, the weights of all n
    rows on p-th powers, 0 for those left out.
    """
    d = COLUMNS[p]
    sigma = np.tile(sensitivities(vandermonde(NODES, d), p).values / copies, copies)
    alpha = sufficient_oversampling(
        "sensitivity",
        p,
        total=sigma.sum(),
        rank=d,
        epsilon=epsilon,
        constant=constant * np.log(2 * d),
    )
    samples = [draw(sampler, sigma, p, alpha, rng) for _ in range(draws)]
    return {"failed": [polynomial_distortion(d, copies, p, w) > epsilon for w in samples]}


@claim(
    "sensitivity-sampling/sufficient-oversampling",
    theorem="abstract for p > 2, its footnote for p < 2; the constant and the logarithm are ours",
    status="empirical",
    statement=r"With an oversampling of $8\log(2d)/\varepsilon^2$ times the order of the theorems, "
    r"$d^{1-p/2}$ for $p\le2$ and $\mathfrak S^{1-2/p}$ above, sensitivity sampling has distortion "
    r"above $\varepsilon=1/2$ in at most $5\%$ of samples.",
    experiment=enough_rows,
    region=AtMost(0.05),
    reason="5% was set beforehand; the constant was doubled from 4, at which 0.9% had failed at "
    "p = 1, too near for 250 samples",
    assumptions=(
        INDEPENDENT,
        Assumption("polynomials of degree 1, 7, 4; exact distortion, certified for p = 4"),
    ),
    control=Control("the constant 8 forgotten", constant=1),
)
def oversampling_suffices(table):
    """Share of samples that fail, per p."""
    return {
        f"p={p:g}": proportion_estimate(int(g["failed"].sum()), len(g))
        for p, g in table.groupby("p")
    }


SCORES = {
    "sensitivity": lambda A: sensitivities(A, 1).values,
    "lewis": lambda A: lewis_weights(A, 1, tol=1e-3).weights,
    "uniform": lambda A: np.ones(len(A)),
}


def sample_by(scores, A, size, rng):
    """Return the weights omega of about so many rows of A, sampled for p = 1 by such scores."""
    if scores == "root-leverage":
        alpha = (size / A.shape[1]) ** 0.5
        return root_leverage_sample(A, 1, alpha, rounds=12, rng=rng).omega()
    return sample_rows(SCORES[scores](A), 1, size=size, rng=rng).omega()


@experiment(
    "sensitivity-sampling/distortion-by-scores",
    paper=PAPER,
    design=grid(df=2, scores=["sensitivity", "uniform"], n=2000, sizes=(30, 60, 120, 240)),
    paired=("scores",),
    columns={
        "size": Column("rows asked for", dtype="int"),
        "rows": Column("rows kept", dtype="int"),
        "distortion": Column("distortion, exact"),
    },
    presets={"quick": dict(replicates=12), "paper": dict(replicates=400, n=4000)},
    block=6,
)
def by_scores(*, df, scores, n, sizes, rng):
    """Sample rows of Student t entries in the plane at p = 1 by different scores, as many rows.

    Root leverage scores leave as many rows as asked for where all scores are alike, else fewer.
    """
    A, found = heavy_tailed(n, 2, df=df, rng=rng), []
    for size in sizes:
        omega = sample_by(scores, A, size, rng)
        measured = distortion(A, omega, 1).lower
        found.append({"size": size, "rows": np.count_nonzero(omega), "distortion": measured})
    return found


def log_ratio(table, reference):
    """Return the mean of log distortion over that with the reference scores, over sizes."""
    logs = table.assign(log=np.log(table["distortion"])).pivot_table(
        index="replicate", columns="scores", values="log"
    )
    (other,) = set(logs.columns) - {reference}
    return mean_estimate(logs[other] - logs[reference])


PLANE_T = (INDEPENDENT, PLANE, Assumption("Student t entries of 2 degrees of freedom"))


@claim(
    "sensitivity-sampling/uniform-distorts-more",
    theorem="Section 1, why rows are scored; the data are ours",
    status="empirical",
    statement=r"On heavy-tailed rows a uniform sample has a distortion larger by a quarter or more "
    r"than as many rows sampled by sensitivities, $p=1$.",
    experiment=by_scores,
    region=AtLeast(float(np.log(1.25))),
    decides="paper",
    reason="an ordering; a quarter is more than half as many rows again",
    assumptions=PLANE_T,
    control=(
        Control("Lewis weights taken for uniform ones", scores=["sensitivity", "lewis"]),
        Control("root leverage scores likewise", scores=["sensitivity", "root-leverage"]),
    ),
)
def uniform_distorts_more(table):
    """Mean of log distortion, uniform over sensitivities."""
    return log_ratio(table, "sensitivity")


@claim(
    "sensitivity-sampling/root-leverage-like-lewis",
    theorem="root leverage score sampling (abstract): roughly d rows, as with Lewis weights",
    status="empirical",
    statement=r"On these rows root leverage scores, round by round, have the distortion of as many "
    r"rows sampled by Lewis weights, within a fifth; $p=1$.",
    experiment=by_scores,
    at=dict(scores=["lewis", "root-leverage"]),
    region=Between(float(np.log(0.8)), float(np.log(1.25))),
    decides="paper",
    reason="the theorems have the same order; rows to within 5%, and rounds add their variances",
    assumptions=PLANE_T,
    control=Control("uniform rows in the place of the recursion", scores=["lewis", "uniform"]),
)
def root_leverage_like_lewis(table):
    """Mean of log distortion, root leverage over Lewis weights."""
    return log_ratio(table, "lewis")
