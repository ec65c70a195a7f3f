"""Shows which sources are shipped, and how to include them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from dataportal.command_lines import command_line
from dataportal.render.console import printable
from dataportal.render.formatting import NOTHING, pluralize
from dataportal.render.series_fields import series_fields
from dataportal.render.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dataportal.config.shipped import ShippedFile, ShippedSource


@dataclass(frozen=True, slots=True)
class ShippedView:
    """The answer of `list-sources --catalogue`.

    Attributes:
        files: that could be included, with what was asked for of each.
        by_series: whether the table has a row for each series rather than for each file.
    """

    files: Sequence[ShippedFile]
    by_series: bool

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A table, and the lines for sources.yaml."""
        if not self.files:
            command = command_line("list-sources", "--catalogue")
            yield f"nothing in the catalogue matches: see {command}"
            return
        table = self._series_table() if self.by_series else self._file_table()
        yield from table.lines(stream)
        yield ""
        count = sum(len(source.series) for file in self.files for source in file.sources)
        yield f"{count} series of {pluralize(len(self.files), 'file')}"
        if self.by_series:
            yield "To have them, write into sources.yaml:"
            yield "include:"
            yield from (printable(f"  {file.line}") for file in self.files)
        else:
            yield "To have one, write into sources.yaml: include: [NAME]"

    def document(self) -> Mapping[str, Any]:
        """`catalogue`, a list of files, each with its sources and their series."""
        return {"catalogue": [_file_fields(file) for file in self.files]}

    def _file_table(self) -> Table:
        titles = ("file", "provider", "country", ">series", "needs", "licence", "checked")
        table = Table(titles, dispensable=("checked", "country", "licence", "needs"))
        for file in self.files:
            table.add(
                file.name,
                _together(file.values("provider")),
                _some(file.values("country")),
                str(sum(len(source.series) for source in file.sources)),
                _together(_variables(file)),
                _together(file.values("licence")),
                _together(file.values("checked")),
            )
        return table

    def _series_table(self) -> Table:
        titles = ("series", "name", "unit", "granularity", "source", "licence", "checked")
        table = Table(titles, dispensable=("checked", "licence", "granularity", "source"))
        for file in self.files:
            for source in file.sources:
                for series in source.series:
                    table.add(
                        series.endpoint_prefix,
                        series.name or NOTHING,
                        series.unit or NOTHING,
                        series.granularity or NOTHING,
                        source.source.name,
                        str(series.metadata.get("licence", NOTHING)),
                        str(series.metadata.get("checked", NOTHING)),
                    )
        return table


_FEW = 3


def _together(texts: Sequence[str]) -> str:
    return ", ".join(texts) or NOTHING


def _some(texts: Sequence[str]) -> str:
    """The texts; of many their number."""
    return _together(texts) if len(texts) <= _FEW else f"{len(texts)} countries"


def _variables(file: ShippedFile) -> list[str]:
    return list(dict.fromkeys(name for s in file.sources for name in s.source.requires_env))


def _file_fields(file: ShippedFile) -> dict[str, Any]:
    return {
        "file": file.name,
        "path": str(file.path),
        "include": file.line,
        "providers": file.values("provider"),
        "countries": file.values("country"),
        "licences": file.values("licence"),
        "credits": file.values("credit"),
        "terms": file.values("terms"),
        "checked": file.values("checked"),
        "requires_env": _variables(file),
        "sources": [_source_fields(source) for source in file.sources],
    }


def _source_fields(shipped: ShippedSource) -> dict[str, Any]:
    source = shipped.source
    return {
        "source": source.name,
        "where": source.where,
        "requires_env": source.requires_env,
        "missing_env": source.missing_env,
        "tags": source.tags,
        "schedule": source.schedule,
        "series": [series_fields(series) for series in shipped.series],
    }
