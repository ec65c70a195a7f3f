"""The CSV plugins on files and URLs of every dialect: the points, or a plain complaint."""

from __future__ import annotations

import asyncio
import csv
import io
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.http_server import Reply

from dataportal.errors import BadDataError, FetchError, PermanentError
from dataportal.observations import clean
from dataportal.plugins.base_plugin import TimeSeriesDefinition, TimeSeriesMetadata
from dataportal.plugins.data_sources.csv_plugin import CsvDataSourcePlugin, CsvMultiSeriesPlugin
from dataportal.plugins.http import HttpClient

if TYPE_CHECKING:
    from pathlib import Path

    from support.http_server import LocalServer

EVER = ("0001-01-01T00:00:00Z", None)
DAY = datetime(2025, 3, 1, tzinfo=UTC)


def columns(
    root: Path, window: tuple[str, str | None] = EVER, **params: Any
) -> tuple[list[Any], list[Any]]:
    """Times and values of a table."""

    async def fetch() -> dict[str, list[Any]]:
        plugin = CsvDataSourcePlugin(TimeSeriesMetadata("table"), params)
        plugin.config_dir = root
        plugin.http = HttpClient()
        try:
            return await plugin.get_historical_data(*window)
        finally:
            await plugin.http.aclose()

    answer = asyncio.run(fetch())
    return answer["ts"], answer["value"]


def several(
    root: Path,
    filters: dict[str, dict[str, Any]],
    window: tuple[str, str | None] = EVER,
    **params: Any,
) -> dict[str, dict[str, list[Any]]]:
    """Times and values of several series of a table."""
    series = [TimeSeriesDefinition(name, extract_filter=own) for name, own in filters.items()]
    plugin = CsvMultiSeriesPlugin("group", params, series, "1 day")
    plugin.config_dir = root
    return asyncio.run(plugin.get_historical_data_multi(*window))


@pytest.fixture
def table(tmp_path: Path) -> TableFile:
    """A file to write a table into."""
    return TableFile(tmp_path)


class TableFile:
    """One file `t.csv` in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, text: str | bytes) -> None:
        """Let the file hold this."""
        raw = text.encode() if isinstance(text, str) else text
        (self.root / "t.csv").write_bytes(raw)

    def read(
        self, text: str | bytes, window: tuple[str, str | None] = EVER, **params: Any
    ) -> tuple[list[Any], list[Any]]:
        """Times and values of a file with this text."""
        self.write(text)
        return columns(self.root, window, path="t.csv", **params)

    def values(self, text: str | bytes, **params: Any) -> list[Any]:
        """The values of a file with this text."""
        return self.read(text, **params)[1]


PLAIN = "time,value\n2025-03-01T00:00Z,1.5\n2025-03-01T01:00Z,-2\n"


def test_plain_table(table: TableFile) -> None:
    """Two columns with a header need nothing but a path."""
    assert table.read(PLAIN) == ([DAY, DAY + timedelta(hours=1)], [1.5, -2.0])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("last", ["", "\n"])
def test_dialects(table: TableFile, delimiter: str, line_end: str, mark: bytes, last: str) -> None:
    """Delimiter, line ends, a byte order mark and the last line end do not matter."""
    text = PLAIN.strip().replace(",", delimiter).replace("\n", line_end) + last.replace(
        "\n", line_end
    )
    expected = ([DAY, DAY + timedelta(hours=1)], [1.5, -2.0])
    assert table.read(mark + text.encode(), value_column="value", ts_column="time") == expected
    assert table.read(mark + text.encode(), delimiter=delimiter, encoding="utf-8") == expected


# a lone \r ends a line for every reader, but before Python 3.13 the writer leaves it unquoted
CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)


@given(
    st.lists(
        st.tuples(CELL, st.none() | st.floats(allow_nan=False, allow_infinity=False)), min_size=1
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_a_csv_writer_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, float | None]],
    delimiter: str,
    line_end: str,
) -> None:
    """Any text cell, quoted as the csv module does, leaves the columns beside it as they are."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end)
    writer.writerow(["time", "note, of any; kind", "value"])
    for hour, (note, value) in enumerate(rows):
        writer.writerow(
            [(DAY + timedelta(hours=hour)).isoformat(), note, "" if value is None else value]
        )
    table = TableFile(tmp_path_factory.mktemp("csv"))
    instants, values = table.read(text.getvalue(), value_column="value", delimiter=delimiter)
    assert values == [value for _, value in rows]
    assert instants == [DAY + timedelta(hours=hour) for hour in range(len(rows))]


def test_delimiter_is_found_beside_decimal_commas(table: TableFile) -> None:
    """With a decimal comma the comma is not the delimiter, with or without a header."""
    assert table.values("time;value\n2025-03-01Z;1,5\n", decimal=",") == [1.5]
    assert table.values("2025-03-01;1,5\n2025-03-02;2,5\n", decimal=",", header=False) == [1.5, 2.5]
    assert table.values("time,value\n2025-03-01,1.5\n") == [1.5]


@pytest.mark.parametrize(
    ("cell", "value", "params"),
    [
        ("1e3", 1000.0, {}),
        ("+.5", 0.5, {}),
        ("5.", 5.0, {}),
        (" 7 ", 7.0, {}),
        ('"7"', 7.0, {}),
        ("-0.0", 0.0, {}),
        ("1.234,5", 1234.5, {"decimal": ",", "thousands": ".", "delimiter": ";"}),
        ("1.234.567", 1234567.0, {"decimal": ",", "thousands": ".", "delimiter": ";"}),
        ("12", 12.0, {"decimal": ",", "thousands": ".", "delimiter": ";"}),
        ("1 234.5", 1234.5, {"thousands": " "}),
        ("1'234", 1234.0, {"thousands": "'"}),
        ("2", 0.002, {"scale": 0.001}),
        ("1e400", float("inf"), {}),
    ],
)
def test_numbers(table: TableFile, cell: str, value: float, params: dict[str, Any]) -> None:
    """Numbers in the dialect that is declared."""
    delimiter = params.get("delimiter", ",")
    assert table.values(f"time{delimiter}value\n2025-03-01{delimiter}{cell}\n", **params) == [value]


@pytest.mark.parametrize(
    ("cell", "params"),
    [
        ("abc", {}),
        ("1_0", {}),
        ("0x1", {}),
        ("\u0661", {}),
        ("inf", {}),
        ("1 2", {}),
        ("<5", {}),
        ("true", {}),
        ("1.5", {"decimal": ",", "thousands": ".", "delimiter": ";"}),
        ("1,5", {"delimiter": ";"}),
        ("12.34", {"decimal": ",", "delimiter": ";"}),
        ("1 23", {"thousands": " "}),
        ("1.500", {"decimal": ",", "delimiter": ";"}),
    ],
)
def test_what_is_no_number_is_refused_and_not_lost(
    table: TableFile, cell: str, params: dict[str, Any]
) -> None:
    """Text, or a number in another dialect, reaches the run, which refuses it."""
    delimiter = params.get("delimiter", ",")
    rows = f"2025-03-01T00Z{delimiter}1\n2025-03-01T01Z{delimiter}{cell}\n"
    instants, values = table.read(f"time{delimiter}value\n{rows}", **params)
    assert values[0] == 1.0
    assert values[1].startswith(cell)
    answer = {"a": {"ts": instants, "value": values}}
    batch = clean(answer, series=["a"], start=None, end=None, zone=None)
    assert (batch.received, batch.rejected, batch.series["a"].values) == (2, 1, [1.0])
    assert batch.rejections[0].position == 1


def test_missing_values(table: TableFile) -> None:
    """What stands for "no value" becomes None; a list of one's own replaces the usual one."""
    cells = ["", "NA", "n/a", "NULL", "NaN", "-", " ", "-999", "-999.0", "."]
    hours = enumerate(cells)
    text = "time,value\n" + "".join(f"2025-03-01T{hour:02}Z,{cell}\n" for hour, cell in hours)
    assert table.values(text) == [None] * 7 + [-999.0, -999.0, "."]
    assert table.values(text, missing=["", -999, "."])[-3:] == [None, None, None]
    assert table.values(text, missing=[-999])[:2] == ["", "NA"]


@pytest.mark.parametrize(
    ("cell", "time_format", "instant"),
    [
        ("2025-03-01T00:00:00+00:00", "", DAY),
        ("2025-03-01T01:00+01:00", "", DAY),
        ("20250301", "%Y%m%d", DAY.replace(tzinfo=None)),
        ("01.03.2025 00:00", "%d.%m.%Y %H:%M", DAY.replace(tzinfo=None)),
        ("2025-03-01 01:00 +0100", "%Y-%m-%d %H:%M %z", DAY),
        ("2025", "%Y", datetime(2025, 1, 1)),  # noqa: DTZ001 - as it is written
        ("1740787200", "unix", DAY),
        ("1740787200.25", "unix", DAY + timedelta(seconds=0.25)),
        ("1740787200000", "unix_ms", DAY),
        ("yesterday", "", "yesterday"),
        ("yesterday", "%Y", "yesterday (not %Y)"),
        ("2025-03-01", "%d.%m.%Y", "2025-03-01 (not %d.%m.%Y)"),
        ("1e99", "unix", "1e99 (not unix)"),
        ("nan", "unix", "nan (not unix)"),
        ("", "", ""),
    ],
)
def test_times(table: TableFile, cell: str, time_format: str, instant: Any) -> None:
    """Times in the format declared; a local one stays local, what is none is passed on."""
    instants, values = table.read(f"time,value\n{cell},1\n", time_format=time_format)
    assert values == [1.0]
    assert instants == [instant]


def test_local_times_are_resolved_by_the_run(table: TableFile) -> None:
    """The doubled hour of autumn in local time: both rows arrive, and the run keeps them apart."""
    rows = [f"2025-10-26 0{hour}:00,{n}" for n, hour in enumerate((1, 2, 2, 3))]
    instants, values = table.read("time,value\n" + "\n".join(rows))
    answer = {"a": {"ts": instants, "value": values}}
    batch = clean(answer, series=["a"], start=None, end=None, zone=ZoneInfo("Europe/Berlin"))
    first = datetime(2025, 10, 25, 23, tzinfo=UTC)
    assert batch.series["a"].ts == [first + timedelta(hours=hour) for hour in range(4)]
    assert batch.series["a"].values == [0.0, 1.0, 2.0, 3.0]


def test_only_the_window_is_returned(table: TableFile) -> None:
    """Rows outside of [start, end) are left out; of local times a day more, for their zone."""
    hours = [DAY + timedelta(hours=hour) for hour in range(240)]
    text = "time,value\n" + "".join(f"{hour.isoformat()},1\n" for hour in hours)
    start, end = hours[100], hours[120]
    instants, _ = table.read(text, (start.isoformat(), end.isoformat()))
    assert instants == hours[100:120]
    instants, _ = table.read(text, (start.isoformat(), None))
    assert instants == hours[100:]
    local = text.replace("+00:00", "")
    instants, _ = table.read(local, (start.isoformat(), end.isoformat()))
    assert [instant.replace(tzinfo=UTC) for instant in instants] == hours[76:144]


def test_columns_by_name_and_by_number(table: TableFile) -> None:
    """A name, or a number from 1; the order of the columns does not matter."""
    text = "price,volume,when\n1,10,2025-03-01\n2,20,2025-03-02\n"
    assert table.values(text, ts_column="when", value_column="volume") == [10.0, 20.0]
    assert table.values(text, ts_column=3, value_column=1) == [1.0, 2.0]


def test_lines_that_are_no_part_of_the_table(table: TableFile) -> None:
    """Lines before the header, comments and blank lines are passed over."""
    before = 'Report\n"unbalanced\n\n# note "a"\n'
    text = before + "time,value\n\n2025-03-01,1\n# x\n,\n  ,  \n2025-03-02,2\n"
    assert table.values(text, skip_rows=2, comment="#") == [1.0, 2.0]


def test_a_table_is_found_between_texts(table: TableFile) -> None:
    """By patterns of its header, of its first row, and of the line after it."""
    text = "Station,Bonn\ntime,value\nUTC,MW\n2025-03-01,1\n2025-03-02,2\nSum,3\n"
    patterns = {"header_row": "^time,", "first_row": "^2025", "footer": "^Sum"}
    assert table.values(text, **patterns) == [1.0, 2.0]
    assert table.values(text, **{**patterns, "header_row": 2}) == [1.0, 2.0]


@pytest.mark.parametrize("text", ["", "\n\n", "time,value\n", "\ufeff", "# nothing yet\n"])
def test_empty_table_is_no_points(table: TableFile, text: str) -> None:
    """A file without a row is legitimate: a provider may have nothing yet."""
    assert table.read(text, comment="#") == ([], [])


@pytest.mark.parametrize(
    ("text", "params", "complaint"),
    [
        (PLAIN, {"value_column": "price"}, r"no column 'price'; the columns are: time, value"),
        (PLAIN, {"value_column": 3}, r"no column 3; the columns are: time, value"),
        ("time\n2025-03-01\n", {}, r"no column 2.*Is the delimiter right\?"),
        (
            "2025-03-01,1\n",
            {"header": False, "value_column": 3},
            r"no column 3; the columns are: 2",
        ),
        ("a,b,b\n1,2,3\n", {"value_column": "b"}, r"2 columns 'b'"),
        (
            "time,value\n2025-03-01,1\n\n2025-03-02\n",
            {},
            r"t\.csv:4: the row has 1 column, at least 2",
        ),
        ('time,value\n2025-03-01,1\n"2025,1\n', {}, r"t\.csv:3: .*"),
        ('time,value\n"a"b,1\n', {}, r"t\.csv:2: "),
        ("time,value\n2025-03-01," + "9" * 200_000 + "\n", {}, r"t\.csv:2: field larger"),
        (b"time,value\n2025-03-01,\xff\n", {}, r"not text of the encoding.*cp1252"),
    ],
)
def test_table_that_cannot_be_read(
    table: TableFile, text: str | bytes, params: dict[str, Any], complaint: str
) -> None:
    """The file, the line or the columns there are, and what may be wrong."""
    with pytest.raises(BadDataError, match=complaint) as caught:
        table.read(text, **params)
    assert "t.csv" in str(caught.value)


def test_terminal_escapes_in_a_header_are_harmless(table: TableFile) -> None:
    """Names of columns that are shown come from outside."""
    with pytest.raises(BadDataError) as caught:
        table.read("\x1b[2Ja,b\n1,2\n", value_column="c")
    assert str(caught.value).isprintable()


def test_encoding(table: TableFile) -> None:
    """A declared encoding reads what UTF-8 cannot."""
    text = "Datum;Größe\n2025-03-01;1\n"
    assert table.values(text.encode("cp1252"), encoding="cp1252", value_column="Größe") == [1.0]
    assert table.values(text.encode("utf-16"), encoding="utf-16", value_column="Größe") == [1.0]


def test_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is permanent, and the whole path is said."""
    with pytest.raises(PermanentError, match="there is no file") as caught:
        columns(tmp_path, path="sub/none.csv")
    assert str(tmp_path / "sub" / "none.csv") in str(caught.value)
    with pytest.raises(PermanentError, match="cannot be read"):
        columns(tmp_path, path=".")


def test_absolute_path_needs_no_folder(
    table: TableFile, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An absolute path is taken as it is."""
    table.write(PLAIN)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert columns(elsewhere, path=str(table.root / "t.csv"))[1] == [1.5, -2.0]


def test_table_of_a_url(server: LocalServer, tmp_path: Path) -> None:
    """A URL is read like a file, in the charset that the answer declares, headers sent along."""
    text = "Datum;Größe\r\n2025-03-01;1,5\r\n".encode("latin-1")
    url = server.answer("/t.csv", Reply(body=text, content_type="text/csv; charset=latin-1"))
    headers = {"x-api-key": "canary-of-a-key"}
    params: dict[str, Any] = {"decimal": ",", "value_column": "Größe", "headers": headers}
    assert columns(tmp_path, url=url, **params)[1] == [1.5]
    assert columns(tmp_path, url="t.csv", base_url=server.url + "/", **params)[1] == [1.5]
    assert server.requests[0].headers["x-api-key"] == "canary-of-a-key"


def test_a_body_of_no_bytes_lacks_its_header(server: LocalServer, tmp_path: Path) -> None:
    """It was cut, or is not written yet; 204, and a table without a header, may be empty."""
    with pytest.raises(BadDataError, match="not even a header; it is empty"):
        columns(tmp_path, url=server.answer("/t.csv", Reply()))
    assert columns(tmp_path, url=server.answer("/n.csv", Reply(204))) == ([], [])
    url = server.answer("/h.csv", Reply())
    assert columns(tmp_path, url=url, header=False) == ([], [])


def test_page_is_no_table(server: LocalServer, tmp_path: Path) -> None:
    """A page under 200 is not read as a table of one column."""
    url = server.answer("/t.csv", Reply(body=b"<!doctype html>,\n1,2"))
    with pytest.raises(BadDataError, match="is a page of HTML"):
        columns(tmp_path, url=url)


@pytest.mark.parametrize("status", [404, 503])
def test_failure_of_a_url(server: LocalServer, tmp_path: Path, status: int) -> None:
    """What the client says of a failing URL is passed on."""
    with pytest.raises(FetchError, match=str(status)):
        columns(tmp_path, url=server.answer("/t.csv", Reply(status)))


WIDE = "time,price,load,wind\n2025-03-01,1,10,100\n2025-03-02,2,,200\n"
LONG = """time,area,kind,value
2025-03-01,DE,load,1
2025-03-01,DE,wind,2
2025-03-01,FR,load,3
2025-03-02,DE,load,4
2025-03-02,NO,load,5
2025-03-02, FR ,load,6
"""


def test_series_of_a_wide_table(table: TableFile) -> None:
    """Each series has a column of its own; without a filter the group's column counts."""
    table.write(WIDE)
    filters: dict[str, dict[str, Any]] = {
        "p": {"value_column": "price"},
        "l": {"value_column": 3},
        "w": {},
    }
    by_series = several(table.root, filters, path="t.csv", value_column="wind")
    assert {name: columns["value"] for name, columns in by_series.items()} == {
        "p": [1.0, 2.0],
        "l": [10.0, None],
        "w": [100.0, 200.0],
    }
    assert all(len(columns["ts"]) == 2 for columns in by_series.values())


def test_series_of_a_long_table(table: TableFile) -> None:
    """Rows go to the series whose filter they meet: one, several or none."""
    table.write(LONG)
    filters = {
        "de": {"area": "DE", "kind": "load"},
        "fr": {"area": "FR", "value_column": "value"},
        "load": {"kind": "load"},
        "none": {"area": "XX"},
    }
    by_series = several(table.root, filters, path="t.csv", value_column="value")
    assert {name: columns["value"] for name, columns in by_series.items()} == {
        "de": [1.0, 4.0],
        "fr": [3.0, 6.0],
        "load": [1.0, 3.0, 4.0, 5.0, 6.0],
        "none": [],
    }


def test_filter_on_a_number(table: TableFile) -> None:
    """A number in YAML stands for its text in the table."""
    table.write("time,station,value\n2025-03-01,42,1\n2025-03-01,43,2\n")
    by_series = several(table.root, {"a": {"station": 42}}, path="t.csv", value_column="value")
    assert by_series["a"]["value"] == [1.0]


def test_filter_on_a_column_that_is_not_there(table: TableFile) -> None:
    """A filter that can match nothing, ever, is a complaint and no empty series."""
    table.write(LONG)
    with pytest.raises(BadDataError, match="no column 'zone'; the columns are: time, area"):
        several(table.root, {"a": {"zone": "DE"}}, path="t.csv", value_column="value")


@pytest.mark.parametrize(
    ("params", "fault"),
    [
        ({}, "give either path or url"),
        ({"path": "a", "url": "http://x/a"}, "give either path or url"),
        ({"path": "a", "base_url": "http://x"}, "base_url goes with a url"),
        ({"url": "http://x/a", "base_url": "http://y"}, "base_url goes with a url"),
        ({"path": "a", "delimiter": ";;"}, "delimiter must be one character"),
        ({"path": "a", "decimal": "·"}, "decimal must be"),
        ({"path": "a", "decimal": ",", "delimiter": ","}, "cannot both be"),
        ({"path": "a", "thousands": "."}, "thousands must be"),
        ({"path": "a", "thousands": "0"}, "thousands must be"),
        ({"path": "a", "encoding": "klingon"}, "encoding: 'klingon' is not known"),
        ({"path": "a", "encoding": "hex"}, "encoding: 'hex' is not known"),
        ({"path": "a", "scale": 0}, "scale must not be 0"),
        ({"path": "a", "scale": "two"}, "scale must be a number"),
        ({"path": "a", "skip_rows": -1}, "skip_rows must be a whole number"),
        ({"path": "a", "header": "yes"}, "header must be true or false"),
        ({"path": "a", "header": False, "value_column": "x"}, "must be numbers"),
        ({"path": "a", "value_column": 0}, "value_column must be a column's name"),
        ({"path": "a", "missing": "NA"}, "missing must be a list"),
        ({"path": "a", "headers": ["x"]}, "headers must map"),
        ({"path": "a", "ts_colum": 1}, "did you mean 'ts_column'"),
    ],
)
def test_parameters_that_cannot_work(params: dict[str, Any], fault: str) -> None:
    """A wrong parameter is found when the plugin is made, and named, for both plugins."""
    with pytest.raises(ValueError, match=fault):
        CsvDataSourcePlugin(TimeSeriesMetadata("table"), params)
    with pytest.raises(ValueError, match=fault):
        CsvMultiSeriesPlugin("group", params, [], "1 day")


@pytest.mark.parametrize(
    ("params", "own", "fault"),
    [
        ({}, {"value_column": 0}, "extract_filter of a: value_column must be"),
        ({}, {"area": True}, "extract_filter of a: area must be a text"),
        ({"header": False}, {"area": "DE"}, "columns have no names"),
    ],
)
def test_filters_that_cannot_work(params: dict[str, Any], own: dict[str, Any], fault: str) -> None:
    """A wrong filter is found when the plugin is made, and names its series."""
    series = [TimeSeriesDefinition("a", extract_filter=own)]
    with pytest.raises(ValueError, match=fault):
        CsvMultiSeriesPlugin("group", {"path": "t.csv", **params}, series, "1 day")


@pytest.mark.slow
def test_large_table_is_read_as_a_stream(table: TableFile) -> None:
    """Of a table much larger than its window only the window is kept in memory."""
    hours = (DAY + timedelta(minutes=minute) for minute in range(100_000))
    table.write("time,value\n" + "".join(f"{hour.isoformat()},1.5\n" for hour in hours))
    tracemalloc.start()
    try:
        end = (DAY + timedelta(hours=1)).isoformat()
        instants, _ = columns(table.root, (DAY.isoformat(), end), path="t.csv")
        assert len(instants) == 60
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_an_hour_that_a_day_has_not_may_be_a_row_without_a_value(tmp_path: Path) -> None:
    """That which the clocks skip, and the 25th; with a value the run is told."""
    text = (
        "time,value\n2025-03-30 1,1\n2025-03-30 2,\n2025-03-30 3,3\n"
        "2025-10-25 24,4\n2025-10-25 25,\n2025-10-26 2,\n"
    )
    for skipped in ("", "7"):
        (tmp_path / "t.csv").write_text(text.replace("-30 2,", f"-30 2,{skipped}"))
        plugin = CsvDataSourcePlugin(
            TimeSeriesMetadata("table"), {"path": "t.csv", "time_format": "%Y-%m-%d %H"}
        )
        plugin.config_dir, plugin.zone = tmp_path, ZoneInfo("Europe/Berlin")
        answer = asyncio.run(plugin.get_historical_data(*EVER))
        assert answer["value"] == [1.0, *([7.0] if skipped else []), 3.0, 4.0, None]
