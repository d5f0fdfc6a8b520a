"""Projects: found by path, loaded once, relative imports, nothing left of a failed load."""

from __future__ import annotations

from pathlib import Path

import pytest

from theorytk import project, registry

COIN = Path(__file__).parent / "projects" / "coin"
MODULE = """
from theorytk.registry import Paper, papers
papers.add(Paper({id!r}, "unit", "A title", ("Ann Author",), 2000))
"""


@pytest.fixture
def make(tmp_path):
    """Return a function that writes a project of the given files; tidy up behind it."""

    def write(name, **files):
        simulations = tmp_path / name / "simulations"
        for file, text in files.items():
            path = simulations / f"{file.replace('__init__', 'a/__init__')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / name

    yield write
    project.load(COIN)


def papers():
    return [paper.id for paper in registry.papers]


def test_a_project_is_loaded_once_and_stays_the_default(make):
    folder = make("one", first=MODULE.format(id="one"))
    loaded = project.load(folder)
    assert (loaded.root, loaded.name) == (folder, "one")
    assert project.load(folder) is loaded
    assert project.load() is loaded
    assert papers() == ["one"]


def test_another_project_replaces_the_first_and_can_come_back(make):
    one, two = (make(name, first=MODULE.format(id=name)) for name in ("one", "two"))
    for folder in (one, two, one):
        project.load(folder)
        assert papers() == [folder.name]


def test_the_name_is_the_declared_one():
    assert project.load(COIN).name == "coin"


def test_relative_imports_and_packages_load_once(make):
    folder = make(
        "one",
        __init__=MODULE.format(id="package"),
        shared="ID = 'shared'",
        user=MODULE.format(id="user") + "from .shared import ID\npapers.get('user')\n",
    )
    project.load(folder)
    assert sorted(papers()) == ["package", "user"]


def test_hidden_folders_are_left_alone(make):
    folder = make("one", first=MODULE.format(id="one"))
    checkpoint = folder / "simulations" / ".ipynb_checkpoints" / "first-checkpoint.py"
    checkpoint.parent.mkdir()
    checkpoint.write_text(MODULE.format(id="one"))
    project.load(folder)
    assert papers() == ["one"]


def test_nothing_is_left_of_a_project_that_does_not_load(make):
    good = make("good", first=MODULE.format(id="good"))
    bad = make("bad", a=MODULE.format(id="half"), b="raise ArithmeticError('bad')")
    project.load(good)
    with pytest.raises(ArithmeticError, match="bad"):
        project.load(bad)
    assert papers() == []
    project.load(good)
    assert papers() == ["good"]


def test_a_folder_without_simulations_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has no folder 'simulations'"):
        project.load(tmp_path)


def test_an_id_names_one_object_only():
    project.load(COIN)
    with pytest.raises(ValueError, match="paper id 'bernoulli1713' is registered twice"):
        registry.papers.add(registry.papers.get("bernoulli1713"))


def test_selection_by_id_topic_and_paper():
    project.load(COIN)
    everything = list(registry.claims)
    assert registry.claims.select([]) == everything
    assert registry.claims.select(["coin"]) == everything
    assert registry.claims.select(["bernoulli1713"]) == everything
    assert [c.id for c in registry.claims.select(["coin/total"])] == ["coin/total"]
    assert "coin/total" in registry.claims
    assert len(registry.claims) == 6


def test_an_unknown_id_suggests_the_nearest():
    project.load(COIN)
    with pytest.raises(registry.UnknownIdError, match=r"no claim has .*did you mean 'coin/total'"):
        registry.claims.get("coin/totl")
    with pytest.raises(registry.UnknownIdError, match=r"nothing is called.*did you mean 'coin'"):
        registry.check_known([registry.claims], ["coyn"])


def test_an_unknown_coverage_status_is_refused():
    with pytest.raises(ValueError, match="did you mean 'verified'"):
        registry.Covered("Theorem 1", "verifid")
