"""How many measurements recover the truth, when to switch, and what noise costs."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import (
    AtLeast,
    AtMost,
    Between,
    mean_estimate,
    violations_estimate,
)
from theorytk.matrix_sensing import (
    GaussianSensing,
    OneStep,
    factorized_gd,
    init_factors,
    low_rank_matrix,
)
from theorytk.matrix_sensing.predictions import noise_error, optimal_beta
from theorytk.matrix_sensing.theory import degrees_of_freedom

from .common import PAPER, trace
from .mistakes import noise_error_of_known_subspace

GAUSSIAN = Assumption("independent Gaussian measurement matrices with independent entries")
LAWS = {"exact": noise_error, "known subspace": noise_error_of_known_subspace}


@experiment(
    "matrix-sensing/recovery",
    paper=PAPER,
    design=grid(
        n=10,
        singular_values=(1,),
        k=3,
        oversampling=[0.6, 2.5],
        alpha=0.5,
        ratio=0.1,
        step_size=0.25,
        steps=2000,
    ),
    paired=("rule", "counted", "tested_on"),
    columns={
        "test_error": Column("||F G' - M||_F; infinite after divergence", infinite=True),
        "training_error": Column("||A(F G' - M)||; infinite after divergence", infinite=True),
    },
    presets={
        "quick": dict(replicates=40),
        "paper": dict(replicates=100, n=20, singular_values=(1, 0.75), k=4, steps=10_000),
    },
    algorithm="rule",
)
def recovery(
    *,
    n,
    singular_values,
    k,
    oversampling,
    alpha,
    ratio,
    step_size,
    steps,
    rule="gradient",
    counted="all columns",
    tested_on="truth",
    rng,
):
    """Descent on ||A(F G' - M)||^2 / 2 with m = oversampling * (degrees of freedom) matrices.

    The algorithm is an update rule ``rule(F, G, residual, step_size) -> (F_next, G_next)``, where
    ``residual(F, G)`` returns A*A(F G' - M); a class is instantiated once per replicate.
    """
    r = len(singular_values)
    columns = k if counted == "all columns" else r
    m = round(oversampling * degrees_of_freedom(n, n, r, columns))
    truth = low_rank_matrix(n, singular_values=singular_values, rng=rng)
    F0, G0 = init_factors(n, n, k, scale=alpha, ratio=ratio, rng=rng)
    operator = GaussianSensing(m, n, storage="gram", rng=rng)
    record = (0, steps)
    _, error, F, G = trace(operator, truth, F0, G0, rule=rule, step_size=step_size, record=record)
    finite = np.isfinite(error[-1])
    training = np.linalg.norm(operator.apply(F @ G.T - truth)) if finite else np.inf
    test = error[-1] if tested_on == "truth" else training
    return {"test_error": test, "training_error": training}


@claim(
    "matrix-sensing/interpolation-below-threshold",
    theorem="derived here (degrees_of_freedom)",
    status="empirical",
    kind="refutable",
    statement=r"With fewer measurements than the degrees of freedom $n_1r+n_2k-kr$ descent "
    r"interpolates: the training error vanishes and the test error does not.",
    experiment=recovery,
    at=dict(oversampling=0.6),
    region=AtMost(0),
    reason="a zero of the loss then has a continuum of others beside it, at a distance O(1)",
    assumptions=(GAUSSIAN,),
    control=Control("tested on the training measurements", tested_on="training set"),
)
def interpolation_below_threshold(table):
    """Share of replicates without training error < 1e-4 and test error > 0.1."""
    interpolates = (table["training_error"] < 1e-4) & (table["test_error"] > 0.1)
    return violations_estimate(int((~interpolates).sum()), len(table))


@claim(
    "matrix-sensing/recovery-above-threshold",
    theorem="Theorem 4.2, sample size",
    status="empirical",
    kind="refutable",
    statement=r"With 2.5 times as many measurements as degrees of freedom, $n_1r+n_2k-kr$, "
    r"over-parameterised descent recovers the truth.",
    experiment=recovery,
    at=dict(oversampling=2.5),
    region=AtMost(0),
    reason="measurement_slowdown leaves a rate that reaches 1e-3 well within the iterations",
    assumptions=(GAUSSIAN,),
    control=Control("the degrees of freedom counted for the exact rank", counted="rank"),
)
def recovery_above_threshold(table):
    """Share of replicates with a test error above 1e-3."""
    return violations_estimate(int((table["test_error"] > 1e-3).sum()), len(table))


@experiment(
    "matrix-sensing/one-step-with-few-measurements",
    paper=PAPER,
    design=grid(
        n=12,
        singular_values=(1,),
        k=3,
        oversampling=1.1,
        alpha=0.01,
        step_size=0.25,
        steps=1000,
        early=0,
        late=100,
    ),
    paired=("early", "late"),
    columns={
        "early_error": Column("||F G' - M||_F after the early switch"),
        "late_error": Column("||F G' - M||_F after the late switch"),
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=100)},
)
def one_step_with_few_measurements(
    *, n, singular_values, k, oversampling, alpha, step_size, steps, early, late, rng
):
    """Two descents from one start that apply the one step at different iterations."""
    m = round(oversampling * degrees_of_freedom(n, n, len(singular_values), k))
    truth = low_rank_matrix(n, singular_values=singular_values, rng=rng)
    F0, G0 = init_factors(n, n, k, scale=alpha, rng=rng)
    problem = dict(truth=truth, F0=F0, G0=G0, step_size=step_size, max_iter=steps, record=())
    operator = GaussianSensing(m, n, storage="gram", rng=rng)
    beta = optimal_beta(min(singular_values))
    runs = [factorized_gd(operator, one_step=OneStep(beta, at), **problem) for at in (early, late)]
    errors = [run.history["error"][-1] for run in runs]
    return {"early_error": errors[0], "late_error": errors[1]}


@claim(
    "matrix-sensing/one-step-too-early",
    theorem="Section 5, when to modify the step",
    status="empirical",
    statement=r"With hardly more measurements than degrees of freedom, the one step (5.1) must "
    r"wait: applied at $t=0$ it destroys the bias of a small start to low rank, and the error "
    r"after equally many iterations is ten times as large or more.",
    experiment=one_step_with_few_measurements,
    region=AtLeast(1),
    reason="a least effect: one decade",
    assumptions=(GAUSSIAN, Assumption("small Gaussian start, alpha = 0.01")),
    control=Control("the switch waits for the first checkpoint, at iteration 50", early=50),
)
def one_step_too_early(table):
    """Decades between the error after the early switch and after the late one."""
    return mean_estimate(np.log10(table["early_error"] / table["late_error"]))


@experiment(
    "matrix-sensing/noise",
    paper=PAPER,
    design=grid(n=8, singular_values=(1,), m=50, noise_std=1e-4, step_size=0.3, steps=150),
    paired=("law", "rule"),
    block=50,
    columns={"ratio": Column("squared error over its predicted mean; at most 1000")},
    presets={
        "quick": dict(replicates=400),
        "paper": dict(replicates=2000, n=12, singular_values=(1, 0.75), m=150),
    },
    algorithm="rule",
)
def noise(*, n, singular_values, m, noise_std, step_size, steps, law="exact", rule="gradient", rng):
    """Exactly parameterised descent on noisy measurements, from the truth to the minimiser.

    The algorithm is an update rule ``rule(F, G, residual, step_size) -> (F_next, G_next)``, where
    ``residual(F, G)`` returns A*(A(F G') - y); a class is instantiated once per replicate.
    """
    r = len(singular_values)
    truth = low_rank_matrix(n, singular_values=singular_values, rng=rng)
    operator = GaussianSensing(m, n, storage="gram", rng=rng)
    y = operator.apply(truth) + noise_std / np.sqrt(m) * rng.standard_normal(m)
    U, s, Vt = np.linalg.svd(truth)
    F0, G0 = U[:, :r] * np.sqrt(s[:r]), Vt[:r].T * np.sqrt(s[:r])
    run = factorized_gd(
        operator, y, truth=truth, F0=F0, G0=G0, step_size=step_size, max_iter=steps, rule=rule
    )
    predicted = LAWS[law](m, degrees_of_freedom(n, n, r, r), noise_std)
    return {"ratio": min(run.history["error"][-1] ** 2 / predicted, 1000)}


@claim(
    "matrix-sensing/noise-exact",
    theorem="derived here (noise_error)",
    status="ours",
    statement=r"With noise $\nu z/\sqrt m$ on $m$ measurements the least-squares matrix of rank "
    r"$r$ has $\mathbb E\Vert E\Vert_F^2=\nu^2d/(m-d-1)$, $d=r(n_1+n_2-r)$.",
    experiment=noise,
    region=Between(1, 1, margin=0.15),
    reason="exact to first order in the noise, here 1e-4; the margin is for the replicates",
    assumptions=(
        GAUSSIAN,
        Assumption("descent starts at the truth: which minimum it finds is not the question"),
    ),
    control=(Control("the law of a known tangent space, nu^2 d / m", law="known subspace"),),
)
def noise_exact(table):
    """Mean of squared error over its law."""
    return mean_estimate(table["ratio"])
