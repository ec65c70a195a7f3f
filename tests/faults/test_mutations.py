"""The planted faults of mutations.py still fit the package, and README.md lists them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.mutations import MUTATIONS, ROOT

if TYPE_CHECKING:
    from support.mutations import Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_planted_fault_fits(mutation: Mutation) -> None:
    """The text that it replaces stands once in its file, and its test is there."""
    assert (ROOT / mutation.file).read_text(encoding="utf-8").count(mutation.old) == 1
    file, *_, test = mutation.test.split("::")
    assert f"def {test.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8")


def test_every_planted_fault_is_listed() -> None:
    """With the test that goes red."""
    manual = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    for mutation in MUTATIONS:
        assert f"| {mutation.rows} | {mutation.name} | `{mutation.test}` |" in manual
