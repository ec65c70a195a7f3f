"""Every built-in plugin keeps the rules of `dataportal.testing`.

`support.provider_kits` knows them all.
"""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING

import pytest
from support.provider_kits import MODULES, every_kit, kits

from dataportal.plugins import data_sources
from dataportal.plugins.base_plugin import BasePlugin, MultiSeriesPlugin

if TYPE_CHECKING:
    from dataportal.testing import Check


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(check, id=f"{name}: {check}")
        for name, kit in every_kit().items()
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
