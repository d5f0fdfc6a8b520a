"""Published theorems as things you can run.

The Python interface is ``run``, ``table``, ``figure``, ``verify``, ``check``, ``report`` and
``reproduce``, each the same as the command of that name; topics are subpackages such as
``theorytk.matrix_sensing``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from theorytk._cache import use_cache_folder

if TYPE_CHECKING:
    from theorytk.api import (
        check,
        cite,
        export,
        figure,
        ids,
        replay,
        report,
        reproduce,
        run,
        show,
        table,
        verify,
    )

__version__ = "0.1.0"

__all__ = [
    "check",
    "cite",
    "export",
    "figure",
    "ids",
    "replay",
    "report",
    "reproduce",
    "run",
    "show",
    "table",
    "verify",
]

use_cache_folder()


def __getattr__(name: str) -> Any:
    """Import the interface on first use, so that ``import theorytk`` stays fast."""
    if name in __all__:
        return getattr(importlib.import_module("theorytk.api"), name)
    raise AttributeError(f"module 'theorytk' has no attribute {name!r}")
