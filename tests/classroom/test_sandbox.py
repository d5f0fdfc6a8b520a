"""Whatever a student hands in, the other checks and the other students get their marks."""

import csv
import json

import pytest

from theorytk.classroom import Limits, assess, grade

ID = "arithmetic-basics/sums"
GOOD = "def add(a, b):\n    return a + b\n\n\ndef double(a):\n    return 2 * a\n"
LIMITS = Limits(seconds=2, memory=512)
# What replaces the first function's body, and what is said of it; the second one is right.
BAD = {
    "loop": ("while True: pass", "took longer than the 2 s that are allowed"),
    "exit": ("import os; os._exit(0)", "the code ended Python (exit code 0)"),
    "crash": ("import ctypes; ctypes.string_at(0)", "the code crashed Python (SIGSEGV)"),
    "memory": ("x = bytearray(2**31); return 0", "needs more memory than is allowed"),
    "flood": ("while True: print('x' * 10**6)", "took longer than the 2 s that are allowed"),
    "recursion": ("return add(a, b)", "line 2: RecursionError"),
    "error": ("return 1 / 0", "line 2: ZeroDivisionError: division by zero"),
    "nothing": ("a + b", "add(a, b) returned nothing"),
    "off by one": ("return a + b + 1", "add(a, b) is off by far more than allowed"),
    "quit": ("import sys; sys.exit('bye')", "the code ended Python (exit code 1): bye"),
    "signal": ("import os, signal; os.kill(os.getpid(), 9)", "crashed Python (SIGKILL)"),
    "fork": (
        "import subprocess; subprocess.run(['sleep', '600'])",
        "took longer than the 2 s that are allowed",
    ),
    "close": ("import os; os.closerange(3, 64); return a + b", "the code ended Python"),
}


def bad(name):
    return GOOD.replace("return a + b", BAD[name][0])


@pytest.mark.parametrize("name", BAD)
def test_one_bad_function_does_not_take_the_other_along(name, school, hand_in):
    found = assess(ID, hand_in(bad(name)), limits=LIMITS, project=school)
    assert [mark.earned for mark in found.marks] == [0, 3]
    assert BAD[name][1] in found.marks[0].message
    assert found.marks[0].hint == "Use the sign on the key between - and return."
    assert len(found.output) <= 20_000


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def add(a, b)\n    return a\n", "line 1: not Python"),
        ("x = 1\nx.y\n", "line 2: AttributeError"),
        ("while True: pass\n", "took longer than"),
        ("import sys; sys.exit(3)", "the code ended Python (exit code 3)"),
        ("x = 1", "nothing is called `"),
        ("", "nothing is called `"),
    ],
)
def test_code_that_does_not_run_earns_nothing(source, said, school, hand_in):
    found = assess(ID, hand_in(source), limits=LIMITS, project=school)
    assert [mark.earned for mark in found.marks] == [0, 0]
    assert all(said in mark.message for mark in found.marks)


def test_good_code_passes_with_what_it_printed(school, hand_in):
    found = assess(ID, hand_in("print('hello')\n" + GOOD), project=school)
    assert found.passed
    assert (found.earned, found.points, found.output) == (5, 5, "hello\n")
    assert "arithmetic-basics/sums: 5 of 5 points" in str(found)


def test_writing_a_large_file_is_stopped(school, hand_in):
    source = GOOD.replace("return a + b", "open('x', 'wb').write(bytes(2**26)); return a + b")
    found = assess(ID, hand_in(source), limits=LIMITS, project=school)
    assert [mark.earned for mark in found.marks] == [0, 3]
    assert "File too large" in found.marks[0].message


@pytest.mark.parametrize(
    ("seconds", "memory", "said"), [(0, 1, "limits.seconds"), (1, 0, "limits.memory")]
)
def test_bad_limits(seconds, memory, said, school, hand_in):
    with pytest.raises(ValueError, match=said):
        assess(ID, hand_in(GOOD), limits=Limits(seconds, memory), project=school)


def notebook(*sources):
    cells = [{"cell_type": "code", "metadata": {}, "source": [s]} for s in sources]
    about = {"theorytk": {"exercise": ID, "seed": 4}}
    return json.dumps({"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5})


def test_grade_survives_everything(school, tmp_path):
    folder = tmp_path / "handed in"
    header = f"# theorytk exercise: {ID}, seed 4\n"
    texts = {
        "ada/sums.py": header + GOOD,
        "ben/sums.py": header + bad("loop"),
        "cleo/week 1/sums.ipynb": notebook("%matplotlib inline\n" + GOOD),
        "dora/sums.ipynb": "{",
        "emil/sums.ipynb": notebook("x = 1", "def add(a, b)"),
        "finn/other.py": GOOD,
        "gus/sums.py": header + bad("crash"),
        "hal/sums.py": header + bad("flood"),
        "ida.py": header + GOOD,
        "jon/sums.py": header.replace("sums", "nothing") + GOOD,
        ".git/sums.py": header + GOOD,
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "kim").mkdir()
    (folder / "kim" / "sums.py").write_bytes(b"\xff\xfe\x00")
    path = grade(folder, limits=LIMITS, jobs=2, project=school)
    assert path == folder / "grades.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    points = {student: (row["points"], row["out_of"]) for student, row in rows.items()}
    assert points == {
        "ada": ("5", "5"),
        "ben": ("3", "5"),
        "cleo": ("5", "5"),
        "dora": ("0", "0"),
        "emil": ("0", "5"),
        "finn": ("0", "0"),
        "gus": ("3", "5"),
        "hal": ("3", "5"),
        "ida": ("5", "5"),
        "jon": ("0", "0"),
        "kim": ("0", "0"),
    }
    assert "cannot be read" in rows["dora"]["remarks"]
    assert "cell 2, line 1: not Python" in rows["emil"]["remarks"]
    assert "names no exercise" in rows["finn"]["remarks"]
    assert "no exercise 'arithmetic-basics/nothing'" in rows["jon"]["remarks"]
    assert rows["ada"]["remarks"] == ""


def test_grade_says_what_it_needs(school, tmp_path):
    with pytest.raises(ValueError, match="must be a folder of submissions"):
        grade(tmp_path / "none", project=school)
    with pytest.raises(ValueError, match=r"no \.py or \.ipynb file"):
        grade(tmp_path, project=school)


def test_same_seed_same_marks(school, hand_in):
    path = hand_in(GOOD.replace("a + b", "a - b"))
    said = [
        [mark.message for mark in assess(ID, path, seed=seed, project=school).marks]
        for seed in (1, 1, 2)
    ]
    assert said[0] == said[1] != said[2]
