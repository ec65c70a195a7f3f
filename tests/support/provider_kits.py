"""The registry of built-in plugins for tests: conformance kits and rate limits, by module.

A module of `dataportal.plugins.data_sources` has one of the same name in tests/conformance, with
`KITS`, which are its classes and small providers for them, and `LIMIT`, if all its requests wait
for one rate limit. Every test that is for all built-in plugins finds them here.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, NamedTuple

from dataportal.plugins import data_sources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataportal.testing import Conformance

MODULES = sorted(module.name for module in iter_modules(data_sources.__path__))
"""The names of the modules that have built-in plugins."""
_FOLDER = Path(__file__).parents[1] / "conformance"


class Limit(NamedTuple):
    """The rate limit of a provider.

    Attributes:
        per_minute: requests a minute.
        everywhere: whether all machines count together.
        has_key: whether who has a key is counted by that.
    """

    per_minute: float
    everywhere: bool = False
    has_key: bool = False


def kits(module: str) -> Mapping[str, Conformance]:
    """The kits of a module, by name; none if nobody has written any."""
    if not (_FOLDER / f"{module}.py").exists():
        return {}
    by_name: dict[str, Conformance] = importlib.import_module(f"conformance.{module}").KITS
    return by_name


def every_kit() -> dict[str, Conformance]:
    """The kits of all modules, by the name of the module and their own."""
    return {f"{module}: {name}": kit for module in MODULES for name, kit in kits(module).items()}


def limits() -> dict[str, Limit]:
    """The rate limits of all modules that have one."""
    by_module = {
        module: getattr(importlib.import_module(f"conformance.{module}"), "LIMIT", None)
        for module in MODULES
        if kits(module)
    }
    return {module: limit for module, limit in by_module.items() if limit is not None}
