"""The planted faults of support/mutations.py still fit the package, and README.md lists them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.fault_operators import NoFitError, Replace, Sql, functions_by_name
from support.mutations import MUTATIONS, ROOT

if TYPE_CHECKING:
    from support.fault_operators import Fault
    from support.mutations import Mutation

EVERY = pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
MODULE = """
def total(values, limit):
    if limit > 0 and len(values) > limit:
        return sum(values[:limit])
    return sum(values)
"""


@EVERY
def test_a_planted_fault_fits(mutation: Mutation) -> None:
    """Its place is there, the file with it is another that compiles, and its test is there."""
    sound = (ROOT / mutation.file).read_text(encoding="utf-8")
    planted = mutation.plant(ROOT)
    assert planted != sound
    if mutation.file.endswith(".py"):
        compile(planted, mutation.file, "exec")
        assert ast.dump(ast.parse(planted)) != ast.dump(ast.parse(sound))
    file, *_, test = mutation.test.split("::")
    assert f"def {test.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8")


@EVERY
def test_a_planted_fault_knows_no_local_names(mutation: Mutation) -> None:
    """It fits its function as well when all variables and parameters have other names."""
    if not mutation.function:
        return
    module = ast.parse((ROOT / mutation.file).read_text(encoding="utf-8"))
    function = functions_by_name(module)[mutation.function]
    nodes = [*ast.walk(function)]
    own = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)} - {"self", "cls"}
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in own:
            node.id = f"other_{node.id}"
        elif isinstance(node, ast.arg) and node.arg in own:
            node.arg = f"other_{node.arg}"
    sound = ast.unparse(module)
    planted = mutation.fault.plant(sound, mutation.function, mutation.file)
    compile(planted, mutation.file, "exec")
    assert ast.dump(ast.parse(planted)) != ast.dump(ast.parse(sound))


@pytest.mark.parametrize(
    ("fault", "function", "message"),
    [
        (Replace("A > B", "A"), "totl", r"no function totl \(one of total\?\); it has total"),
        (Replace("A > B", "A"), "total", r"the only `A > B`, .* 2 times.* `limit > 0`, `len"),
        (Replace("A > B", "A", nth=3), "total", "number 3 of `A > B`, which is there 2 times"),
        (Replace("A < B", "A"), "total", r"there 0 times. Alike are there: `limit > 0`, `len"),
        (Replace("sum(A)", "A", nth=2), "total", None),
        (Replace("len(A)", "count"), "total", "the fault uses count, which the module has not"),
        (Replace("len(A)", "B"), "total", "there is nothing that B stands for"),
        (Sql("return A;", "A"), "", "the only `return A;`, which is there 0 times in: def total"),
    ],
)
def test_a_fault_without_a_place_is_refused(
    fault: Fault, function: str, message: str | None
) -> None:
    """With what was looked for, and what there is."""
    if message is None:
        assert "return values\n" in fault.plant(MODULE, function, "totals.py")
        return
    with pytest.raises(NoFitError, match=message):
        fault.plant(MODULE, function, "totals.py")


def test_every_planted_fault_is_listed() -> None:
    """With the test that goes red."""
    manual = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    for mutation in MUTATIONS:
        assert f"| {mutation.rows} | {mutation.name} | `{mutation.test}` |" in manual
