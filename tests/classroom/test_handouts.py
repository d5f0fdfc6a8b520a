"""What a student gets: complete, without the solution, and ready for nbgrader."""

import base64
import json

import pytest

from theorytk.classroom import assess, draw, examine, find, seed_of, start
from theorytk.classroom.submissions import read

ID = "arithmetic-basics/sums"
PNG = b"\x89PNG"


@pytest.fixture
def started(school, tmp_path):
    return {path.suffix: path for path in start(ID, tmp_path / "a", student="Ada", project=school)}


@pytest.fixture
def at_school(school, monkeypatch):
    """Work in the project's folder, as someone with a notebook does."""
    for folder in ("simulations", "paper_figures"):
        (school / folder).mkdir(exist_ok=True)
    monkeypatch.setattr("theorytk.project._loaded", [])
    monkeypatch.chdir(school)


def test_three_files(started):
    assert sorted(path.name for path in started.values()) == ["sums.ipynb", "sums.png", "sums.py"]
    assert started[".png"].read_bytes().startswith(PNG)


def test_file_holds_statement_scaffold_and_seed(started):
    text = started[".py"].read_text()
    assert text.startswith(f"# theorytk exercise: {ID}, seed {seed_of('ada ')}\n")
    assert "$a + b$ is meant" in text
    assert "Why is $a + b = b + a$?" in text
    assert '"""Return 2 a."""' in text
    compile(text, "sums.py", "exec")


def test_notebook_is_valid_and_carries_the_marks_of_nbgrader(started):
    import nbformat

    content = nbformat.read(started[".ipynb"], as_version=4)
    nbformat.validate(content)
    marks = {cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader for cell in content.cells}
    graded = {name: mark.points for name, mark in marks.items() if mark.grade}
    assert graded == {"sums": 2, "doubles": 3, "in_words": 1}
    assert [name for name, mark in marks.items() if mark.solution] == ["solution", "in_words"]
    assert all(mark.locked for name, mark in marks.items() if not mark.solution)
    [figure] = [cell.attachments for cell in content.cells if "attachments" in cell]
    assert base64.b64decode(figure["sums.png"]["image/png"]).startswith(PNG)


def test_both_are_read_back(started):
    for suffix in (".py", ".ipynb"):
        submission = read(started[suffix])
        assert (submission.exercise, submission.seed) == (ID, seed_of("Ada"))
        assert submission.names().add(1, 2) == 0


def test_a_filled_notebook_passes(started, school):
    content = json.loads(started[".ipynb"].read_text())
    [cell] = [c for c in content["cells"] if c["metadata"]["nbgrader"]["grade_id"] == "solution"]
    cell["source"] = find(ID, school).model.read_text()
    started[".ipynb"].write_text(json.dumps(content))
    assert assess(ID, started[".ipynb"], project=school).passed


def test_nothing_is_overwritten(started, school):
    before = started[".py"].read_bytes()
    with pytest.raises(ValueError, match="exists already"):
        start(ID, started[".py"].parent, project=school)
    assert started[".py"].read_bytes() == before


def test_the_wrong_exercise(started, school):
    started[".py"].write_text(started[".py"].read_text().replace("/sums,", "/others,"))
    with pytest.raises(ValueError, match="is for the exercise 'arithmetic-basics/others'"):
        assess(ID, started[".py"], project=school)


@pytest.mark.parametrize("name", ["sums.txt", "missing.py"])
def test_no_such_file(name, school, tmp_path):
    with pytest.raises(ValueError, match=name):
        assess(ID, tmp_path / name, project=school)


def test_examine_in_a_notebook(at_school, capsys):
    examine(ID, "sums", {"add": lambda a, b: a + b})
    assert capsys.readouterr().out == "ok: Sums of random numbers.\n"
    with pytest.raises(AssertionError, match=r"off by .* Use the sign on the key"):
        examine(ID, "sums", {"add": lambda a, b: a - b})
    with pytest.raises(AssertionError, match="nothing is called `add`"):
        examine(ID, "sums", {})
    with pytest.raises(ValueError, match="no check 'products'; it has sums, doubles"):
        examine(ID, "products", {})


def test_draw_in_a_notebook(at_school):
    [axes] = draw(ID, {"add": lambda a, b: 3 * b}).axes
    assert axes.lines[0].get_ydata().tolist() == [0, 3]
