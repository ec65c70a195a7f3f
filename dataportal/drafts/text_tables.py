"""Reads tables of text for a draft: delimiter, encoding, header, sections, remarks around it."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any

from dataportal.drafts.grids import find_table, names_of
from dataportal.drafts.rows import Column, RowSet, style_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_DELIMITERS = {"\t": "tab", ";": ";", "|": "|", ",": ",", " ": " "}
_MOST_LINES = 60_000
_SAMPLE = 400
_COMMENTS = ("#", "//", "%", "!", "\\")
_KIND = re.compile(r"[A-Za-z]{1,2}")
_FEWEST = 2
_MOST_BLOCKS = 30


def decode(body: bytes, declared: str = "") -> tuple[str, str]:
    """The text of an answer, and the encoding to be named; empty for UTF-8 or what is declared."""
    for name in (declared, "utf-8-sig"):
        if name:
            try:
                return body.decode(name).removeprefix("\ufeff"), ""
            except (UnicodeError, LookupError):
                continue
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace"), "utf-16"
    try:
        text = body.decode("cp932")
        if re.search("[\u3040-\u30ff]|[\u4e00-\u9fff]{2}", text):
            return text, "cp932"
    except UnicodeError:
        pass
    try:
        return body.decode("cp1252"), "cp1252"
    except UnicodeError:
        return body.decode("latin-1"), "latin-1"


def text_row_sets(text: str) -> list[RowSet]:
    """Readings of a text as a table, the likeliest first; none for a text that is no table."""
    lines = text.splitlines()[:_MOST_LINES]
    row_sets = []
    for delimiter in _likely_delimiters(lines):
        for row_set in (
            _sections(lines, delimiter),
            _table(lines, delimiter),
            *_blocks(lines, delimiter),
        ):
            row_sets += [] if row_set is None else [row_set]
        if row_sets:
            break
    return row_sets


def split(line: str, delimiter: str) -> list[str]:
    """The cells of a line."""
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []


def _likely_delimiters(lines: Sequence[str]) -> list[str]:
    """Those that cut most lines into as many cells, the likeliest first."""
    sample = [line for line in lines[: 3 * _SAMPLE] if line.strip()]
    if len(sample) > _SAMPLE:
        sample = sample[-_SAMPLE:]
    scores: dict[str, float] = {}
    for delimiter in _DELIMITERS:
        counts: dict[int, int] = {}
        for line in sample:
            if line.startswith(_COMMENTS):
                continue
            width = len(split(line, delimiter))
            counts[width] = counts.get(width, 0) + 1
        best = max(((count, width) for width, count in counts.items() if width > 1), default=(0, 0))
        # a comma in numbers and a blank in texts cut too
        weight = {",": 0.9, " ": 0.3}.get(delimiter, 1.0)
        if best[0] >= min(_FEWEST, len(sample)):
            scores[delimiter] = best[0] * weight * (1 + 0.02 * min(best[1], 20))
    return sorted(scores, key=lambda delimiter: -scores[delimiter])


def _blocks(lines: Sequence[str], delimiter: str) -> list[RowSet]:
    """Each part between blank lines as a table: a preface may have tables of its own."""
    starts = [
        n for n, line in enumerate(lines) if line.strip() and (n == 0 or not lines[n - 1].strip())
    ]
    if not 1 < len(starts) <= _MOST_BLOCKS:
        return []
    sets = []
    for start in starts:
        end = next((n for n in range(start, len(lines)) if not lines[n].strip()), len(lines))
        row_set = _table(lines[:end], delimiter, start=start)
        if row_set is not None and end - start > 1:
            # what follows must be none of it
            rest = [line for line in lines[end:] if line.strip()]
            if rest:
                pattern = "^" + escape(rest[0][:24])
                if any(re.search(pattern, line) for line in lines[start:end]):
                    continue
                row_set.params["footer"] = pattern
                row_set.notes["footer"] = "what follows is no part of the table"
            sets.append(row_set)
    return sets


def _comment_sign(lines: Sequence[str]) -> str:
    for sign in _COMMENTS:
        if any(line.startswith(sign) for line in lines[:200]):
            return sign
    return ""


def _table(lines: Sequence[str], delimiter: str, *, start: int = 0) -> RowSet | None:  # noqa: C901, PLR0912, PLR0915 - a branch for each way
    """The text as one table, which begins in a line or after it."""
    comment = _comment_sign(lines)
    numbers = [
        n
        for n, line in enumerate(lines)
        if n >= start and not (comment and line.startswith(comment))
    ]
    grid: list[list[str]] = [
        split(lines[n], delimiter) if lines[n].strip() else [] for n in numbers
    ]
    table = find_table(grid)
    if table is None:
        return None
    params: dict[str, Any] = {}
    notes: dict[str, str] = {}
    params["delimiter"] = _DELIMITERS[delimiter]
    header_line: str | None = None
    header_at = None if table.header is None else numbers[table.header]
    if header_at is None and comment:
        # the last of the remarks may name the columns
        above = [n for n in range(numbers[table.first]) if lines[n].startswith(comment)]
        if above and abs(len(split(lines[above[-1]], delimiter)) - table.width) <= 1:
            header_at, comment = above[-1], ""
    if header_at is not None:
        header_line = lines[header_at]
        before = [line for line in lines[:header_at] if line.strip()]
        if comment:
            before = [line for line in before if not line.startswith(comment)]
        if before:
            params["header_row"] = _pattern_of(header_line, before)
            notes["header_row"] = f"remarks stand before it, {len(before):,} of them"
        names = names_of([cell.strip() for cell in split(header_line, delimiter)], table.width)
    else:
        params["header"] = False
        notes["header"] = "no line names the columns: they are known by their numbers"
        names = [""] * table.width
    if comment:
        params["comment"] = comment
    begin = (
        0
        if header_at is None
        else numbers.index(header_at) + 1
        if header_at in numbers
        else table.first
    )
    end = len(grid)
    tail = [n for n in range(table.last + 1, len(grid)) if any(cell.strip() for cell in grid[n])]
    if tail:
        pattern = "^" + _digit_pattern(lines[numbers[tail[0]]][:24])
        if not any(re.search(pattern, lines[numbers[n]]) for n in range(table.last + 1)):
            end = tail[0]
            params["footer"] = pattern
            notes["footer"] = "what follows is no part of the table"
    between = [n for n in range(begin, table.first) if any(cell.strip() for cell in grid[n])]
    if header_at is not None and between:
        first_row = _first_row(
            lines, [numbers[n] for n in between], numbers[table.first], delimiter
        )
        if first_row:
            params["first_row"] = first_row
            notes["first_row"] = "below the names stand units or the like"
            begin = table.first
    rows = [row for row in grid[begin:end] if any(cell.strip() for cell in row)]
    if header_at is None:
        rows = [row for row in grid if any(cell.strip() for cell in row)]
    columns = []
    for index in range(table.width):
        name = names[index]
        is_named = bool(name) and names.count(name) == 1
        place: str | int = name if is_named else index + 1
        cells = [row[index] if index < len(row) else None for row in rows]
        columns.append(Column(place, name, cells))
    row_set = RowSet("Csv", params, columns, notes, before="\n".join(lines[: header_at or 0][:60]))
    row_set.style = style_of(columns, delimiter=delimiter)
    return row_set


def _pattern_of(line: str, before: Sequence[str]) -> str:
    """A regular expression that is found in this line first."""
    for length in (12, 24, 48, 96, len(line)):
        start = line[:length]
        # not through the middle of a word
        if length < len(line):
            cut = re.match(r".*[,;\t|]", start)
            start = cut[0] if cut and len(cut[0]) > 3 else start  # noqa: PLR2004
        if not any(other.startswith(start) for other in before):
            return "^" + escape(start)
    return "^" + escape(line)


def _first_row(lines: Sequence[str], between: Sequence[int], first: int, delimiter: str) -> str:
    """A regular expression that is found in the first line of values, and in none above it."""
    line = lines[first]
    ends = [match.end() for match in re.finditer(re.escape(delimiter), line)]
    for end in (*ends[:6], len(line)):
        pattern = "^" + _digit_pattern(line[:end])
        if not any(re.search(pattern, lines[number]) for number in between):
            return pattern
    return ""


def _digit_pattern(text: str) -> str:
    """The text as a regular expression, with any digits in place of its own."""
    return re.sub(r"\d+", r"\\d+", escape(text))


def escape(text: str) -> str:
    """The text as a regular expression, without needless backslashes."""
    return re.sub(r"([\\.^$*+?{}\[\]()|])", r"\\\1", text).replace("\t", r"\t")


def _sections(lines: Sequence[str], delimiter: str) -> RowSet | None:
    """Several tables with a header each: told by a letter before each line, or by blank lines."""
    return _tables_by_letter(lines, delimiter) or _repeated_tables(lines, delimiter)


def _tables_by_letter(lines: Sequence[str], delimiter: str) -> RowSet | None:
    """AEMO's form: the first cell says what a line is, the next ones which table it is of."""
    grid = [(line, split(line, delimiter)) for line in lines if line.strip()]
    kinds: dict[str, list[list[str]]] = {}
    for _, cells in grid:
        first = cells[0].strip() if cells else ""
        if not _KIND.fullmatch(first):
            return None
        kinds.setdefault(first, []).append(cells)
    if not 1 < len(kinds) <= 5:  # noqa: PLR2004 - remarks, headers, values, a count
        return None
    data = max(kinds, key=lambda kind: len(kinds[kind]))
    for header, headers in kinds.items():
        if header == data or len(headers) > len(kinds[data]):
            continue
        shared = _shared_columns(headers, kinds[data])
        if shared:
            names = [_section_name(cells, shared) for cells in headers]
            return _section_rows(
                [
                    (names[n], headers[n], _rows_of(kinds[data], headers[n], shared))
                    for n in range(len(headers))
                ],
                {
                    "delimiter": _DELIMITERS[delimiter],
                    "sections": {
                        "header": f"^{header}{escape(delimiter)}",
                        "rows": f"^{data}{escape(delimiter)}",
                        "name": [index + 1 for index in shared],
                    },
                },
                delimiter,
                f"lines with {header} name columns, and those with {data} have values",
            )
    return None


def _shared_columns(headers: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> list[int]:
    """The columns in which a header and its rows say the same: the name of the table."""
    first = headers[0]
    shared = []
    for index in range(1, min(len(first), 4)):
        texts = {cells[index].strip() for cells in headers if index < len(cells)}
        own = {cells[index].strip() for cells in rows if index < len(cells)}
        if own <= texts and not all(text.isdecimal() for text in texts):
            shared.append(index)
        else:
            break
    return shared


def _section_name(cells: Sequence[str], shared: Sequence[int]) -> str:
    return " ".join(cells[index].strip() for index in shared)


def _rows_of(
    rows: Sequence[Sequence[str]], header: Sequence[str], shared: Sequence[int]
) -> list[Sequence[str]]:
    wanted = [header[index].strip() for index in shared]
    return [row for row in rows if [row[index].strip() for index in shared] == wanted]


def _repeated_tables(lines: Sequence[str], delimiter: str) -> RowSet | None:
    """Tables behind blank lines that begin with the same names of columns."""
    comment = _comment_sign(lines)
    blocks: list[list[str]] = [[]]
    for line in lines:
        if not line.strip():
            blocks.append([])
        elif not (comment and line.startswith(comment)):
            blocks[-1].append(line)
    tables = [block for block in blocks if len(block) > 1]
    if len(tables) < _FEWEST:
        return None
    starts = [split(block[0], delimiter)[:3] for block in tables]
    first = starts[0]
    if len(first) < _FEWEST or any(start != first for start in starts):
        return None
    beginning = delimiter.join(first)
    if not all(block[0].startswith(beginning) for block in tables):
        return None
    parts = [
        (
            "",
            [c.strip() for c in split(block[0], delimiter)],
            [split(x, delimiter) for x in block[1:]],
        )
        for block in tables
    ]
    params: dict[str, Any] = {"delimiter": _DELIMITERS[delimiter]}
    if comment:
        params["comment"] = comment
    params["sections"] = {"header": f"^{escape(beginning)}"}
    return _section_rows(parts, params, delimiter, f"{len(tables)} tables have a header each")


def _section_rows(
    parts: Sequence[tuple[str, Sequence[str], Sequence[Sequence[str]]]],
    params: dict[str, Any],
    delimiter: str,
    note: str,
) -> RowSet | None:
    """The rows of all tables, each with the columns of all."""
    names = [
        *dict.fromkeys(name.strip() for _, header, _ in parts for name in header if name.strip())
    ]
    names = [name for name in names if all(list(h).count(name) <= 1 for _, h, _ in parts)]
    # what a header and its rows both say is the kind of the line, or the name of the table
    names = [
        name
        for name in names
        if not any(
            len(rows) > 0
            and name in [*header]
            and all(
                len(row) > [*header].index(name) and row[[*header].index(name)] == name
                for row in rows
            )
            for _, header, rows in parts
        )
        and not name.isdecimal()
    ]
    cells: dict[str, list[Any]] = {name: [] for name in names}
    sections: list[str] = []
    for section, header, rows in parts:
        index = {name.strip(): n for n, name in enumerate(header)}
        for row in rows:
            sections.append(section)
            for name in names:
                at = index.get(name)
                cells[name].append(row[at] if at is not None and at < len(row) else None)
    columns = [Column(name, name, cells[name]) for name in names]
    if any(sections):
        columns.insert(0, Column("section", "section", sections))
    if not sections:
        return None
    if params.get("delimiter") == ",":
        params = {key: value for key, value in params.items() if key != "delimiter"}
    row_set = RowSet("Csv", params, columns, {"sections": note})
    row_set.style = style_of(columns, delimiter=delimiter)
    return row_set
