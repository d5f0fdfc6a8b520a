"""What a reader needs to get the same numbers again."""

from __future__ import annotations

import platform
import time
from importlib.metadata import version
from pathlib import Path

__all__ = ["provenance"]

LIBRARIES = ("theorytk", "numpy", "scipy", "numba", "statsmodels", "pandas", "pyarrow")


def provenance(**more: str) -> dict[str, str]:
    """Return `more`, then versions, Python, platform, processor and date."""
    return {
        **more,
        "versions": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "cpu": _cpu(),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
