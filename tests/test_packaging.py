"""The package as others get it: pins, versions, documents, the Makefile's stamps, the wheel."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution, version
from pathlib import Path

import pytest
import typer
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import theorytk
from theorytk import classroom, cli

ROOT = Path(__file__).parents[1]
COMMAND = ROOT / "docs" / "command.md"
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
EXTRAS = ("", "sklearn", "dask", "bench", "docs", "dev")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
LONGEST_FILE = 400


def pins():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): pinned for name, pinned in pairs}


def wanted(package, extras):
    """Return the requirements of an installed package for any supported Python."""
    declared = [Requirement(text) for text in distribution(package).requires or ()]
    environments = [
        {"extra": extra, "python_version": python, "python_full_version": f"{python}.0"}
        for extra in {"", *extras}
        for python in PYTHONS
    ]
    return [r for r in declared if not r.marker or any(map(r.marker.evaluate, environments))]


def closure():
    """Return all requirements of theorytk with its extras, and theirs, and so on."""
    found, seen, waiting = [], set(), [("theorytk", EXTRAS)]
    while waiting:
        package, extras = waiting.pop()
        if (package, extras) not in seen:
            seen.add((package, extras))
            requirements = wanted(package, extras)
            found += requirements
            waiting += [(canonicalize_name(r.name), tuple(sorted(r.extras))) for r in requirements]
    return [r for r in found if r.name != "theorytk"]


def test_constraints_are_names_and_versions_only():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    entries = [line for line in lines if not line.startswith("#")]
    assert [line for line in entries if not re.fullmatch(r"[\w.-]+==\d[\w.]*", line)] == []


def test_constraints_pin_all_that_is_installed_and_nothing_else():
    names = {canonicalize_name(requirement.name) for requirement in closure()}
    assert set(pins()) == names


def test_every_requirement_accepts_its_pin():
    pinned = pins()
    refused = [r for r in closure() if not r.specifier.contains(pinned[canonicalize_name(r.name)])]
    assert refused == []


def test_environment_is_the_pinned_one():
    assert {name: version(name) for name in pins()} == pins()


def test_one_version():
    cited = re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert version("theorytk") == theorytk.__version__ == cited.group(1)


def test_page_shows_every_command_and_no_other():
    commands = typer.main.get_command(cli.app).commands
    shown = re.findall(r"^theorytk ([a-z]+)", COMMAND.read_text(), re.MULTILINE)
    assert set(shown) == set(commands)


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What the two verbs with ``--json`` print where nothing has run."""
    folder = tmp_path_factory.mktemp("nothing-has-run")
    verbs = {"list": ["list"], "verify": ["verify", "--stored", "--controls"]}
    return {
        name: json.loads(command(*verb, "--json", "--project", str(ROOT), cwd=folder).stdout)
        for name, verb in verbs.items()
    }


def command(*arguments, cwd):
    called = [sys.executable, "-m", "theorytk.cli", *arguments]
    return subprocess.run(called, cwd=cwd, capture_output=True, text=True)


def test_page_documents_the_keys_of_list(printed):
    rows = re.findall(r"^\| `(\w+)` \| (`id`.*) \|$", COMMAND.read_text(), re.MULTILINE)
    documented = {name: re.findall(r"`(\w+)`", keys) for name, keys in rows}
    assert documented == {name: list(items[0]) for name, items in printed["list"].items()}


def test_page_documents_the_keys_of_verify(printed):
    section = COMMAND.read_text().split("| key of a claim |")[1].split("\n\n")[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    documented = {key for cell in cells for key in re.findall(r"`(\w+)`", cell)}
    [keys] = {frozenset(claim) for claim in printed["verify"]["claims"]}
    assert documented == keys
    assert set(printed["verify"]) == {"claims", "preset", "seconds"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_name_only_ids_that_exist(document, printed):
    known = {item["id"] for items in printed["list"].values() for item in items}
    topics = {item["topic"] for item in printed["list"]["papers"]}
    named = re.findall(r"(?<![\w/-])([a-z-]+)/([\w-]+)\b(?!/)", (ROOT / document).read_text())
    assert {f"{topic}/{name}" for topic, name in named if topic in topics} <= known


@pytest.mark.parametrize("document", ["README.md", "docs/classroom.md"])
def test_examples_are_true(document):
    called = [sys.executable, "-m", "doctest", "-o", "ELLIPSIS", document]
    done = subprocess.run(called, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_point_to_files_that_exist(document):
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / document).read_text())
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def sources():
    folders = ("theorytk", "simulations", "paper_figures", "exercises", "tests", "benchmarks")
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def test_files_are_short():
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in sources()}
    assert {path: n for path, n in lengths.items() if n > LONGEST_FILE} == {}


def test_nothing_is_left_undone_or_skipped():
    marks = re.compile(r"\b(TODO|FIXME)\b|(pytest|mark)\.(skip|skipif|xfail|importorskip)\b")
    others = [path for path in sources() if path != Path(__file__)]
    assert [str(path) for path in others if marks.search(path.read_text())] == []


@pytest.fixture
def made(tmp_path):
    """A folder in which the Makefile finds everything installed."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("bin/python", ".core", ".dev"):
        (tmp_path / ".venv" / name).touch()
    return tmp_path


def dry_make(folder, *arguments):
    command = ["make", "--dry-run", *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.mark.parametrize(("target", "installs"), [("reproduce", 1), ("test", 2), ("lint", 2)])
def test_make_installs_only_when_the_declaration_changed(made, target, installs):
    assert "pip" not in dry_make(made, target)
    later = (made / ".venv" / ".dev").stat().st_mtime + 10
    os.utime(made / "constraints.txt", (later, later))
    assert dry_make(made, target).count("-m pip") == installs


def test_make_help_lists_every_target(made):
    declared = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    done = subprocess.run(["make"], cwd=made, check=True, capture_output=True, text=True)
    listed = [line.split()[1] for line in done.stdout.splitlines()]
    assert sorted(listed) == sorted(declared.group(1).split())


def test_make_refuses_an_old_python(made):
    (made / ".venv" / "bin" / "python").unlink()
    old = made / "old-python"
    old.write_text(
        f'#!/bin/sh\nshift\nexec {sys.executable} -c "import sys; sys.version_info = (3, 9)\n$1"\n'
    )
    old.chmod(0o755)
    command = ["make", "reproduce", f"PYTHON={old}"]
    done = subprocess.run(command, cwd=made, capture_output=True, text=True)
    assert done.returncode != 0
    assert "theorytk needs Python >= 3.11, < 3.15; this is 3.9" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_wheel_reproduces_outside_the_checkout(tmp_path, printed):
    build = [sys.executable, "-m", "build", "--outdir", str(tmp_path / "dist"), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    programs = tmp_path / "venv" / "bin"
    install = [str(programs / "python"), "-m", "pip", "--quiet", "install"]
    install += ["--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([*install, f"theorytk[sklearn] @ {wheel.as_uri()}"], check=True)
    empty = tmp_path / "empty"
    empty.mkdir()

    def theorytk(*arguments):
        command = [str(programs / "theorytk"), *arguments]
        done = subprocess.run(command, cwd=empty, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert ids_of(json.loads(theorytk("list", "--json"))) == ids_of(printed["list"])
    topics = ("matrix-sensing", "self-consuming-curation")
    assert (empty / theorytk("reproduce", *topics, "--quiet").splitlines()[-1]).is_file()
    ledger = json.loads((empty / "results" / "report" / "ledger.json").read_text())
    claims = [c["id"] for c in printed["list"]["claims"] if c["id"].split("/")[0] in topics]
    assert [c["id"] for c in ledger["claims"]] == claims
    listed = json.loads(theorytk("exercise", "list", "--json"))["exercises"]
    assert [exercise["id"] for exercise in listed] == [one.id for one in classroom.exercises(ROOT)]
    theorytk("exercise", "start", listed[0]["id"], "--output", "homework")
    theorytk("init", "mine")
    theorytk("reproduce", "--project", "mine", "--results", "mine/results", "--quiet")


def ids_of(listed):
    return {kind: [item["id"] for item in items] for kind, items in listed.items()}
