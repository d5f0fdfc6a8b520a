"""A course that uses nbgrader takes the notebooks as they are: released, collected, graded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from theorytk.classroom import find, start

ROOT = Path(__file__).parents[2]
ID = "matrix-sensing/one-line"


def nbgrader(verb, course):
    called = [sys.executable, "-m", "nbgrader", verb, "ps1", "--course", "theorems"]
    where = [f"--CourseDirectory.root={course}"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # for alembic
    environment = os.environ | {"PATH": path}
    done = subprocess.run(called + where, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def answered(released, folder, source):
    """Hand in a released notebook with `source` in the place of the scaffold."""
    content = json.loads(released.read_text())
    for cell in content["cells"]:
        if cell["metadata"]["nbgrader"]["grade_id"] == "solution":
            cell["source"] = source
    folder.mkdir(parents=True)
    (folder / released.name).write_text(json.dumps(content))


@pytest.mark.slow
def test_a_course(tmp_path):
    from nbgrader.api import Gradebook

    exercise = find(ID, ROOT)
    [power] = [path for path in exercise.wrong if path.stem == "wrong_power"]
    start(ID, tmp_path / "source" / "ps1", project=ROOT)
    nbgrader("generate_assignment", tmp_path)
    released = tmp_path / "release" / "ps1" / "one_line.ipynb"
    for student, path in {"ada": exercise.model, "ben": power}.items():
        answered(released, tmp_path / "submitted" / student / "ps1", path.read_text())
    nbgrader("autograde", tmp_path)
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        scores = {
            student: {
                grade.name: grade.auto_score
                for grade in book.find_submission_notebook("one_line", "ps1", student).grades
            }
            for student in ("ada", "ben")
        }
    assert scores["ada"] == {"equal": 2, "independent": 3, "decay": 1, "in_words": 0}
    assert scores["ben"] == {"equal": 0, "independent": 0, "decay": 0, "in_words": 0}
