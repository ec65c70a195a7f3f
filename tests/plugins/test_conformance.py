"""Every built-in plugin keeps the rules of `dataportal.testing`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.conformance_kits import PLUGIN_MODULES, all_kits, kits_of, plugin_classes

if TYPE_CHECKING:
    from dataportal.testing import Check


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(check, id=f"{kit}: {check}")
        for kit in all_kits()
        for check in kit.conformance.checks()
    ],
)
def test_every_plugin_keeps_every_rule(check: Check) -> None:
    """The rule is in the message of a failure."""
    check()


@pytest.mark.parametrize("module", PLUGIN_MODULES)
def test_every_plugin_is_tried(module: str) -> None:
    """Each public class of each module in data_sources is the plugin of a kit."""
    classes = plugin_classes(module)
    assert classes
    assert {*classes} == {kit.conformance.plugin for kit in kits_of(module)}
