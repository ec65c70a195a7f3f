"""tests/README.md and tests/faults/README.md against the tests: what they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
MANUAL = (TESTS / "README.md").read_text(encoding="utf-8")
FAULTS = (TESTS / "faults" / "README.md").read_text(encoding="utf-8")


def test_every_module_of_support_is_listed() -> None:
    """And nothing else is listed as one."""
    table = MANUAL.partition("Imported as `support.<module>`")[2].partition("\n\n|")[2]
    listed = re.findall(r"^\| `(\w+)` \|", table.partition("\n\n")[0], re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in (TESTS / "support").glob("*.py"))


def test_every_folder_is_listed() -> None:
    """In the table of folders."""
    folders = {path.parent.name for path in TESTS.glob("*/*.py")}
    assert {name for name in folders if f"\n| `{name}/` |" in MANUAL} == folders


@pytest.mark.parametrize("manual", [MANUAL, FAULTS], ids=["tests", "faults"])
def test_every_file_that_is_named_is_there(manual: str) -> None:
    """With the tests that are named behind it, whose `test_` is left out."""
    names = re.findall(r"`((?:\w+/)*\w+\.py)`(?:: (\w+(?:, \w+)*))?", manual)
    assert names
    for name, tests in names:
        near = TESTS / ("faults" if manual is FAULTS and "/" not in name else "") / name
        assert near.is_file(), name
        text = near.read_text(encoding="utf-8")
        for test in filter(None, tests.split(", ")):
            assert f"def test_{test}(" in text, (name, test)
