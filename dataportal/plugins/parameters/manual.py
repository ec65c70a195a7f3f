"""Makes the tables of parameters of the manual from the structs that declare them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataportal.plugins.parameters.fields import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataportal.plugins.parameters.declaration import Parameters


def table_rows(structs: Iterable[type[Parameters]]) -> list[str]:
    """A row of Markdown for each parameter: its names, and what it means."""
    return [
        f"| {', '.join(f'`{name}`' for name in field.names)} | {field.about} |"
        for field in fields_of(structs)
        if not field.takes_rest
    ]
