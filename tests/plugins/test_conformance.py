"""Every built-in plugin keeps the rules of `dataportal.testing`.

A module in data_sources has one of the same name in tests/conformance, with `KITS`: its classes and
small providers for them.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import pytest

from dataportal.plugins import data_sources
from dataportal.plugins.base_plugin import BasePlugin, MultiSeriesPlugin

if TYPE_CHECKING:
    from dataportal.testing import Check, Conformance

HERE = Path(__file__).parents[1] / "conformance"
MODULES = sorted(module.name for module in iter_modules(data_sources.__path__))


def kits(module: str) -> dict[str, Conformance]:
    """Those of a module; none if nobody has written any."""
    if not (HERE / f"{module}.py").exists():
        return {}
    found: dict[str, Conformance] = importlib.import_module(f"conformance.{module}").KITS
    return found


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(check, id=f"{module}: {name}: {check}")
        for module in MODULES
        for name, kit in kits(module).items()
        for check in kit.checks()
    ],
)
def test_every_plugin_keeps_every_rule(check: Check) -> None:
    """The rule is in the message of a failure."""
    check()


@pytest.mark.parametrize("module", MODULES)
def test_every_plugin_is_tried(module: str) -> None:
    """Each public class of each module in data_sources is the plugin of a kit."""
    found = importlib.import_module(f"{data_sources.__name__}.{module}")
    classes = {
        cls
        for name, cls in vars(found).items()
        if inspect.isclass(cls)
        and issubclass(cls, BasePlugin | MultiSeriesPlugin)
        and cls.__module__ == found.__name__
        and not name.startswith("_")
    }
    assert classes
    assert classes == {kit.plugin for kit in kits(module).values()}
