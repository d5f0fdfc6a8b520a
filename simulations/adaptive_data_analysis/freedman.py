"""Freedman's paradox: a screened regression on noise looks significant."""

from __future__ import annotations

from theorytk.adaptive.freedman import freedman_screening
from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, mean_estimate, proportion_estimate

FREEDMAN = "freedman1983"
NOISE = Assumption("response and variables are independent standard normals")


def screened(n, d, keep_level, rng):
    """Keep what is promising, and fit the same points again."""
    return freedman_screening(n, d, keep_level=keep_level, rng=rng)


def split(n, d, keep_level, rng):
    """Keep what is promising, and fit new points."""
    return freedman_screening(n, d, keep_level=keep_level, split=True, rng=rng)


def kept_all(n, d, keep_level, rng):
    """Keep everything but what looks worst."""
    return freedman_screening(n, d, keep_level=0.9, rng=rng)


SCREENINGS = {"screened": screened, "split": split, "all": kept_all}


@experiment(
    "adaptive-data-analysis/freedman",
    paper=FREEDMAN,
    design=grid(n=100, d=50, keep_level=0.25, screening="screened"),
    paired=("screening",),
    columns={
        "r_squared": Column("R^2 of the first regression"),
        "kept": Column("share of the variables that are kept"),
        "significant": Column("coefficients significant at 0.05 in the second regression"),
        "nominal": Column("how many should be: 0.05 times the number of variables kept"),
        "f_rejects": Column("whether the second F-test rejects at 0.05", dtype="bool"),
    },
    presets={"quick": dict(replicates=100), "paper": dict(replicates=2000)},
    block=50,
    algorithm="screening",
)
def freedman(*, n, d, keep_level, screening, rng):
    """Two regressions on noise, the second after screening by the first.

    The algorithm is ``screening(n, d, keep_level, rng) -> FreedmanResult``.
    """
    screening = SCREENINGS[screening] if isinstance(screening, str) else screening
    result = screening(n, d, keep_level, rng)
    return {
        "r_squared": result.first.r_squared,
        "kept": result.n_kept / d,
        "significant": result.n_significant,
        "nominal": 0.05 * result.n_kept,
        "f_rejects": result.second.f_p_value < 0.05,
    }


@claim(
    "adaptive-data-analysis/freedman-f-test",
    theorem="the simulation",
    status="empirical",
    statement=r"A regression of noise on 50 variables of noise, screened at the level $1/4$ and "
    r"fitted again to the same 100 points, has an F-test that rejects at the level 5% in more "
    r"than half of all cases.",
    experiment=freedman,
    region=AtLeast(0.5),
    assumptions=(NOISE,),
    control=(
        Control("the second regression on new points", screening="split"),
        Control("nine variables of ten are kept", screening="all"),
    ),
)
def freedman_f_test(table):
    """Share of second regressions that the F-test calls significant."""
    return proportion_estimate(int(table["f_rejects"].sum()), len(table))


@claim(
    "adaptive-data-analysis/freedman-coefficients",
    theorem="the simulation",
    status="empirical",
    statement=r"At least four times as many coefficients of the second regression are significant "
    r"at the level $0.05$ as that level promises.",
    experiment=freedman,
    region=AtLeast(0),
    assumptions=(NOISE,),
    control=(
        Control("the second regression on new points", screening="split"),
        Control("nine variables of ten are kept", screening="all"),
    ),
)
def freedman_coefficients(table):
    """Mean number of significant coefficients, less four times the nominal number."""
    return mean_estimate(table["significant"] - 4 * table["nominal"])
