"""Fields that rows do not have by themselves: from beside them, or parts of what stands in them."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import field as default

from dataportal.plugins.declarative.cubes import Cube
from dataportal.plugins.declarative.records import TRUNCATED_ROW, table_names
from dataportal.plugins.declarative.row_factors import FACTORS, FactorParameters, scale_values
from dataportal.plugins.declarative.series_extraction import filter_text
from dataportal.plugins.declarative.templates import Template
from dataportal.plugins.declarative.time_texts import TimeText
from dataportal.plugins.parameters import (
    Column,  # noqa: TC001 - read at runtime
    Parameters,
    Pattern,
    about,
    written_as,
)
from dataportal.plugins.readers.expressions import ABSENT_FIELD
from dataportal.plugins.readers.numbers import MISSING, NumberFormat
from dataportal.plugins.readers.table_parameters import NumberParameters

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Sequence
    from zoneinfo import ZoneInfo

    from dataportal.errors import BadDataError
    from dataportal.plugins.declarative.cubes import Conditions, CubeRecords
    from dataportal.plugins.declarative.records import (
        Asked,
        Document,
        FieldPath,
        Reader,
        Records,
    )
    from dataportal.plugins.declarative.steps import Steps
    from dataportal.plugins.readers.parameters import Params

_SHOWN = 4
_SOURCES = ("place", "document", "parent", "header", "text", "file", "request", "index")


class BesideField(FactorParameters):
    """One field: where it comes from, which part of it counts, and what it is multiplied by."""

    place: Annotated[Column | None, about("a place in the row", aliases=("column",))] = None
    document: Annotated[str | None, about("a place in the whole answer")] = None
    parent: Annotated[
        str | None, about("a place in the nearest part of the answer around the row that has it")
    ] = None
    header: Annotated[str | None, about("a header of the answer, such as Last-Modified")] = None
    text: Annotated[
        Pattern | None, about("a regular expression, found in the answer as a text")
    ] = None
    file: Annotated[
        Pattern | None, about("a regular expression, found in the name of the file of an archive")
    ] = None
    request: Annotated[
        str | None, about("what was asked, such as `{start:%Y-%m-%d@Europe/Prague}`")
    ] = None
    index: Annotated[
        str | None,
        about("a field of the entry of the [index](declarative.md#index) that names the file"),
    ] = None
    pattern: Annotated[
        Pattern | None,
        about("a regular expression: what its group matches is the field, in a text that it fits"),
    ] = None
    fill: Annotated[
        bool,
        about("whether an empty cell means what stands above it, as in cells that are merged"),
    ] = False
    format: Annotated[
        TimeText | None,
        written_as(TimeText),
        about(
            "the field is a time in ISO 8601: written as in addresses, such as "
            "`%Y-%m-%d@Europe/Paris`, or, without a zone, as its own offset has it"
        ),
    ] = None


class RowParameters(Parameters):
    """Which rows count, and what they have beside them."""

    fields: Annotated[
        dict[str, BesideField],
        about(
            "further fields by their names: see "
            "[Further fields](declarative-layouts.md#further-fields)"
        ),
    ] = default(default_factory=dict)
    keep_rows: Annotated[
        dict[str, Pattern],
        about("only rows count that a regular expression is found in, by the place of its text"),
    ] = default(default_factory=dict)
    drop_rows: Annotated[
        dict[str, Pattern], about("rows do not count that one is found in, by the place")
    ] = default(default_factory=dict)


class BesideFields:
    """Adds fields to records, and leaves rows out, from the parameters of a source.

    Args:
        params: of the source; see `RowParameters`.
        decimal: the decimal sign of its numbers.
        steps: the times that are counted from a start; None if there are none.

    Attributes:
        names: of the fields.
        steps: as above.
    """

    def __init__(self, params: Params, decimal: str, steps: Steps | None) -> None:
        given = params.read(RowParameters)
        self._fields = given.fields
        self._keep, self._drop = given.keep_rows, given.drop_rows
        self.steps = steps
        numbers = params.read(NumberParameters)
        self._numbers = NumberFormat(
            decimal=decimal,
            thousands=numbers.thousands,
            missing=(
                MISSING
                if numbers.missing is None
                else [filter_text(text) for text in numbers.missing]
            ),
        )
        self.names = frozenset(self._fields) | ({steps.name} if steps is not None else set())
        self._templates: dict[str, Template] = {}
        for name, field in self._fields.items():
            for fault in self._faults(name, field):
                params.add_fault(f"fields.{name}{fault}", "fields", name)

    def _faults(self, name: str, field: BesideField) -> Iterable[str]:
        sources = [source for source in _SOURCES if getattr(field, source) is not None]
        if len(sources) != 1:
            yield f" needs one of {', '.join(_SOURCES)}"
        factors = [factor for factor in FACTORS if getattr(field, factor) is not None]
        if len(factors) > 1:
            yield f" takes one of {', '.join(FACTORS)}"
        if bool(field.factors) != (field.unit is not None):
            yield ": unit and factors go together"
        if field.format is not None and (field.scale is not None or factors):
            yield ": a time with a format is no number that is multiplied"
        if field.fill and field.place is None:
            yield ": fill goes with a place in the row"
        if field.scale == 0:
            yield ".scale must not be 0"
        if field.request is not None:
            try:
                self._templates[name] = Template(field.request)
            except ValueError as error:
                yield f".request: {error}"

    def faults(self, reader: Reader) -> Iterable[str]:
        """What is wrong with the places, given what reads the answers."""
        for name, field in self._fields.items():
            for key in ("place", *FACTORS):
                path = getattr(field, key)
                if path is not None and path not in self.names - {name}:
                    yield from _fault(f"fields.{name}.{key}", reader.check_field, path)
            if field.document is not None:
                yield from _fault(
                    f"fields.{name}.document", reader.check_document_path, field.document
                )
            if field.parent is not None:
                yield from _fault(f"fields.{name}.parent", reader.check_parent_path, field.parent)
        for key, patterns in (("keep_rows", self._keep), ("drop_rows", self._drop)):
            for path in patterns:
                if path not in self.names:
                    yield from _fault(key, reader.check_field, path)
        if self.steps is not None:
            yield from self.steps.faults(reader)

    def extend(
        self,
        records: Records,
        document: Document,
        zone: ZoneInfo | None,
    ) -> Records:
        """The records with these fields, and only with the rows that count.

        Args:
            records: of the document.
            document: in which other places are looked for.
            zone: of the source.
        """
        if not (self.names or self._keep or self._drop):
            return records
        if isinstance(records, Cube):
            return _CubeWithFields(records, self, document, document.asked)  # type: ignore[return-value]  # as cubes stand in for records
        return _RecordsWithFields(records, self, document, document.asked, zone)

    def counted_rows(self, records: Records) -> tuple[list[bool] | None, str]:
        """Whether each row counts, None for all; and what says why none does."""
        kept: list[bool] | None = None
        reason = ""
        for patterns, keeps in ((self._keep, True), (self._drop, False)):
            for path, pattern in patterns.items():
                cells = records.column(path)
                fit = [
                    (cell is not TRUNCATED_ROW and bool(pattern.search(filter_text(cell)))) is keeps
                    for cell in cells
                ]
                kept = fit if kept is None else [a and b for a, b in zip(kept, fit, strict=True)]
                if not any(fit) and not reason:
                    what = "matches" if keeps else "does not match"
                    reason = (
                        f"has no row whose {path!r} {what} {pattern.pattern!r} among {len(cells)}, "
                        f"but {_first_texts(cells)}"
                    )
        return kept, reason

    def field(
        self,
        name: str,
        column: Callable[[FieldPath], Sequence[Any]],
        count: int,
        document: Document,
        asked: Asked | None,
        parents: Callable[[str], Sequence[Any]],
    ) -> Sequence[Any]:
        """A field of each of some rows.

        Raises:
            BadDataError: it is not there.
        """
        field = self._fields[name]
        if field.place is not None:
            cells = column(field.place)
        elif field.parent is not None:
            cells = parents(field.parent)
        else:
            cells = [self._single(name, field, document, asked)] * count
        if field.fill:
            cells = _filled(cells)
        if field.pattern is not None:
            cells = _parts(cells, field.pattern, field.place or name, document)
        if field.format is not None:
            cells = field.format.write_all(cells)
        factors = field.place_of_factors
        if field.scale is None and factors is None:
            return cells
        beside = None if factors is None else column(factors)
        return scale_values(field, cells, beside, self._numbers)

    def _single(
        self, name: str, field: BesideField, document: Document, asked: Asked | None
    ) -> Any:
        """A field that is the same for all rows of a document."""
        answer = document.answer
        if field.header is not None:
            found: Any = answer.headers.get(field.header.lower())
            where = f"header {field.header!r}"
        elif field.text is not None:
            found, where = (
                _part(field.text, document.text),
                f"text that fits {field.text.pattern!r}",
            )
        elif field.file is not None:
            found = _part(field.file, answer.member)
            where = f"file whose name fits {field.file.pattern!r}, but {answer.member!r},"
        elif field.index is not None:
            found = answer.entry.get(field.index)
            where = (
                f"{field.index!r} in its entry of the index ({', '.join(answer.entry) or 'none'})"
            )
        elif field.request is not None:
            if asked is None:
                raise answer.bad(f"has no request that fields.{name} could be of")
            return self._templates[name].fill(asked.start, asked.end, asked.fields)
        else:
            path = field.document or ""
            found, where = document.find(path), f"{path!r}"
        if found is None:
            raise answer.bad(f"has no {where} for fields.{name}")
        return found


class UnkeptRows:
    """Tells why no row of any answer counts, where there were rows."""

    def __init__(self) -> None:
        self._faults: dict[str, BadDataError | None] = {}

    def note(self, rows: str, records: Records) -> None:
        """Note whether a row of these records counts."""
        left_out = records.left_out if isinstance(records, _RecordsWithFields) else ""
        if not left_out:
            if len(records):
                self._faults[rows] = None
        elif rows not in self._faults:
            self._faults[rows] = records.bad(left_out)

    def fault(self, rows: str) -> BadDataError | None:
        """What is wrong with the rows at this place; None if one counts, or there are none."""
        return self._faults.get(rows)


class _RecordsWithFields:
    """Records with further fields, and without the rows that do not count.

    Attributes:
        left_out: why no row counts; empty if one does, or if there was none.
    """

    def __init__(
        self,
        records: Records,
        fields: BesideFields,
        document: Document,
        asked: Asked | None,
        zone: ZoneInfo | None,
    ) -> None:
        self._records = records
        self._fields = fields
        self._document = document
        self._asked = asked
        self._zone = zone
        self._columns: dict[FieldPath, Sequence[Any]] = {}
        self._kept: list[bool] | None = None
        self._rows: list[int] | None = None
        kept, reason = fields.counted_rows(self)
        self.left_out = ""
        if kept is not None and not all(kept):
            self.left_out = "" if any(kept) else reason
            self._kept, self._columns = kept, {}
            self._rows = [row for row, is_kept in enumerate(kept) if is_kept]

    def __len__(self) -> int:
        return len(self._records) if self._rows is None else len(self._rows)

    @property
    def names(self) -> Sequence[str]:
        return table_names(self._records)

    def column(self, path: FieldPath) -> Sequence[Any]:
        if path not in self._columns:
            cells = self._all(path)
            self._columns[path] = cells if self._kept is None else [*compress(cells, self._kept)]
        return self._columns[path]

    def _all(self, path: FieldPath) -> Sequence[Any]:
        """The field of all rows, whether they count or not."""
        steps = self._fields.steps
        if steps is not None and path == steps.name:
            return steps.times(self._document, len(self._records), self._zone)
        if path not in self._fields.names:
            return self._records.column(path)
        return self._fields.field(
            str(path),
            self._all,
            len(self._records),
            self._document,
            self._asked,
            lambda place: self._document.parent_fields(self._records, place),
        )

    def row(self, number: int) -> object:
        return self._records.row(number if self._rows is None else self._rows[number])

    def bad(self, reason: str) -> BadDataError:
        return self._records.bad(reason)

    def truncation_error(self, row: int) -> BadDataError:
        return self._records.truncation_error(row if self._rows is None else self._rows[row])


class _CubeWithFields(Cube):
    """A cube whose observations have further fields."""

    def __init__(
        self, cube: Cube, fields: BesideFields, document: Document, asked: Asked | None
    ) -> None:
        self._cube = cube
        self._fields = fields
        self._document = document
        self._asked = asked

    def __len__(self) -> int:
        return len(self._cube)

    def select(self, conditions: Conditions) -> CubeRecords:
        """The observations with these codes, with the fields."""
        records = self._cube.select(conditions)

        def parents(path: str) -> Sequence[Any]:
            raise self._document.answer.bad(f"has no part with {path!r} around an observation")

        def further_field(name: str) -> Sequence[Any] | None:
            if name not in self._fields.names:
                return None
            return self._fields.field(
                name, records.column, len(records), self._document, self._asked, parents
            )

        records.further_field = further_field
        return records


def _fault(name: str, check: Callable[[Any], None], path: Any) -> Iterable[str]:
    try:
        check(path)
    except ValueError as error:
        yield f"{name}: {error}"


def _filled(cells: Sequence[Any]) -> list[Any]:
    """The cells, with the nearest one above in place of each that is empty."""
    above: Any = None
    filled: list[Any] = []
    for cell in cells:
        is_empty = cell is None or cell is ABSENT_FIELD or not filter_text(cell).strip()
        if cell is not TRUNCATED_ROW and not is_empty:
            above = cell
        filled.append(above if is_empty and above is not None else cell)
    return filled


def _part(pattern: re.Pattern[str], text: str) -> str | None:
    """What a pattern finds: its first group that matched, else all that it matches."""
    match = pattern.search(text)
    if match is None:
        return None
    return next((group for group in match.groups() if group is not None), match[0])


def _parts(
    cells: Sequence[Any], pattern: re.Pattern[str], place: FieldPath, document: Document
) -> list[Any]:
    """The part of each text that the pattern finds; a text that it does not fit stays as it is."""
    parts: list[Any] = []
    misses: list[str] = []
    has_part = False
    for cell in cells:
        if cell is None or cell is ABSENT_FIELD or cell is TRUNCATED_ROW:
            parts.append(cell)
            continue
        text = filter_text(cell)
        part = _part(pattern, text)
        has_part = has_part or part is not None
        # a mark for a missing value has no digit
        if part is None and any(character.isdigit() for character in text):
            misses.append(text)
        parts.append(cell if part is None else part)
    if misses and not has_part:
        raise document.answer.bad(
            f"has nothing at {place!r} that fits {pattern.pattern!r}, but {_first_texts(misses)}"
        )
    return parts


def _first_texts(cells: Sequence[Any]) -> str:
    texts = [*dict.fromkeys(filter_text(cell) for cell in cells if cell is not TRUNCATED_ROW)]
    more = ", …" if len(texts) > _SHOWN else ""
    return ", ".join(repr(text[:60]) for text in texts[:_SHOWN]) + more if texts else "nothing"
