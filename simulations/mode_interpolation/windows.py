"""Shapes that occur twice: what a denoiser cannot see it cannot forbid."""

from __future__ import annotations

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion.hallucination import sample_chain
from theorytk.diffusion.hallucination.local_window import BoxSignals, LocalWindowDenoiser
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, AtMost, mean_estimate, proportion_estimate

from .common import PAPER, schedule_of

SIGNALS = BoxSignals()
EVERYTHING = 99  # a radius that reaches from every pixel to every other
BOXES = Assumption("signals of 32 pixels with at most one box of 4; 100 steps")


def windowed(schedule, radius):
    """Return the posterior mean from a window."""
    return LocalWindowDenoiser(schedule, None if radius == EVERYTHING else radius, SIGNALS)


@experiment(
    "mode-interpolation/windows",
    paper=PAPER,
    design=grid(radius=[5, 11, EVERYTHING], samples=200),
    paired=("radius",),
    columns={
        "outside": Column("share of samples that are no signals"),
        "several": Column("share of samples with two boxes or more"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=10,
)
def windows(*, radius, samples, rng):
    """Samples of the best denoiser that sees a window of some radius, and their boxes."""
    schedule, _ = schedule_of(100)
    denoiser = windowed(schedule, radius)
    x = sample_chain(denoiser, schedule, samples, dimension=32, t_start=60, rng=rng).x
    return {
        "outside": (~SIGNALS.supports(x)).mean(),
        "several": (SIGNALS.count_boxes(x) > 1).mean(),
    }


@claim(
    "mode-interpolation/local-windows-repeat-shapes",
    theorem="section 4, Simple Shapes: a shape occurs twice; the mechanism is ours",
    status="ours",
    statement=r"A limited field of view is enough for shapes that occur twice: with a radius of "
    r"$5$ of $32$ pixels the best denoiser makes two boxes in more than $2\%$ of its samples.",
    experiment=windows,
    at=dict(radius=5),
    region=AtLeast(0.02),
    reason="a choice: two of a hundred images, which one would see",
    assumptions=(BOXES,),
    control=Control("a radius of 21", radius=21),
)
def repeated(table):
    """Mean share of samples with two boxes or more."""
    return mean_estimate(table["several"])


@claim(
    "mode-interpolation/global-view-repeats-nothing",
    theorem="derived here, for Simple Shapes",
    status="ours",
    statement=r"The best denoiser that sees everything makes two boxes in less than $1\%$ of its "
    r"samples.",
    experiment=windows,
    at=dict(radius=EVERYTHING),
    region=AtMost(0.01),
    reason="a share that 4000 samples can tell from 0 by the interval of Clopper and Pearson",
    assumptions=(BOXES,),
    control=Control("a radius of 11", radius=11),
)
def unrepeated(table):
    """Share of samples with two boxes or more."""
    n = int(table["samples"].sum())
    return proportion_estimate(round((table["several"] * table["samples"]).sum()), n)
