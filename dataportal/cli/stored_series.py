"""The arguments by which a command selects series of the database, without sources.yaml."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.completion import complete_series
from dataportal.errors import UsageError

if TYPE_CHECKING:
    from dataportal.store.read.selection import Condition

SeriesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SERIES…",
        help="Names or globs of series; - reads a list of them from stdin.",
        autocompletion=complete_series,
    ),
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="KEY=VALUE",
        help="Only series like that: unit=MW, domain=energy, source=smard-*; repeatable.",
    ),
]


def parse_selection(
    names: Sequence[str] | None, where: Sequence[str] | None
) -> "tuple[list[str], list[Condition]]":
    """The names and the conditions that the arguments state; `-` stands for a list on stdin.

    Raises:
        UsageError: a condition is none, or the list is empty.
    """
    from dataportal.store.read.selection import parse_condition, parse_names

    conditions = [parse_condition(text) for text in where or ()]
    wanted: list[str] = []
    for name in names or ():
        if name != "-":
            wanted.append(name)
            continue
        listed = parse_names(sys.stdin)
        if not listed:
            raise UsageError("there is no name of a series on stdin", hint="Write one on each line")
        wanted += listed
    return wanted, conditions
