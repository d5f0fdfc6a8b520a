"""What a reader needs to get the same numbers again: versions, the machine, the command."""

from __future__ import annotations

import functools
import os
import platform
import shlex
import sys
from importlib.metadata import version
from pathlib import Path

__all__ = ["environment"]

LIBRARIES = ("theorytk", "numpy", "scipy", "numba", "statsmodels", "pandas", "pyarrow")


@functools.cache
def environment() -> dict[str, str]:
    """Return versions, Python, platform, processor, cores and the command, as texts."""
    return {
        "versions": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "cpu": _cpu(),
        "cores": str(os.cpu_count()),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
