"""A million observations in one answer, read into series, against the bare parser of its format.

python tests/benchmarks/bench_answers.py
python tests/benchmarks/bench_answers.py json-stat csv
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sys
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
from measuring import Verdicts, best
from support.memory_use import run_watching_memory

from dataportal.plugins.data_sources.http_plugin import _Api
from dataportal.plugins.declarative.csv_records import CsvReader
from dataportal.plugins.declarative.excel_records import ExcelReader
from dataportal.plugins.declarative.json_records import JsonReader
from dataportal.plugins.http.response import Answer
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.times import Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataportal.plugins.declarative.records import Reader

SERIES, LENGTH = 100, 10_000
ROWS, COLUMNS = 200_000, 5
LARGEST = 700
EVER = Window("1990-01-01", "2100-01-01")
ZONE = ZoneInfo("Europe/Berlin")
DAYS = [(date(1995, 1, 1) + timedelta(days=n)).isoformat() for n in range(LENGTH)]
AREAS = [f"A{n}" for n in range(SERIES)]
BY_AREA = [{"area": area} for area in AREAS]


def json_stat(*, sparse: bool) -> bytes:
    """Areas by days."""
    values: Any = [n * 0.5 for n in range(SERIES * LENGTH)]
    if sparse:
        values = {str(n): value for n, value in enumerate(values)}
    content = {
        "class": "dataset",
        "id": ["area", "time"],
        "size": [SERIES, LENGTH],
        "dimension": {
            name: {"category": {"index": {code: n for n, code in enumerate(codes)}}}
            for name, codes in (("area", AREAS), ("time", DAYS))
        },
        "value": values,
    }
    return json.dumps(content).encode()


def sdmx_json(*, flat: bool) -> bytes:
    """The same, by series, or with keys of both dimensions."""
    area = {"id": "area", "values": [{"id": code} for code in AREAS]}
    days = {"id": "TIME_PERIOD", "values": [{"id": day} for day in DAYS]}
    if flat:
        dimensions: dict[str, Any] = {"observation": [area, days]}
        data_set: dict[str, Any] = {
            "observations": {
                f"{a}:{n}": [a + n * 0.5, 0] for a in range(SERIES) for n in range(LENGTH)
            }
        }
    else:
        dimensions = {"series": [area], "observation": [days]}
        data_set = {
            "series": {
                str(a): {"observations": {str(n): [a + n * 0.5, 0] for n in range(LENGTH)}}
                for a in range(SERIES)
            }
        }
    status = {"id": "OBS_STATUS", "values": [{"id": "A"}]}
    structure = {"dimensions": dimensions, "attributes": {"observation": [status]}}
    return json.dumps({"data": {"structure": structure, "dataSets": [data_set]}}).encode()


def table() -> list[list[Any]]:
    """Times, and five columns of numbers beside them."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    rows: list[list[Any]] = [["time", *(f"c{n}" for n in range(COLUMNS))]]
    for row in range(ROWS):
        time = (start + timedelta(minutes=15 * row)).replace(tzinfo=None)
        rows.append([time, *(row + n * 0.25 for n in range(COLUMNS))])
    return rows


def csv_table() -> bytes:
    """As a text."""
    text = io.StringIO()
    header, *rows = table()
    csv.writer(text).writerows([header, *([row[0].isoformat(), *row[1:]] for row in rows)])
    return text.getvalue().encode()


def workbook() -> bytes:
    """As a workbook."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Data")
    for row in table():
        sheet.append(row)
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


def read_csv(body: bytes) -> list[list[str]]:
    """By the csv of the standard library."""
    return list(csv.reader(io.StringIO(body.decode(), newline="")))


def read_workbook(body: bytes) -> list[list[Any]]:
    """By python-calamine."""
    from python_calamine import CalamineWorkbook

    return CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()


OF_COLUMNS = [{"value": f"c{n}"} for n in range(COLUMNS)]
Case = tuple["Callable[[], bytes]", "Callable[[bytes], object]", "type[Reader]", Any, Any]
CASES: dict[str, Case] = {
    "json-stat": (
        lambda: json_stat(sparse=False),
        msgspec.json.decode,
        JsonReader,
        {"layout": "json-stat"},
        BY_AREA,
    ),
    "json-stat, sparse": (
        lambda: json_stat(sparse=True),
        msgspec.json.decode,
        JsonReader,
        {"layout": "json-stat"},
        BY_AREA,
    ),
    "sdmx-json": (
        lambda: sdmx_json(flat=False),
        msgspec.json.decode,
        JsonReader,
        {"layout": "sdmx-json"},
        BY_AREA,
    ),
    "sdmx-json, flat": (
        lambda: sdmx_json(flat=True),
        msgspec.json.decode,
        JsonReader,
        {"layout": "sdmx-json"},
        BY_AREA,
    ),
    "csv": (csv_table, read_csv, CsvReader, {"ts": "time"}, OF_COLUMNS),
    "xlsx": (workbook, read_workbook, ExcelReader, {"ts": "time"}, OF_COLUMNS),
}


def read(body: bytes, reader: type[Reader], params: dict[str, Any], filters: Any) -> int:
    """How many points an answer becomes."""
    api = _Api(Params({"url": "http://localhost/", **params}), reader)
    series = [api.series_extraction(own) for own in filters]
    (document,) = api._reader.documents(Answer(200, "http://localhost/", {}, body))
    api._extractor.extract(document.records(api._reader.rows), series, EVER, zone=ZONE)
    columns = [api._extractor.columns(one, EVER, ZONE) for one in series]
    return sum(len(one["ts"]) for one in columns if isinstance(one, dict))


def main() -> int:
    """Print every ratio, and the most memory that each takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=[*CASES])
    parser.add_argument("--memory", action="store_true", help="only read this one, to be watched")
    given = parser.parse_args()
    if given.memory:
        (make, _, reader, params, filters) = CASES[given.cases[0]]
        return int(read(make(), reader, params, filters) != SERIES * LENGTH)
    verdicts = Verdicts()
    for name in given.cases:
        make, parse, reader, params, filters = CASES[name]
        body = make()
        assert read(body, reader, params, filters) == SERIES * LENGTH
        ours, bare = best(
            partial(read, body, reader, params, filters), partial(parse, body), rounds=3
        )
        verdicts.at_most(f"{name}, a million observations", ours, "its parser", bare, 3)
        code, memory = run_watching_memory(
            *(sys.executable, __file__, "--memory", name), env=dict(os.environ)
        )
        assert code == 0
        verdicts.below(f"{name}, its memory", memory / 2**20, LARGEST, "MB")
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
