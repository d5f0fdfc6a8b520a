"""A project with one exercise: add two numbers, and double one."""

import pytest

FILES = {
    "statement.md": "# Sums\n\nWrite `add(a, b)` and `double(a)`; $a + b$ is meant.\n",
    "scaffold.py": 'def add(a, b):\n    """Return a + b."""\n    return 0\n\n\n'
    'def double(a):\n    """Return 2 a."""\n    return 0\n',
    "model.py": "def add(a, b):\n    return a + b\n\n\ndef double(a):\n    return 2 * a\n",
    "teacher.md": "# Sums\n",
    "checks.py": '''
from theorytk.classroom import check, close, picture

PAPER = "nobody"
QUESTION = "Why is $a + b = b + a$?"

@check(points=2)
def sums(student, rng):
    """Sums of random numbers.

    Use the sign on the key between - and return.
    """
    a, b = rng.normal(size=2)
    close(student.add(a, b), a + b, "add(a, b)", rtol=1e-12, given=f"a = {a:.3g}, b = {b:.3g}")

@check(points=3)
def doubles(student, rng):
    """Doubles of random numbers.

    A double is a sum.
    """
    a = rng.normal()
    close(student.double(a), a + a, "double(a)", rtol=1e-12)

@picture
def line(student, rng, figure):
    figure.add_subplot().plot([0, 1], [student.add(0, 0), student.add(0, 1)])
''',
}


@pytest.fixture(scope="session")
def school(tmp_path_factory):
    """The project's folder."""
    root = tmp_path_factory.mktemp("school")
    folder = root / "exercises" / "arithmetic_basics" / "sums"
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return root


@pytest.fixture
def hand_in(tmp_path):
    """Write a submission and return its path."""

    def write(source, name="sums.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        return path

    return write
