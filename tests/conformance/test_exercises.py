"""Every exercise: its solution passes, mistakes are caught, and students are given neither."""

import functools
import re

import pytest
from latex2mathml.converter import convert

from theorytk import registry
from theorytk.classroom import exercises, start
from theorytk.classroom.marking import Mark, mark
from theorytk.classroom.submissions import read
from theorytk.project import load

ROOT = load().root
PAPERS = {paper.id for paper in registry.papers}
DECLARED = {item.id for items in registry.everything().values() for item in items}
EXERCISES = {exercise.id: exercise for exercise in exercises(ROOT)}
SECONDS = (
    20  # that the checks of a model solution may take, on a machine that does other things too
)
PARTS = ("Time", "Needs", "The point", "Solution", "Where students go wrong")
every = pytest.mark.parametrize("id", EXERCISES)


@functools.cache
def marks(path, id, seed=0):
    exercise = EXERCISES[id]
    names = [check.name for check in exercise.checks]
    events = mark(exercise, read(path), seed, names)
    return [event for event in events if isinstance(event, Mark)]


def wrong():
    return [(id, path) for id, exercise in EXERCISES.items() for path in exercise.wrong]


def test_names_name_one_exercise():
    names = [exercise.name for exercise in EXERCISES.values()]
    assert len(names) == len(set(names)) > 0


@every
def test_is_complete(id):
    exercise = EXERCISES[id]
    assert exercise.paper in PAPERS
    assert exercise.statement.startswith("# ")
    assert exercise.teacher.startswith("# ")
    assert [part for part in PARTS if f"**{part}.**" not in exercise.teacher] == []
    assert not exercise.question or "**In words.**" in exercise.teacher
    assert len(exercise.wrong) >= 2
    assert [check.name for check in exercise.checks if not check.hint] == []


@every
def test_teacher_names_only_what_exists(id):
    known = DECLARED | set(EXERCISES)
    topics = {id.split("/")[0] for id in known}
    named = re.findall(r"`([\w-]+)/([\w-]+)`", EXERCISES[id].teacher)
    assert {f"{topic}/{name}" for topic, name in named if topic in topics} - known == set()


@every
@pytest.mark.parametrize("text", ["statement", "teacher"])
def test_mathematics_can_be_set(id, text):
    prose = re.sub(r"```.*?```|`[^`]*`", "", getattr(EXERCISES[id], text), flags=re.DOTALL)
    formulas = re.findall(r"\$\$(.+?)\$\$|\$([^$]+?)\$", prose, re.DOTALL)
    left = [f for pair in formulas for f in pair if f and "\\" in convert(f)]
    assert left == []


@every
@pytest.mark.parametrize("seed", [0, 7])
def test_model_passes(id, seed):
    found = marks(EXERCISES[id].model, id, seed)
    assert [str(one) for one in found if not one.passed] == []
    # The first seed may compile kernels.
    assert seed == 0 or sum(one.seconds for one in found) < SECONDS


@pytest.mark.parametrize(
    ("id", "path"), [pytest.param(*w, id=f"{w[0]}-{w[1].stem}") for w in wrong()]
)
def test_mistake_is_caught(id, path):
    caught = [one for one in marks(path, id) if not one.passed]
    assert caught
    assert [one for one in caught if not one.message] == []
    assert path.read_text().startswith('"""')


@every
def test_scaffold_runs_and_earns_nothing(id, tmp_path):
    path = tmp_path / "scaffold.py"
    path.write_text(EXERCISES[id].scaffold)
    found = marks(path, id)
    assert [str(one) for one in found if one.earned or "could not be used" in one.message] == []


@every
def test_students_get_no_solution(id, tmp_path):
    exercise = EXERCISES[id]
    notebook, script, _ = start(id, tmp_path, student="Ada", project=ROOT)
    given = (notebook.read_text(), script.read_text())
    shown = exercise.statement + exercise.scaffold
    lines = {line.strip() for line in exercise.model.read_text().splitlines()}
    telling = {line for line in lines if len(line) > 25 and line not in shown}
    assert telling
    assert {line for line in telling if any(line in text for text in given)} == set()
    for path in (notebook, script):
        assert read(path).exercise == id
