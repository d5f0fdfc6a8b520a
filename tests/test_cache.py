"""A compiled kernel is never older than the sources: the folder of numba's cache follows them."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import theorytk
from theorytk import _cache

INNER = """
from numba import njit

@njit(cache=True)
def inner(x):
    return x + {added}
"""
OUTER = """
from numba import njit
from tiny.inner import inner

@njit(cache=True)
def outer(x):
    return 10 * inner(x)
"""
PRINT_RESULT = """
from tiny.outer import outer
print(outer(1), sum(outer.stats.cache_hits.values()))
"""


@pytest.fixture
def tiny(tmp_path):
    """A package of two kernels in two files, and theorytk's own `_cache`."""
    package = tmp_path / "tiny"
    package.mkdir()
    shutil.copy(_cache.__file__, package)
    (package / "__init__.py").write_text("from tiny._cache import *\nuse_cache_folder()\n")
    (package / "inner.py").write_text(INNER.format(added=1))
    (package / "outer.py").write_text(OUTER)
    return package


def run_python(code, folder, **variables):
    environment = {
        **os.environ,
        "HOME": str(folder),
        "LOCALAPPDATA": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONPATH": str(folder),
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.split()


def test_edit_of_an_inner_kernel_shows_in_a_new_process(tiny):
    assert run_python(PRINT_RESULT, tiny.parent) == ["20", "0"]
    assert run_python(PRINT_RESULT, tiny.parent) == ["20", "1"]
    (tiny / "inner.py").write_text(INNER.format(added=2))
    assert run_python(PRINT_RESULT, tiny.parent) == ["30", "0"]


def test_without_the_folder_numba_returns_the_old_result(tiny):
    """The reason for `_cache`: when this fails, numba has been mended and `_cache` can go."""
    (tiny / "__init__.py").write_text("")
    variables = {"NUMBA_CACHE_DIR": str(tiny.parent / "fixed")}
    assert run_python(PRINT_RESULT, tiny.parent, **variables) == ["20", "0"]
    (tiny / "inner.py").write_text(INNER.format(added=2))
    assert run_python(PRINT_RESULT, tiny.parent, **variables) == ["20", "1"]


@pytest.mark.parametrize("imports", ["theorytk, numba", "numba, theorytk"])
def test_numba_uses_the_folder_whichever_is_imported_first(imports, tmp_path):
    code = f"import {imports}; print(numba.config.CACHE_DIR)"
    source = str(Path(theorytk.__file__).parents[1])
    [folder] = run_python(code, tmp_path, PYTHONPATH=source)
    assert Path(folder).is_dir()
    assert Path(folder).is_relative_to(tmp_path)
    assert Path(folder).name == _cache.source_hash()


def test_hash_follows_content_and_name_of_every_source(tiny):
    hashes = {_cache.source_hash(tiny)}
    (tiny / "inner.py").write_text(INNER.format(added=3))
    hashes.add(_cache.source_hash(tiny))
    (tiny / "inner.py").rename(tiny / "renamed.py")
    hashes.add(_cache.source_hash(tiny))
    assert len(hashes) == 3
    (tiny / "notes.txt").write_text("no source")
    assert _cache.source_hash(tiny) in hashes


def test_only_folders_that_nothing_has_used_for_long_are_dropped(tiny):
    run_python("import tiny", tiny.parent)
    [current] = tiny.parent.rglob(f"numba/{_cache.source_hash(tiny)}")
    old, recent = current.with_name("old"), current.with_name("recent")
    old.mkdir()
    recent.mkdir()
    long_ago = time.time() - _cache.KEEP_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    os.utime(current, (long_ago, long_ago))
    run_python("import tiny", tiny.parent)
    assert set(current.parent.iterdir()) == {current, recent}
