"""The folder of compiled kernels, named by a hash of all sources of theorytk.

numba's own cache notices a change in the file that defines a kernel, but not in another file
that the kernel calls; then it returns old results. With a folder per state of the sources it
cannot.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

__all__ = ["cache_folder", "source_hash", "use_cache_folder"]

PACKAGE = Path(__file__).resolve().parent
KEEP_SECONDS = 14 * 24 * 3600


def source_hash(package: Path = PACKAGE) -> str:
    """Return sixteen hexadecimal digits that change with any Python file of the package."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Return the user's cache folder for the present sources."""
    default = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    base = os.environ.get("LOCALAPPDATA") if os.name == "nt" else os.environ.get("XDG_CACHE_HOME")
    return Path(base or default) / "theorytk" / "numba" / source_hash()


def use_cache_folder() -> None:
    """Tell numba where to keep compiled kernels; drop folders that nothing has used for long."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        for other in folder.parent.iterdir():
            if time.time() - other.stat().st_mtime > KEEP_SECONDS:
                shutil.rmtree(other, ignore_errors=True)
    except OSError:  # numba would fall back to the sources' own folder, and to old results
        folder = Path(tempfile.gettempdir(), f"theorytk-{source_hash()}-{os.getpid()}")
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(folder)
