"""What the Python API answers is what `read --format csv` writes, value by value."""

from __future__ import annotations

import csv
import io
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.points_model import (
    SERIES,
    at,
    bounds,
    instants,
    known_histories,
    published_histories,
    store_known,
    store_published,
    store_series,
)

import dataportal as dp
from dataportal.analysis.extras import is_installed
from dataportal.cli.read_answers import answer_decisions, answer_points
from dataportal.cli.read_questions import PointOptions, parse_request
from dataportal.render.read import value_lines
from dataportal.render.table_formats import AnswerFormat
from dataportal.settings import Settings
from dataportal.store.connection import connect
from dataportal.store.read.selection import select_series
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg
    from support.points_model import Known, Published

NOW = datetime(2025, 3, 10, tzinfo=UTC)
TABLES = "time_series, time_series_data_scd2, time_series_vintage, source_state"
nothing: dict[str, str] = {}
points = st.one_of(
    st.just(nothing),
    instants.map(lambda time: {"as_of": iso(time)}),
    st.integers(-6, 30).map(lambda hours: {"lead": f"{hours}h"}),
    st.sampled_from(["D-1 06:00 Europe/Berlin", "D 04:00 UTC"]).map(lambda text: {"cutoff": text}),
    st.sampled_from(["first", "2", "3"]).map(lambda number: {"release": number}),
)
spans = st.fixed_dictionaries({"start": bounds, "end": bounds}).filter(
    lambda span: not (span["start"] and span["end"]) or span["start"] < span["end"]
)
properties = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def writer(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that stores what the portal reads."""
    with closing(connect(database_url, application_name="test")) as connection:
        yield connection


@pytest.fixture
def portal(database_url: str) -> Iterator[dp.Portal]:
    """A portal to the same database."""
    with dp.connect(database_url) as portal:
        yield portal


def store_anew(writer: psycopg.Connection[Any], known_through: datetime | None) -> dict[str, int]:
    """Two series without a value, and up to when they are final; nothing else is there."""
    writer.execute(f"TRUNCATE {TABLES}".encode())
    writer.execute(
        "INSERT INTO source_state (source, known_through) VALUES ('grid', %s)", [known_through]
    )
    return store_series(writer)


def csv_rows(
    connection: psycopg.Connection[Any],
    options: dict[str, Any],
    *,
    by_publication: bool = False,
    recorded: str | None = None,
    span: dict[str, datetime | None] | None = None,
    wide: bool = False,
) -> list[dict[str, str]]:
    """The lines that the command writes for these options, of both series."""
    names = PointOptions._fields
    request = parse_request(
        PointOptions(**{name: options.get(name) for name in names}),
        by_publication=by_publication,
        recorded=recorded,
        assume=False,
        every=None,
        aggregate=None,
        zone=None,
        start=(span or {}).get("start"),
        end=(span or {}).get("end"),
        limit=None,
        wide=wide,
        settings=Settings(),
        now=NOW,
    )
    selected = select_series(connection, SERIES)
    answer = answer_points if request.decisions is None else answer_decisions
    with answer(connection, request, selected, lambda *_: None) as values:
        text = "\n".join(value_lines(values, AnswerFormat.CSV, UTC))
    return list(csv.DictReader(io.StringIO(text)))


def cell(value: object) -> str:
    """A cell as CSV has it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def check_both_forms(
    portal: dp.Portal, connection: psycopg.Connection[Any], options: dict[str, Any], **more: Any
) -> None:
    """Long with all columns, and side by side."""
    by: Any = {
        "by": "published" if more.get("by_publication") else "known",
        "recorded": more.get("recorded"),
    }
    asked: dict[str, Any] = {**options, **by, **(more.get("span") or {})}
    wanted = csv_rows(connection, options, **more)
    long = portal.read(SERIES, details=True, **asked)
    rows = [dict(zip(long.columns, map(cell, row), strict=True)) for row in long]
    # of what is known now CSV does not say that it may change
    assert [{name: row[name] for name in wanted[0]} for row in rows if wanted] == wanted
    assert len(rows) == len(wanted)
    short = portal.read(SERIES, **asked)
    assert [tuple(map(cell, row)) for row in short] == [
        (row["series"], row["ts"], row["value"]) for row in wanted
    ]
    wide = portal.read(SERIES, wide=True, **asked)
    wanted_wide = csv_rows(connection, options, **more, wide=True)
    assert [dict(zip(wide.columns, map(cell, row), strict=True)) for row in wide] == wanted_wide
    if is_installed("pyarrow"):
        batches = portal.batches(SERIES, wide=True, rows=2, **asked).read_all()
        assert batches.to_pylist() == wide.to_arrow().to_pylist()


@pytest.mark.usefixtures("either_way")
@properties
@given(
    history=known_histories(),
    options=points,
    span=spans,
    known_through=st.one_of(st.none(), instants),
)
def test_what_was_known(
    writer: psycopg.Connection[Any],
    portal: dp.Portal,
    history: Known,
    options: dict[str, Any],
    span: dict[str, datetime | None],
    known_through: datetime | None,
) -> None:
    """Whatever the history, the question and the range of ts."""
    store_known(writer, store_anew(writer, known_through), history)
    check_both_forms(portal, writer, options, span=span)


@pytest.mark.usefixtures("either_way")
@properties
@given(
    history=published_histories(),
    options=points,
    span=spans,
    recorded=st.one_of(st.none(), instants.map(iso)),
)
def test_what_was_published(
    writer: psycopg.Connection[Any],
    portal: dp.Portal,
    history: Published,
    options: dict[str, Any],
    span: dict[str, datetime | None],
    recorded: str | None,
) -> None:
    """The same by the times of publication, with a second cut or without."""
    store_published(writer, store_anew(writer, NOW), history)
    check_both_forms(portal, writer, options, by_publication=True, recorded=recorded, span=span)


@properties
@given(
    history=known_histories(),
    decisions=st.lists(st.tuples(st.integers(0, 6).map(at), instants), min_size=1, max_size=8),
)
def test_decisions(
    writer: psycopg.Connection[Any],
    portal: dp.Portal,
    tmp_path: Path,
    history: Known,
    decisions: list[tuple[datetime, datetime]],
) -> None:
    """A frame that is joined is `read --at FILE --wide`."""
    store_known(writer, store_anew(writer, None), history)
    file = tmp_path / "decisions.csv"
    lines = ["ts,decided_at", *(f"{iso(ts)},{iso(decided)}" for ts, decided in decisions)]
    file.write_text("\n".join(lines), encoding="utf-8")
    wanted = csv_rows(writer, {"at": file}, wide=True)
    table = portal.join(decisions, SERIES)
    assert [dict(zip(table.columns, map(cell, row), strict=True)) for row in table] == wanted
