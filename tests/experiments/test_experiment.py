"""Declarations: conditions of a preset, and what is refused at once."""

from __future__ import annotations

import pytest

from theorytk.experiments import Column, grid


def test_presets_override_the_design_and_overrides_the_preset(declare):
    presets = {"quick": {"replicates": 2, "a": [5, 6]}, "paper": {"replicates": 9}}
    experiment = declare(design=grid(a=[1, 2, 3]), presets=presets)
    assert [c["a"] for c in experiment.conditions("quick")] == [5, 6]
    assert [c["a"] for c in experiment.conditions("paper")] == [1, 2, 3]
    assert list(experiment.conditions("quick", a=7)) == [{"a": 7, "b": 1}]
    assert (experiment.replicates("quick"), experiment.replicates("paper")) == (2, 9)


def test_unknown_factor_and_preset_suggest_the_nearest(declare):
    def function(*, alpha=1, rng):
        return {"x": 1.0}

    experiment = declare(function)
    with pytest.raises(ValueError, match="no factor 'alhpa'; it has alpha; did you mean 'alpha'"):
        experiment.conditions("quick", alhpa=1)
    with pytest.raises(ValueError, match=r"preset must be one of 'quick'; got 'quik'.*'quick'"):
        experiment.conditions("quik")


def needy(*, a, rng):
    return {"x": a}


def placed(*, device="cpu", rng):
    return {"x": 1.0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"block": 0}, "block must be"),
        ({"presets": {"fast": {"replicates": 1}}}, "preset must be one of"),
        ({"presets": {"quick": {"replicates": 0}}}, "replicates of unit/draw at preset 'quick'"),
        ({"presets": {"quick": {"replicates": 1, "z": 2}}}, "no factor 'z'"),
        ({"paired": ("z",)}, "paired factor or algorithm of unit/draw must be one of"),
        ({"algorithm": "z"}, "paired factor or algorithm of unit/draw must be one of"),
        ({"function": placed}, "the factor 'device' must be paired"),
        ({"function": needy}, "needs a value for the factor 'a'"),
        ({"columns": {"a": Column("also a factor")}}, "'a' is reserved or taken twice"),
        ({"columns": {"replicate": Column("ours")}}, "'replicate' is reserved"),
        ({"columns": {"_x": Column("ours")}}, "'_x' is reserved"),
    ],
)
def test_a_bad_declaration_is_refused(declare, changes, message):
    with pytest.raises(ValueError, match=message):
        declare(**changes)


def test_a_preset_without_replicates_is_refused(declare):
    with pytest.raises(TypeError, match="replicates of unit/draw"):
        declare(presets={"quick": {}})


def test_an_unknown_dtype_is_refused():
    with pytest.raises(ValueError, match=r"dtype must be one of .*did you mean 'float'"):
        Column("x", dtype="flot")
