"""Finds the likeliest reading of an answer, whatever format it has, and proves it by reading it.

More than 500 lines, as every reading goes through the same trial.
"""

from __future__ import annotations

import io
import math
import re
from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataportal.drafts.cube_series import json_cube, xml_cube
from dataportal.drafts.roles import find_roles
from dataportal.drafts.rows import Column, RowSet, days_in
from dataportal.drafts.text_tables import decode, text_row_sets
from dataportal.drafts.trial import try_entry
from dataportal.drafts.wide_tables import wide_row_set
from dataportal.errors import BadDataError
from dataportal.plugins.http.file_kinds import file_kind, text_kind
from dataportal.plugins.readers.archives import ArchiveError, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from dataportal.drafts.cube_series import CubeSeries
    from dataportal.drafts.roles import Reading
    from dataportal.observations import Batch
    from dataportal.plugins.http import Answer

MOST_BYTES = 64 * 1024 * 1024
"""An answer of which a draft is made has no more, unpacked too."""
_TRIED = 4
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_FEWEST_PACKED = 80
_CHANGING = ("Europe/Berlin", "America/New_York", "Europe/London", "Australia/Sydney")
_EXCEL = ("an Excel file", "an OpenDocument file")
_ARROW = ("a Parquet file", "an Arrow file", "a Feather file")
_LINK = re.compile(rb"""<a\s[^>]*href\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_FILES = re.compile(r"\.(?:csv|json|xml|xlsx?|ods|zip|gz|txt|tsv|parquet)$", re.IGNORECASE)


@dataclass(slots=True)
class Interpretation:
    """What an answer is read as.

    Attributes:
        kind: of the plugin, such as `Json`.
        params: of the source, without the address.
        notes: why, by parameter.
        series: of each the `extract_filter`, and the words of its name.
        granularity: how long intervals are; None if nobody knows.
        zone: of local times, where the answer names it; empty if not.
        needs_zone: whether a time zone must be known.
        units: by the number of a series; -1 for all.
        batch: what came of a trial; a text says why nothing.
        rows: how many there are.
        content: the document, if it is JSON.
        left_out: series beside those that are named.
        remarks: what else is to be said.
        labels: what codes of dimensions are called.
        asked_day: the day that was asked for, where only the request says it.
        fitting_zone: a zone whose clock changes fit the answer, where nobody knows the zone.
    """

    kind: str
    params: dict[str, Any]
    notes: dict[str, str]
    series: list[tuple[dict[str, Any], list[str]]]
    granularity: str | None
    zone: str
    needs_zone: bool
    units: dict[int, str]
    batch: Batch | str
    rows: int
    content: Any = None
    left_out: int = 0
    remarks: list[str] = field(default_factory=list)
    labels: dict[str, Any] = field(default_factory=dict)
    fitting_zone: str = ""
    asked_day: date | None = None

    @property
    def points(self) -> int:
        """How many points the trial found."""
        if isinstance(self.batch, str):
            return 0
        return sum(len(series) for series in self.batch.series.values())


def read_answer(answer: Answer, *, zone: str, most_series: int) -> Interpretation:
    """The likeliest reading of an answer.

    Args:
        answer: what came; its address is fit to be shown.
        zone: of local times, as the user names it; empty if not.
        most_series: so many series are named.

    Raises:
        BadDataError: it is a page, is empty, or has no table, no time or no values.
    """
    _refuse_what_is_no_data(answer)
    sets, content, further = _row_sets(answer)
    if isinstance(sets, Interpretation):
        return _cube_trial(sets, answer, zone)
    readings: list[tuple[float, Reading]] = []
    for row_set in sets:
        row_set.days |= days_in(answer.url)
        options = [row_set]
        wide = wide_row_set(row_set) if row_set.kind in {"Csv", "Excel"} else None
        if wide is not None:
            options.append(wide)
        for option in options:
            reading = find_roles(option, most_series=most_series)
            if reading is not None:
                readings.append((_score(reading, is_wide=option is wide), reading))
    if not readings:
        raise _empty_answer_error(answer, sets)
    readings.sort(key=lambda pair: -pair[0])
    best: Interpretation | None = None
    for _, reading in readings[:_TRIED]:
        interpretation = _trial(reading, answer, zone, further)
        if (
            not isinstance(interpretation.batch, str)
            and interpretation.points
            and not interpretation.batch.rejected
        ):
            best = interpretation
            break
        if best is None or (interpretation.points > best.points):
            best = interpretation
    assert best is not None  # noqa: S101 - there is a reading
    best.content = content
    return best


def _refuse_what_is_no_data(answer: Answer) -> None:
    body = answer.body
    if not body.strip():
        raise BadDataError(
            f"the answer of {answer.url} has nothing in it",
            hint="Ask for a range of time of which there are data",
        )
    start = body[:4000].lower()
    if answer.is_page or b"<html" in start[:1000]:
        if re.search(rb"""type=["']?password|sign[ -]?in|log[ -]?in\b""", body[:200_000].lower()):
            raise BadDataError(
                f"the answer of {answer.url} is a page of HTML that asks for a login, not data",
                hint="Look for the address of the API in the provider's documentation, and give "
                "its key with --header or in the address",
            )
        links = [link.decode("utf-8", "replace") for link in _LINK.findall(body[:1_000_000])]
        files = [link for link in links if _FILES.search(link.partition("?")[0])]
        shown = "" if not files else f", with links to {len(files)} files such as {files[-1][:120]}"
        raise BadDataError(
            f"the answer of {answer.url} is a page of HTML{shown}, not data",
            hint="Give the address of one of the files; for a list of files see index, in "
            "dataportal help declarative"
            if files
            else "Give the address of a file or of an API: a page is for people",
        )


def _row_sets(answer: Answer) -> tuple[list[RowSet] | Interpretation, Any, dict[str, Any]]:
    """Readings of an answer as rows, or its cube; its document; further parameters."""
    kind = answer.file_kind
    if kind.startswith(_EXCEL):
        return _of_workbook(answer.body), None, {}
    if kind in _ARROW:
        return _of_arrow(answer), None, {}
    return _of_body(answer, answer.body)


def _of_body(
    answer: Answer, body: bytes
) -> tuple[list[RowSet] | Interpretation, Any, dict[str, Any]]:
    """The same of an answer's body, or of a file in it."""
    kind = file_kind(body)
    try:
        files = unpack(body, limit=MOST_BYTES)
    except ArchiveError as error:
        raise BadDataError(
            f"the answer of {answer.url} is an archive that cannot be opened: {error}"
        ) from None
    if len(files) == 1 and not files[0].name:
        if kind and files[0].body is body:
            raise BadDataError(
                f"the answer of {answer.url} is {kind}, which has no table that can be read",
                hint="Look whether the provider has the same as CSV, JSON, XML or a workbook",
            )
        return _of_text(answer, files[0].body)
    return _of_files(answer, files)


def _of_text(  # noqa: C901, PLR0912 - a branch for each way
    answer: Answer, body: bytes
) -> tuple[list[RowSet] | Interpretation, Any, dict[str, Any]]:
    part = answer.part(body, answer.member)
    if part.file_kind.startswith(_EXCEL):
        return _of_workbook(body), None, {}
    kind = text_kind(body)
    if kind != "XML" and body.lstrip()[:1] == b"<":
        kind = "XML"
    stripped = body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if kind == "JSON" or stripped in {b"{", b"["}:
        try:
            content = part.json()
        except BadDataError:
            if kind == "JSON":
                raise
        else:
            cube = json_cube(content)
            if cube is not None:
                return _of_cube("Json", cube), content, {}
            from dataportal.drafts.json_rows import json_row_sets

            packed = _file_in_base64(content)
            if packed is not None:
                place, inner = packed
                inside, document, further = _of_body(answer, inner)
                if isinstance(inside, Interpretation):
                    inside.params["base64"] = place
                return inside, document, {**further, "base64": place}
            sets = json_row_sets(content)
            if not sets and not isinstance(content, dict | list):
                raise BadDataError(f"the answer of {answer.url} is a bare value, with no rows")
            return sets, content, {}
    if kind == "XML":
        return _of_xml(part), None, {}
    declared = re.search(r"charset=[\"']?([\w-]+)", answer.headers.get("content-type", ""))
    text, encoding = decode(body, declared[1] if declared else "")
    sets = text_row_sets(text)
    for row_set in sets:
        if encoding:
            row_set.params["encoding"] = encoding
            row_set.notes["encoding"] = "the answer is not in UTF-8"
    return sets, None, {}


def _file_in_base64(content: Any) -> tuple[str, bytes] | None:
    """A file in base64 that a document has, and its place."""
    from dataportal.drafts.json_rows import quote_key

    if not isinstance(content, dict):
        return None
    for key, item in content.items():
        if isinstance(item, str) and len(item) >= _FEWEST_PACKED and _BASE64.fullmatch(item):
            with suppress(ValueError):
                body = b64decode("".join(item.split()), validate=True)
                if file_kind(body) or text_kind(body):
                    return quote_key(key), body
    return None


def _of_xml(part: Answer) -> list[RowSet] | Interpretation:
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    from dataportal.drafts.xml_rows import xml_row_sets

    try:
        root = ElementTree.fromstring(part.body)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise BadDataError(
            f"the answer of {part.url} is XML that cannot be read ({error})"
        ) from None
    cube = xml_cube(root)
    return _of_cube("Xml", cube) if cube is not None else xml_row_sets(root)


def _of_cube(kind: str, cube: CubeSeries) -> Interpretation:
    series = [(dict(key), [*key.values()]) for key in cube.keys]
    notes = {"layout": "the answer says so; times are those of the dimension of time"}
    return Interpretation(
        kind,
        dict(cube.params),
        notes,
        series,
        cube.frequency or None,
        "",
        True,
        {},
        "",
        len(series),
        labels=dict(cube.labels),
    )


def _of_workbook(body: bytes) -> list[RowSet]:
    """The sheets of a workbook."""
    import python_calamine as calamine

    from dataportal.drafts.grids import find_table, names_of
    from dataportal.drafts.rows import style_of

    sets = []
    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(body)) as workbook:
            names = workbook.sheet_names
            grids = [
                workbook.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in names
            ]
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise BadDataError(f"the workbook cannot be read ({error})") from None
    from dataportal.plugins.declarative.excel_records import _cell
    from dataportal.plugins.declarative.series_extraction import filter_text

    for number, (name, grid) in enumerate(zip(names, grids, strict=True)):
        cells = [[_cell(cell) for cell in row] for row in grid]
        table = find_table(cells)
        if table is None:
            continue
        params: dict[str, Any] = {}
        notes: dict[str, str] = {}
        if number or len(names) > 1:
            params["sheet"] = name
            notes["sheet"] = f"of {len(names)} sheets the one with the most values"
        headers = [""] * table.width
        if table.header is None:
            params["header"] = False
        else:
            first_filled = next(
                (n for n, row in enumerate(cells) if any(c not in ("", None) for c in row)), 0
            )
            headers = names_of([filter_text(cell) for cell in cells[table.header]], table.width)
            if table.header != first_filled:
                params["header_row"] = table.header + 1
                notes["header_row"] = "the row with the names of the columns"
        start = 0 if table.header is None else table.header + 1
        rows = [row for row in cells[start:] if any(cell not in ("", None) for cell in row)]
        columns = []
        for index in range(table.width):
            own = headers[index]
            place: str | int = own if own and headers.count(own) == 1 else index + 1
            columns.append(
                Column(place, own, [row[index] if index < len(row) else None for row in rows])
            )
        before = "\n".join(";".join(map(str, row)) for row in cells[: table.header or 0][:60])
        row_set = RowSet("Excel", params, columns, notes, before=before)
        row_set.style = style_of(columns)
        sets.append(row_set)
    return sets


def _of_arrow(answer: Answer) -> list[RowSet]:
    from dataportal.drafts.rows import style_of
    from dataportal.plugins.declarative.arrow_records import ArrowReader
    from dataportal.plugins.readers.parameters import Params

    document = ArrowReader(Params({}), ".").read(answer)
    assert document is not None  # noqa: S101 - such files are never empty ones
    records = document.records("")
    names: Sequence[str] = records.names  # type: ignore[attr-defined]  # of a grid
    columns = [Column(name, name, records.column(name)) for name in names if names.count(name) == 1]
    row_set = RowSet("Parquet", {}, columns)
    row_set.style = style_of(columns)
    return [row_set]


def _of_files(
    answer: Answer, files: Sequence[Any]
) -> tuple[list[RowSet] | Interpretation, Any, dict[str, Any]]:
    """The files of an archive that have the same table, as one."""
    from dataportal.drafts.archive_members import merge_members, same_tables

    read: list[tuple[Any, list[RowSet]]] = []
    content = None
    for file in files[:200]:
        try:
            sets, content, _ = _of_text(answer, file.body)
        except BadDataError:
            continue
        if isinstance(sets, Interpretation):
            return sets, content, {}
        usable = [
            row_set
            for row_set in sets
            if find_roles(row_set, most_series=1) is not None or _is_wide(row_set)
        ]
        if usable:
            read.append((file, usable))
    if not read:
        names = ", ".join(file.name for file in files[:8])
        raise BadDataError(
            f"the answer of {answer.url} is an archive, and none of its files has a table with "
            f"times and values: {names}",
            hint="Look whether the provider has another file",
        )
    group = same_tables(read)
    return merge_members(group, files), content, {}


def _is_wide(row_set: RowSet) -> bool:
    wide = wide_row_set(row_set)
    return wide is not None and find_roles(wide, most_series=1) is not None


def _score(reading: Reading, *, is_wide: bool) -> float:
    """How likely a reading is: how many values it finds, and how well they fit a grid of times."""
    times = [ts for ts in reading.time.times if ts is not None]
    if not times:
        return -10.0
    distinct = len(set(times))
    series = max(len(reading.series) + reading.left_out, 1)
    numbers = 0
    for column in reading.values:
        guess = column.numbers(reading.rows.style)
        numbers += 0 if guess is None else guess.count
    score = math.log10(1 + numbers) + 0.4 * reading.time.score
    score -= 1.5 * sum("nothing in the answer tells them apart" in text for text in reading.remarks)
    score -= 1.0 if distinct < 2 and len(times) > series else 0.0  # noqa: PLR2004 - one time for all
    score += 1.5 if is_wide else 0.0
    # rows that hold lists of rows show no more than the first of each
    score -= 0.3 if any("/" in str(column.place) for column in reading.values) else 0.0
    around = [c for c in (*reading.time.columns, *reading.dimensions) if c.beside is not None]
    score -= 0.1 * sum("parent" in (column.beside or ()) for column in around)
    # an object as the only row is what remains where there are no rows
    score -= 3.0 if str(reading.params.get("rows", "")).startswith("[") and times[1:] == [] else 0.0
    return score


def _trial(reading: Reading, answer: Answer, zone: str, further: dict[str, Any]) -> Interpretation:
    params = {**reading.params, **further}
    units = {}
    for number, (own, _) in enumerate(reading.series):
        place = own.get("value", reading.params.get("value"))
        for column in reading.values:
            if column.place == place and id(column) in reading.units:
                units[number] = reading.units[id(column)]
        for word in own.values():
            match = re.search(r"[(\[]([^()\[\]]{1,15})[)\]]\s*$", str(word))
            if match and re.search("[A-Za-z%°€$]", match[1]):
                units.setdefault(number, match[1])
    if len(reading.values) == 1 and id(reading.values[0]) in reading.units:
        units[-1] = reading.units[id(reading.values[0])]
    elif 0 in reading.units:
        units[-1] = reading.units[0]
    interpretation = Interpretation(
        reading.rows.kind,
        params,
        dict(reading.notes),
        reading.series,
        reading.granularity,
        reading.zone,
        reading.time.needs_zone,
        units,
        "",
        reading.rows.count,
        left_out=reading.left_out,
        remarks=list(reading.remarks),
    )
    _say_asked_day(interpretation, reading, zone or interpretation.zone)
    interpretation.batch = _batch(interpretation, answer, zone)
    if interpretation.needs_zone and not (zone or interpretation.zone):
        _try_other_zones(interpretation, answer)
    return interpretation


def _say_asked_day(interpretation: Interpretation, reading: Reading, zone: str) -> None:
    """Where only the request says which day the rows are of, note it, by the clocks of the zone."""
    if "request" not in (interpretation.params.get("fields") or {}).get("day", {}):
        return
    interpretation.asked_day = next(iter(reading.rows.days))
    if zone not in {"", "UTC"}:
        day = {"request": f"{{start:%Y-%m-%d@{zone}}}"}
        interpretation.params["fields"] = {**interpretation.params["fields"], "day": day}
        interpretation.params["zone"] = zone


def _try_other_zones(interpretation: Interpretation, answer: Answer) -> None:
    """Where not all points fit the days of UTC, look at clocks that change."""
    for zone in _CHANGING:
        if isinstance(interpretation.batch, str) or not interpretation.batch.rejected:
            return
        batch = _batch(interpretation, answer, zone)
        if not isinstance(batch, str) and batch.rejected < interpretation.batch.rejected:
            interpretation.batch, interpretation.fitting_zone = batch, zone


def _cube_trial(interpretation: Interpretation, answer: Answer, zone: str) -> Interpretation:
    from dataportal.drafts.time_columns import granularity_of

    interpretation.batch = _batch(interpretation, answer, zone)
    if not isinstance(interpretation.batch, str):
        longest = max(interpretation.batch.series.values(), key=len, default=None)
        if longest is not None and interpretation.granularity is None:
            interpretation.granularity = granularity_of(longest.ts)
    else:
        raise BadDataError(
            f"the answer of {answer.url} is a cube that cannot be read: {interpretation.batch}"
        )
    return interpretation


def _batch(interpretation: Interpretation, answer: Answer, zone: str) -> Batch | str:
    filters = [own for own, _ in interpretation.series]
    return try_entry(
        interpretation.kind,
        interpretation.params,
        filters,
        answer,
        zone=zone or interpretation.zone or "UTC",
        granularity=interpretation.granularity,
        day=interpretation.asked_day,
    )


def _empty_answer_error(answer: Answer, sets: Sequence[RowSet]) -> BadDataError:
    """Why there is nothing to draft: no rows, no times, or no values."""
    if not sets:
        return BadDataError(
            f"the answer of {answer.url} has no table: no rows with several cells each",
            hint=f"Is that the file you mean? It begins: {answer.excerpt()[:120]}",
        )
    has_times = any(column.times is not None for row_set in sets for column in row_set.columns)
    largest = max(sets, key=lambda row_set: row_set.count * len(row_set.columns))
    names = ", ".join(str(column.name or column.place) for column in largest.columns[:12])
    what = (
        "rows with times, but no numbers beside them" if has_times else "rows, but none with a time"
    )
    return BadDataError(
        f"the answer of {answer.url} has {what}; the fields are: {names}",
        hint="Ask for data that have a time: nobody can tell when a value without one was"
        if not has_times
        else "Ask for the values themselves: this may be a list of series or files",
    )
