"""Every built-in plugin keeps the rules of `dataportal.testing`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.conformance_kits import PLUGIN_MODULES, all_kits, kits_of, plugin_classes

from dataportal.plugins.parameters.fields import fields_of
from dataportal.testing import Provider

if TYPE_CHECKING:
    from support.conformance_kits import Kit

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


@pytest.mark.parametrize("kit", all_kits(), ids=str)
def test_what_a_plugin_takes_is_declared(kit: Kit) -> None:
    """It reads every struct that it names, and nothing else, so that manual and schema are right.

    By what it says of a parameter that it does not know.
    """
    with pytest.raises(ValueError, match="SNOWMAN") as caught:
        kit.plugin(Provider("http://127.0.0.1:1", "a-key"), SNOWMAN=1)
    known = re.findall(r"'SNOWMAN' is not a parameter .*?known: ([\w, ]+)", str(caught.value))
    names = set(known[0].split(", "))
    cls = kit.conformance.plugin
    own = {field.name for field in fields_of(cls.parameters)}
    of_series = fields_of(getattr(cls, "series_parameters", ()))
    assert own <= names <= own | {field.name for field in of_series}
