"""The verbs of ``theorytk exercise``: what they print, and their exit codes."""

import json

import pytest

from theorytk.classroom import find
from theorytk.cli import main

ID = "arithmetic-basics/sums"


@pytest.fixture
def command(school, capsys):
    """Return a function that runs a verb and returns exit code, output and messages."""

    def run(*arguments):
        code = main(["exercise", *map(str, arguments), "--project", str(school)])
        return (code, *capsys.readouterr())

    return run


def test_list(command):
    assert command("list") == (0, f"{ID:<52}   5 points  Sums\n", "")
    code, out, _ = command("list", "--json")
    expected = {"id": ID, "title": "Sums", "paper": "nobody", "points": 5}
    assert (code, json.loads(out)) == (0, {"exercises": [expected]})


def test_start_check_and_grade(command, school, tmp_path):
    code, out, _ = command("start", ID, "--output", tmp_path / "ada", "--student", "Ada")
    assert code == 0
    assert sorted(out.split()) == sorted(
        str(tmp_path / "ada" / f"sums.{suffix}") for suffix in ("ipynb", "py", "png")
    )
    code, out, _ = command("check", ID, tmp_path / "ada" / "sums.py")
    assert code == 1
    assert "0 of 5 points" in out
    assert "A double is a sum." in out
    code, out, _ = command("check", ID, find(ID, school).model, "--seed", 3)
    assert (code, out.splitlines()[-1]) == (0, f"{ID}: 5 of 5 points")
    code, out, _ = command("grade", tmp_path, "--output", tmp_path / "all.csv", "--jobs", 2)
    assert (code, out) == (0, f"{tmp_path / 'all.csv'}\n")
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 3  # notebook and file


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("start", "arithmetic-basics/sum"), "did you mean 'arithmetic-basics/sums'?"),
        (("start", ID, "--seed", "-1"), "seed must be an integer >= 0; got -1"),
        (("check", ID, "nowhere.py"), "there is no file nowhere.py"),
        (("grade", "nowhere"), "must be a folder of submissions; got nowhere"),
        (("start", ID, "--seed", "one"), "Invalid value for '--seed'"),
    ],
)
def test_wrong_usage(command, arguments, said):
    code, out, messages = command(*arguments)
    assert (code, out) == (2, "")
    assert said in messages
    assert "Traceback" not in messages
