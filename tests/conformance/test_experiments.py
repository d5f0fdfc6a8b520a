"""What every registered experiment must be."""

import numpy as np
import pytest

import theorytk as tk
from theorytk import registry
from theorytk.project import load

load()
EXPERIMENTS = list(registry.experiments)
pytestmark = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.id)
SECONDS_PER_TOPIC = 120.0


def measured(table, experiment):
    return table[["replicate", *experiment.factors(), *experiment.columns]]


def test_paper_is_cited(experiment):
    paper = registry.papers.get(experiment.paper)
    assert experiment.id.split("/")[0] == paper.topic
    assert paper.bibtex().startswith("@")


def test_documented_with_units(experiment):
    assert experiment.function.__doc__
    for name, column in experiment.columns.items():
        assert len(column.description) >= len(name) / 2
        assert column.unit


def test_algorithm_has_a_documented_signature(experiment):
    if experiment.algorithm is not None:
        assert f"``{experiment.algorithm}(" in experiment.function.__doc__


def test_every_preset_has_conditions_and_replicates(experiment):
    for preset in experiment.presets:
        assert len(experiment.conditions(preset)) >= 1
        assert experiment.replicates(preset) >= 1


def test_stored_rows_are_complete_and_hold_no_nan(experiment, results):
    table = tk.table(experiment.id, results=results)
    conditions = experiment.conditions("quick")
    counts = table.groupby("_task", sort=False)["replicate"].nunique()
    assert counts.sum() == len(conditions) * experiment.replicates("quick")
    for name, column in experiment.columns.items():
        if column.dtype == "float":
            values = table[name].dropna().to_numpy(dtype=float)
            assert not np.isnan(values).any()
            assert column.infinite or np.isfinite(values).all()


def test_one_task_replays_to_the_stored_rows(experiment, results):
    table = tk.table(experiment.id, results=results)
    seconds = table.drop_duplicates("_task").set_index("_task")["_seconds"]
    task = seconds.idxmin()
    again = tk.replay(task, results=results)
    stored = table[table["_task"] == task]
    expected = measured(stored, experiment).reset_index(drop=True)
    found = measured(again, experiment).reset_index(drop=True)
    assert expected.astype(object).equals(found.astype(object))


def test_bad_parameters_are_refused(experiment, tmp_path):
    with pytest.raises(ValueError, match="has no factor 'nonsense'"):
        tk.run(experiment.id, nonsense=1, results=tmp_path)
    with pytest.raises(ValueError, match="preset must be one of"):
        tk.run(experiment.id, preset="slow", results=tmp_path)
    with pytest.raises(ValueError, match="seed must be an integer >= 0"):
        tk.run(experiment.id, seed=-1, results=tmp_path)
