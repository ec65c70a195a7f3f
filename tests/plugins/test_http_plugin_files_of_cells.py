"""Workbooks, Parquet and Arrow files: cells have types, tables have places."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900
from support.declarative_sources import fetch, plugin_of, points
from support.http_server import LocalServer, Reply

from dataportal.errors import BadDataError
from dataportal.plugins.parameters import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dataportal.observations import Batch


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A provider for all of them."""
    with LocalServer() as server:
        yield server


def workbook(sheets: Mapping[str, Sequence[Sequence[Any]]], *, epoch: Any = None) -> bytes:
    """An .xlsx file."""
    book = Workbook()
    book.epoch = epoch or CALENDAR_WINDOWS_1900
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for cells in sheet.iter_rows():
            for cell in cells:
                if cell.value == "#N/A":
                    cell.data_type = "e"
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


def ods(rows: Sequence[Sequence[str]]) -> bytes:
    """An OpenDocument spreadsheet of cells as XML has them."""
    table = "".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in rows)
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    tables = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
    texts = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
    content = (
        f'<office:document-content xmlns:office="{office}" xmlns:table="{tables}" '
        f'xmlns:text="{texts}"><office:body><office:spreadsheet><table:table table:name="Sheet1">'
        f"{table}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr("content.xml", content)
    return body.getvalue()


def ask(
    server: LocalServer,
    body: bytes,
    filters: Mapping[str, Mapping[str, Any]] | None = None,
    kind: str = "Excel",
    **params: Any,
) -> Batch:
    """What becomes of a file."""
    url = server.answer("/file", Reply(200, body, content_type="application/octet-stream"))
    return fetch(
        kind, filters, **{"url": url, "timezone": "UTC", "ts": "t", "value": "v", **params}
    )


MIDNIGHT, MORNING = map(datetime.fromisoformat, ("2024-05-01T00:00", "2024-05-01T06:00"))
ROWS: list[list[Any]] = [["t", "v"], [MIDNIGHT, 1.5], [MORNING, 2]]
EXPECTED = {"2024-05-01T00:00:00Z": 1.5, "2024-05-01T06:00:00Z": 2.0}


@pytest.mark.parametrize("epoch", [CALENDAR_WINDOWS_1900, CALENDAR_MAC_1904])
def test_dates_are_dates_in_both_date_systems(server: LocalServer, epoch: Any) -> None:
    """Of 1900 and of 1904, whatever the time format of texts is."""
    body = workbook({"A": ROWS}, epoch=epoch)
    assert points(ask(server, body)) == EXPECTED
    assert points(ask(server, body, time_format="%d.%m.%Y")) == EXPECTED


@pytest.mark.parametrize(
    ("rows", "params"),
    [
        ([["Report"], [], ["2024", None, "x"], *ROWS], {"header_row": 4}),
        ([["Report"], [], ["2024", None, "x"], *ROWS], {"header_row": "^t;v"}),
        ([[], *ROWS, ["Sum", 3.5]], {"footer": "^Sum"}),
        ([ROWS[0], ["date", "MW"], *ROWS[1:]], {"first_row": "^2024"}),
        ([["Report"], *ROWS[1:]], {"header": False, "first_row": "^2024", "ts": 1, "value": 2}),
    ],
)
def test_a_table_is_found_in_its_sheet(
    server: LocalServer, rows: list[list[Any]], params: dict[str, Any]
) -> None:
    """By the number of its header, or by what stands in a row."""
    assert points(ask(server, workbook({"A": rows}), **params)) == EXPECTED


def test_a_sheet_is_chosen_by_name_or_number(server: LocalServer) -> None:
    """One that is not there names those that are."""
    body = workbook({"First": [["x"]], "2nd": ROWS})
    assert points(ask(server, body, sheet="2nd")) == EXPECTED
    assert points(ask(server, body, sheet=2)) == EXPECTED
    for sheet in ("Second", 3):
        with pytest.raises(BadDataError) as refused:
            ask(server, body, sheet=sheet)
        assert f"has no sheet {sheet!r}; the sheets are First, 2nd" in str(refused.value)


def test_cells_with_errors_and_empty_ones_are_no_values(server: LocalServer) -> None:
    """A text where a number should be is refused."""
    rows: list[list[Any]] = [
        ["t", "v"],
        [date(2024, 5, 1), "#N/A"],
        [date(2024, 5, 2), None],
        [date(2024, 5, 3), 3],
        [date(2024, 5, 4), "many"],
    ]
    batch = ask(server, workbook({"A": rows}))
    assert list(points(batch).values()) == [None, None, 3]
    assert "many" in batch.rejections[0].reason


def test_a_date_and_a_time_of_day_are_one_time(server: LocalServer) -> None:
    """Whether the time is a time, or a length; a filter may be a whole number."""
    rows: list[list[Any]] = [
        ["day", "hour", "zone", "v"],
        [date(2024, 5, 1), time(4, 30), 1, 1],
        [date(2024, 5, 1), timedelta(hours=5), 1, 2],
        [date(2024, 5, 1), time(4, 30), 2, 9],
    ]
    batch = ask(server, workbook({"A": rows}), {"a": {"zone": 1}}, ts=["day", "hour"])
    assert points(batch, "a") == {"2024-05-01T04:30:00Z": 1, "2024-05-01T05:00:00Z": 2}


def test_a_day_in_a_cell_above_and_times_as_columns(server: LocalServer) -> None:
    """Text of a sheet is found as in tables."""
    rows: list[list[Any]] = [["Day", date(2024, 5, 1)], ["area", "00:00", "01:00"], ["N", 1, 2]]
    batch = ask(
        server,
        workbook({"A": rows}),
        header_row=2,
        layout="wide",
        columns=":",
        fields={"day": {"text": r"Day;(\S+?)(?:;|\s)"}},
        ts=["day", "header"],
        value="cell",
    )
    assert points(batch) == {"2024-05-01T00:00:00Z": 1, "2024-05-01T01:00:00Z": 2}


def test_open_document_spreadsheets_are_read(server: LocalServer) -> None:
    """With their dates."""
    text = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    body = ods(
        [
            [text.format("t"), text.format("v")],
            [
                (
                    '<table:table-cell office:value-type="date" '
                    'office:date-value="2024-05-01T06:00:00"/>'
                ),
                '<table:table-cell office:value-type="float" office:value="2.5"/>',
            ],
        ]
    )
    assert points(ask(server, body)) == {"2024-05-01T06:00:00Z": 2.5}


@pytest.mark.parametrize(
    ("body", "params", "said"),
    [
        (b"t;v\n1;2\n", {}, "is no Excel file"),
        (b"<!doctype html><p>Login", {}, "is a page of HTML, not an Excel file"),
        (workbook({"A": ROWS})[:-40], {}, "is an archive that cannot be opened"),
        (
            workbook({"A": ROWS}),
            {"value": "w"},
            "has no column 'w' in its sheet 'A'; they are: t, v",
        ),
        (
            workbook({"A": ROWS}),
            {"header_row": "^x"},
            "no row that fits header_row '^x' in its sheet",
        ),
        (workbook({"A": ROWS}), {"header_row": 9}, "has no row 9 in its sheet 'A', but 3"),
    ],
)
def test_what_is_not_there_names_what_is(
    server: LocalServer, body: bytes, params: dict[str, Any], said: str
) -> None:
    """A file of another kind, a column, a row."""
    with pytest.raises(BadDataError) as refused:
        ask(server, body, **params)
    assert said in str(refused.value)


def test_what_cannot_be_meant_is_refused() -> None:
    """Before anything is asked."""
    for params, said in (
        ({"sheet": 0}, "sheet must be a column's name"),
        ({"header_row": "("}, "header_row is no regular expression"),
        ({"header": False}, "without a header a column has no name"),
        ({"shet": "A"}, "did you mean 'sheet'"),
    ):
        given: dict[str, Any] = {"url": "http://x/", "ts": "t", "value": "v", **params}
        with pytest.raises(ParameterError) as refused:
            plugin_of("Excel", **given)
        assert said in str(refused.value)


def test_parquet_and_arrow_files_are_read(server: LocalServer) -> None:
    """Times with and without a zone, decimals, coded texts, and what is missing."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import ipc, parquet

    table = pa.table(
        {
            "t": pa.array([MIDNIGHT, MORNING], pa.timestamp("ns")),
            "z": pa.array(
                [datetime(2024, 5, 1, 6, tzinfo=UTC), None], pa.timestamp("ms", "Europe/Berlin")
            ),
            "v": pa.array([1.5, None]),
            "d": pa.array(["10.25", "-1.00"]).cast(pa.decimal128(8, 2)),
            "area": pa.array(["N", "S"]).dictionary_encode(),
        }
    )
    written = io.BytesIO()
    parquet.write_table(table, written)
    arrow = io.BytesIO()
    with ipc.new_file(arrow, table.schema) as writer:
        writer.write_table(table)
    for body in (written.getvalue(), arrow.getvalue()):
        batch = ask(server, body, {"v": {}, "d": {"value": "d"}}, "Parquet")
        assert list(points(batch, "v").values()) == [1.5, None]
        assert list(points(batch, "d").values()) == [10.25, -1.0]
        batch = ask(server, body, {"n": {"area": "N"}}, "Parquet", ts="z")
        assert points(batch, "n") == {"2024-05-01T06:00:00Z": 1.5}
        with pytest.raises(BadDataError, match="has no column 'x' in the file; they are: t, z"):
            ask(server, body, {"x": {"value": "x"}}, "Parquet")
    with pytest.raises(BadDataError, match="is no Parquet or Arrow file"):
        ask(server, b"t,v\n", {"x": {}}, "Parquet")
    with pytest.raises(BadDataError, match="cannot be read"):
        ask(server, written.getvalue()[:90], {"x": {}}, "Parquet")
