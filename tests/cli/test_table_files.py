"""Parquet and Arrow files of `read`, `history` and `dump`: the values of CSV, whole or not."""

from __future__ import annotations

import csv
import io
import json
import resource
import shlex
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import manual
from support.points_model import (
    SERIES,
    Known,
    Published,
    Record,
    Version,
    at,
    bounds,
    instants,
    known_histories,
    store_known,
    store_published,
    store_series,
)
from support.store_feed import open_observer

from dataportal.cli.read_answers import answer_points
from dataportal.cli.read_questions import Request
from dataportal.cli.table_output import write_values
from dataportal.render.read import value_lines
from dataportal.render.table_files import quote_name
from dataportal.render.table_formats import AnswerFormat, TableFormat
from dataportal.resampling import Aggregate, parse_step
from dataportal.store.connection import connect
from dataportal.store.read.points import Cutoff, Kind, PointQuestion
from dataportal.store.read.selection import select_series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import psycopg
    from conftest import RunCli

    Run = Callable[..., subprocess.CompletedProcess[str]]

HOURS_OF_YEAR = 365 * 24
# over the end of a year; revised, withdrawn, and back
KNOWN = Known(
    (
        Version("load", at(0), 1.5, at(1), at(6)),
        Version("load", at(0), 2.5, at(6), None),
        Version("load", at(1), -0.1, at(2), at(3)),
        Version("load", at(1), 0.3, at(5), None),
        Version("load", at(HOURS_OF_YEAR), 1e300, at(HOURS_OF_YEAR + 1), None),
        Version("wind", at(2), 7.5, at(12), None),
    )
)
PUBLISHED = Published(
    (
        Record("load", at(0), 1.0, at(1), at(5)),
        Record("load", at(0), 9.9, at(1), at(29)),
        Record("load", at(1), None, at(4), at(29)),
    )
)
ISSUE = (at(3), at(0), at(1), 2)


@pytest.fixture
def stored_url(database_url: str) -> str:
    """A database with these histories; what was known up to the 30th hour is final."""
    with open_observer(database_url) as connection:
        ids = store_series(connection)
        store_known(connection, ids, KNOWN)
        store_published(connection, ids, PUBLISHED)
        connection.execute(
            "INSERT INTO source_state (source, known_through) VALUES ('grid', %s)", [at(30)]
        )
        connection.execute(
            "UPDATE time_series SET unit = 'MW', ts_timezone = 'Europe/Berlin',"
            " published_timezone = 'America/New_York',"
            ' metadata = \'{"licence": "CC BY 4.0"}\''
        )
        connection.execute(
            "INSERT INTO time_series_issue"
            " (series_id, run_id, issued_at, first_ts, last_ts, points)"
            " VALUES (%s, 1, %s, %s, %s, %s)",
            [ids["load"], *ISSUE],
        )
    return database_url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder, in which the program runs."""
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.fixture
def program(run_cli: RunCli, stored_url: str, folder: Path) -> Run:
    """The program on this database; the answer must be good unless a code is named."""

    def run(*args: str, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
        done = run_cli(*args, env={"DATABASE_URL": stored_url, **env}, cwd=folder)
        assert done.returncode == code, done.stderr
        return done

    return run


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the program has it."""
    with closing(connect(database_url, application_name="test")) as connection:
        yield connection


def csv_rows(text: str) -> list[dict[str, Any]]:
    """The rows of CSV with their types: times, numbers, true and false; nothing is None."""

    def cell(name: str, written: str) -> Any:
        if name == "series":
            return written
        if not written:
            return None
        if written in {"true", "false"}:
            return written == "true"
        return datetime.fromisoformat(written) if "T" in written else float(written)

    reader = csv.DictReader(io.StringIO(text))
    return [{name: cell(name, written) for name, written in row.items()} for row in reader]


def table_rows(table: pa.Table) -> list[dict[str, Any]]:
    """The same of a table."""
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def read_table(path: Path) -> pa.Table:
    """A file of either kind."""
    if path.suffix == ".parquet":
        return pq.ParquetFile(path).read()
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


questions = st.one_of(
    st.just(PointQuestion()),
    instants.map(lambda moment: PointQuestion(kind=Kind.AS_OF, at=moment)),
    st.integers(-6, 30).map(lambda n: PointQuestion(kind=Kind.LEAD, lead=timedelta(hours=n))),
    st.just(PointQuestion(kind=Kind.CUTOFF, cutoff=Cutoff(1, time(6), ZoneInfo("Europe/Berlin")))),
    st.integers(1, 3).map(lambda n: PointQuestion(kind=Kind.RELEASE, number=n)),
    instants.map(lambda moment: PointQuestion(kind=Kind.AS_OF, at=moment, published=True)),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    history=known_histories(),
    question=questions,
    span=st.fixed_dictionaries({"start": bounds, "end": bounds}),
    wide=st.booleans(),
    every=st.sampled_from([None, "2 hours"]),
    limit=st.one_of(st.none(), st.integers(1, 3)),
    form=st.sampled_from(TableFormat),
)
def test_every_value_is_that_of_csv(
    connection: psycopg.Connection[Any],
    tmp_path_factory: pytest.TempPathFactory,
    history: Known,
    question: PointQuestion,
    span: dict[str, Any],
    wide: bool,  # noqa: FBT001 - drawn by its name
    every: str | None,
    limit: int | None,
    form: TableFormat,
) -> None:
    """And the same columns in the same order, whatever is asked, however it is laid out."""
    request = Request(
        question=question,
        as_of_day=None,
        issue=None,
        decisions=None,
        every=None if every is None else parse_step(every),
        aggregate=Aggregate.MEAN,
        zone=UTC,
        limit=limit,
        wide=wide,
        now=at(100),
        **span,
    )
    target = tmp_path_factory.mktemp("tables")
    connection.isolation_level = None
    connection.execute("TRUNCATE time_series, time_series_data_scd2, time_series_vintage")
    store_known(connection, store_series(connection), history)
    selected = select_series(connection, SERIES)

    def answer() -> Any:
        return answer_points(connection, request, selected, lambda *_: None)

    with answer() as values:
        written = "\n".join(value_lines(values, AnswerFormat.CSV, UTC))
    with answer() as values:
        write_values(target / f"answer.{form}", form, values)
    table = read_table(target / f"answer.{form}")
    assert table.column_names == written.split("\n")[0].split(",")
    assert table_rows(table) == csv_rows(written)
    if not wide:
        with answer() as values:
            write_values(target / "answer", form, values)
        parts = sorted((target / "answer").rglob(f"*.{form}"))
        rows = [
            {"series": path.parts[-3].removeprefix("series="), **row}
            for path in parts
            for row in table_rows(read_table(path))
        ]
        assert rows == csv_rows(written)
        assert all(
            {row["ts"].year for row in table_rows(read_table(path))}
            == {int(path.parts[-2].removeprefix("year="))}
            for path in parts
        )


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
@pytest.mark.parametrize(
    "question",
    [
        ("read", "load", "wind"),
        ("read", "load", "wind", "--as-of", "2025-03-01T05:00Z"),
        ("read", "load", "wind", "--wide"),
        ("read", "load", "--by", "published", "--as-of", "2026-01-01", "--recorded", "2026-01-01"),
        ("history", "load", "wind", "--start", "2025-01-01"),
        ("history", "load", "--as-of", "2025-03-01T05:00Z"),
        ("history", "load", "--as-of", "2025-02-28", "--by", "published"),
        ("history", "load", "wind", "--versions"),
        ("history", "load", "--versions", "--end", "2025-03-01T01:00Z"),
        ("history", "load", "--versions", "--by", "published"),
    ],
)
def test_the_ending_says_the_kind(
    program: Run, folder: Path, question: tuple[str, ...], suffix: str
) -> None:
    """Whatever is asked, and the values are those of CSV; what was there before is replaced."""
    target = folder / f"answer.{suffix}"
    target.write_text("older")
    expected = csv_rows(program(*question, "--format", "csv").stdout)
    done = program(*question, "-o", target.name)
    assert done.stdout == ""
    assert table_rows(read_table(target)) == expected
    assert expected
    assert sorted(path.name for path in folder.iterdir()) == [target.name]


def test_a_folder_is_read_as_one_table_by_others(program: Run, folder: Path) -> None:
    """DuckDB, polars, pandas and pyarrow take series and year from the names of the folders."""
    program("read", "load", "wind", "--format", "parquet", "-o", "values")
    assert sorted(str(p.relative_to(folder)) for p in folder.rglob("*.parquet")) == [
        "values/series=load/year=2025/part-0.parquet",
        "values/series=load/year=2026/part-0.parquet",
        "values/series=wind/year=2025/part-0.parquet",
    ]
    wanted = [
        (row["series"], row["ts"].year, row["ts"], row["value"])
        for row in csv_rows(program("read", "load", "wind", "--format", "csv").stdout)
    ]
    pattern = f"{folder}/values/**/*.parquet"
    query = (
        f"SELECT series, year, ts, value FROM read_parquet('{pattern}', hive_partitioning = true)"  # noqa: S608 - a folder of this test
        " ORDER BY series, ts"
    )
    with closing(duckdb.connect()) as database:
        database.execute("SET TimeZone = 'UTC'")
        rows = database.execute(query).fetchall()
    assert [(s, int(y), ts.astimezone(UTC), v) for s, y, ts, v in rows] == wanted
    columns = ["series", "year", "ts", "value"]
    frame = pl.read_parquet(f"{folder}/values/", hive_partitioning=True).sort("series", "ts")
    assert frame.select(columns).rows() == wanted
    table = pd.read_parquet(folder / "values").sort_values(["series", "ts"])
    found = zip(*(table[name] for name in columns), strict=True)
    assert [(str(s), int(y), ts.to_pydatetime(), v) for s, y, ts, v in found] == wanted
    dataset = ds.dataset(folder / "values", partitioning="hive").to_table()
    assert sorted(dataset.column("value").to_pylist()) == sorted(value for *_, value in wanted)


def test_names_that_are_no_names_of_folders(program: Run, stored_url: str, folder: Path) -> None:
    """A slash, a percent sign, a key and a glob in the name of a series come back as they were."""
    name = "a/b=c %2F*[x]:ü"
    with open_observer(stored_url) as look:
        look.execute(
            "UPDATE time_series SET endpoint_prefix = %s WHERE endpoint_prefix = 'wind'", [name]
        )
    program("read", name, "--format", "parquet", "-o", "values")
    frame = pl.read_parquet(f"{folder}/values/", hive_partitioning=True)
    assert frame["series"].to_list() == [name]
    assert pd.read_parquet(folder / "values")["series"].astype(str).to_list() == [name]
    pattern = f"{folder}/values/**/*.parquet"
    with closing(duckdb.connect()) as database:
        rows = database.execute(
            f"SELECT series FROM read_parquet('{pattern}', hive_partitioning = true)"  # noqa: S608 - a folder of this test
        ).fetchall()
    assert rows == [(name,)]
    assert "/" not in quote_name(name)


def test_what_the_files_say_of_themselves(program: Run, folder: Path) -> None:
    """Unit, zone, licence, as_of and whether it is final: of the whole, and of the column."""
    program("read", "load", "--as-of", "2025-03-01T05:00Z", "-o", "load.parquet")
    schema = pq.read_schema(folder / "load.parquet")
    whole = {key.decode(): value.decode() for key, value in schema.metadata.items()}
    assert (whole["as_of"], whole["final"], whole["by"]) == (
        "2025-03-01T05:00:00Z",
        "true",
        "known",
    )
    column = schema.field("value").metadata
    assert column[b"unit"] == b"MW"
    assert column[b"zone"] == b"Europe/Berlin"
    assert column[b"licence"] == b"CC BY 4.0"
    assert column[b"final"] == b"true"
    (series,) = json.loads(whole["series"])
    assert (series["series"], series["unit"]) == ("load", "MW")
    done = program("read", "load", "wind", "--lead", "-6h", "--wide", "-o", "wide.arrow")
    table = read_table(folder / "wide.arrow")
    assert table.schema.field("wind").metadata[b"unit"] == b"MW"
    notes = table.schema.metadata[b"notes"].decode()
    assert done.stderr == f"dataportal: {notes}\n"
    assert notes.startswith("this answer is provisional")


def test_a_dump_has_everything(program: Run, folder: Path) -> None:
    """Every version and publication, and the runs of forecasts; JSON counts them."""
    done = json.loads(
        program("dump", "load", "wind", "whole", "--format", "parquet", "--json").stdout
    )
    assert (done["ok"], done["file"], done["sha256"]) == (True, "whole", None)
    assert [(s["endpoint_prefix"], s["versions"], s["vintages"]) for s in done["series"]] == [
        ("load", 5, 3),
        ("wind", 1, 0),
    ]
    versions = pd.read_parquet(folder / "whole" / "versions").sort_values(
        ["series", "ts", "known_from"]
    )
    assert versions["value"].to_list() == [1.5, 2.5, -0.1, 0.3, 1e300, 7.5]
    assert [
        None if pd.isna(until) else until.to_pydatetime() for until in versions["known_to"]
    ] == [v.valid_to for v in KNOWN.versions]
    publications = pd.read_parquet(folder / "whole" / "publications")
    assert [v if v == v else None for v in publications["value"]] == [1.0, 9.9, None]  # noqa: PLR0124 - no number
    assert publications["recorded_at"].dt.to_pydatetime().tolist() == [at(5), at(29), at(29)]
    issues = pd.read_parquet(folder / "whole" / "issues")
    assert issues["points"].to_list() == [2]
    assert program("dump", "load", "whole", "--format", "parquet", code=2).stderr == (
        "dataportal: whole is not empty. Name a new folder, or empty this one first "
        "(dataportal help files)\n"
    )


@pytest.mark.parametrize("command", ["read", "history"])
@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (("--format", "parquet"), "--format parquet needs -o FILE, or -o FOLDER"),
        (("--format", "arrow", "-o", "x.parquet"), "x.parquet does not end in .arrow"),
        (("--format", "parquet", "-o", "there"), "there is not empty"),
        (("--format", "parquet", "-o", "file"), "file is a file: name a folder"),
        (("--format", "parquet", "-o", "no/x.parquet"), "there is no folder no"),
    ],
)
def test_targets_that_cannot_be(
    program: Run, folder: Path, command: str, args: tuple[str, ...], reason: str
) -> None:
    """Are refused before anything is asked, and nothing of them is touched."""
    (folder / "there").mkdir()
    (folder / "there" / "notes").write_text("mine")
    (folder / "file").write_text("mine")
    done = program(command, "load", *args, code=2)
    assert reason in done.stderr
    assert sorted(p.name for p in folder.rglob("*")) == ["file", "notes", "there"]


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (("read", "load", "--wide", "--format", "parquet", "-o", "x"), "cannot go into folders"),
        (("history", "load", "--matrix", "-o", "x.parquet"), "goes with --as-of or --versions"),
        (("history", "load", "--limit", "2", "-o", "x.parquet"), "--limit does not go with"),
        (("history", "load", "--versions", "--limit", "2"), "--versions has several for each"),
        (("dump", "load", "x.parquet", "--format", "parquet"), "versions and publications need"),
    ],
)
def test_questions_that_have_no_such_file(
    program: Run, folder: Path, args: tuple[str, ...], reason: str
) -> None:
    """Say what goes instead."""
    assert reason in program(*args, code=2).stderr
    assert list(folder.iterdir()) == []


def test_an_empty_folder_is_filled_and_an_empty_answer_is_told(program: Run, folder: Path) -> None:
    """A file without rows has its columns all the same."""
    (folder / "values").mkdir()
    program("read", "load", "--format", "arrow", "-o", "values")
    assert len(list((folder / "values").rglob("*.arrow"))) == 2
    done = program("read", "load", "--start", "2040-01-01", "-o", "none.parquet")
    assert "none.parquet holds no rows" in done.stderr
    table = read_table(folder / "none.parquet")
    assert table.column_names == ["series", "ts", "value", "valid_from", "valid_to"]
    assert table.num_rows == 0


@pytest.mark.parametrize(
    "args",
    [
        ("read", "load", "-o", "x.parquet"),
        ("history", "load", "--versions", "-o", "x.arrow"),
        ("dump", "load", "x", "--format", "parquet"),
        ("read", "load", "--at", "x.parquet"),
    ],
)
def test_a_missing_extra_names_the_command(
    program: Run, folder: Path, args: tuple[str, ...]
) -> None:
    """With the code of an installation that lacks something, and nothing is written."""
    hidden = folder / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['pyarrow'] = None\n")
    (folder / "x.parquet").write_bytes(b"PAR1")
    before = sorted(folder.rglob("*"))
    done = program(*args, code=78, PYTHONPATH=str(hidden))
    assert "pip install 'dataportal[frames]'" in done.stderr
    assert [p for p in sorted(folder.rglob("*")) if "__pycache__" not in str(p)] == before


@pytest.mark.parametrize(
    "args",
    [
        ("read", "load", "-o", "x.parquet"),
        ("read", "load", "-o", "x.arrow"),
        ("read", "load", "--format", "parquet", "-o", "folder"),
        ("dump", "load", "folder", "--format", "arrow"),
    ],
)
def test_a_full_disk_leaves_nothing(
    stored_url: str, folder: Path, clean_environment: dict[str, str], args: tuple[str, ...]
) -> None:
    """A file that may not grow is an error with its name, and what was there before stays."""
    with open_observer(stored_url) as look:
        look.execute(
            "INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, run_id)"
            " SELECT series_id, '2030-01-01Z'::timestamptz + n * interval '1 minute', random(),"
            " now(), 1 FROM time_series, generate_series(1, 20000) AS n"
            " WHERE endpoint_prefix = 'load'"
        )
    (folder / "x.parquet").write_text("older")
    done = subprocess.run(
        [sys.executable, "-m", "dataportal", *args],
        env={**clean_environment, "DATABASE_URL": stored_url},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert done.returncode == 2, done.stderr
    assert "cannot be written: " in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in folder.iterdir()] == ["x.parquet"]
    assert (folder / "x.parquet").read_text() == "older"


@pytest.mark.parametrize(
    "args",
    [
        ("read", "load", "-o", "x.parquet"),
        ("read", "load", "--format", "parquet", "-o", "folder"),
        ("dump", "load", "folder", "--format", "parquet"),
    ],
)
def test_a_crash_leaves_no_half_file(
    run_cli: RunCli, stored_url: str, folder: Path, args: tuple[str, ...]
) -> None:
    """Killed before it got its name, nothing is there by it; the next time it is."""
    env = {"DATABASE_URL": stored_url}
    killed = run_cli(
        *args, env={**env, "DATAPORTAL_FAILPOINT": "before_appearing:kill"}, cwd=folder
    )
    assert killed.returncode != 0
    assert all(path.name.startswith(".") for path in folder.iterdir())
    assert run_cli(*args, env=env, cwd=folder).returncode == 0


def decision_table(**columns: Any) -> pa.Table:
    """A table of decisions."""
    return pa.table(columns)


def write_decisions(path: Path, table: pa.Table) -> None:
    """As a file of the kind that its name says."""
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        with pa.ipc.new_file(str(path), table.schema) as writer:
            writer.write_table(table)


@pytest.mark.parametrize("name", ["decisions.parquet", "decisions.arrow", "decisions.feather"])
@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_decisions_in_a_file_of_columns(program: Run, folder: Path, name: str, unit: str) -> None:
    """Give what the same rows give in CSV, whatever their order and their other columns."""
    rows = [(at(0), at(5)), (at(0), at(7)), (at(1), at(4)), (at(0), at(0))]
    text = "ts,decided_at\n" + "\n".join(f"{a.isoformat()},{b.isoformat()}" for a, b in rows)
    (folder / "decisions.csv").write_text(text)
    kind = pa.timestamp(unit, tz="Europe/Berlin")
    table = decision_table(
        weight=[1.0, 2.0, 3.0, 4.0],
        available_at=pa.array([b for _, b in rows], kind),
        ts=pa.array([a for a, _ in rows], kind),
    )
    write_decisions(folder / name, table)
    expected = program("read", "load", "wind", "--at", "decisions.csv", "--format", "csv").stdout
    answer = program("read", "load", "wind", "--at", name, "--format", "csv").stdout
    assert answer == expected
    program("read", "load", "wind", "--at", name, "-o", "joined.parquet")
    assert table_rows(read_table(folder / "joined.parquet")) == csv_rows(expected)


AWARE = pa.array([at(0), at(1)], pa.timestamp("us", tz="UTC"))


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"ts": AWARE, "decided": AWARE}, "has no column 'decided_at': it has 'ts', 'decided'"),
        ({"time": AWARE, "decided_at": AWARE}, "has no column 'ts'"),
        (
            {"ts": AWARE, "decided_at": pa.array([at(0).replace(tzinfo=None)] * 2)},
            "the times of column 'decided_at' have no zone",
        ),
        ({"ts": AWARE, "decided_at": pa.array([1, 2])}, "column 'decided_at' holds int64"),
        (
            {"ts": AWARE, "decided_at": pa.array(["2025-03-01", "soon"])},
            "row 2: decided_at: 'soon'",
        ),
        ({"ts": AWARE, "decided_at": AWARE.take([0, None])}, "row 2: decided_at is empty"),
        ({"ts": AWARE.slice(0, 0), "decided_at": AWARE.slice(0, 0)}, "holds no rows"),
        (
            {"ts": AWARE, "decided_at": pa.array([1, 1_000], pa.timestamp("ns", tz="UTC"))},
            "column 'decided_at': Casting",
        ),
    ],
)
def test_decisions_that_are_none(
    program: Run, folder: Path, columns: dict[str, pa.Array], reason: str
) -> None:
    """Which column, and which row: nothing is answered."""
    write_decisions(folder / "d.parquet", decision_table(**columns))
    done = program("read", "load", "--at", "d.parquet", code=2)
    assert reason in done.stderr
    assert done.stdout == ""


def test_a_file_that_is_no_such_file(program: Run, folder: Path) -> None:
    """Is called so."""
    for name in ("d.parquet", "d.arrow"):
        (folder / name).write_text("ts,decided_at\n")
        assert f"{name} is no" in program("read", "load", "--at", name, code=2).stderr
        assert "there is no file" in program("read", "load", "--at", f"x{name}", code=2).stderr


def test_text_and_json_of_versions(program: Run) -> None:
    """The same rows in every format."""
    document = json.loads(program("history", "load", "--versions", "--json").stdout)
    rows = csv_rows(program("history", "load", "--versions", "--format", "csv").stdout)
    assert [
        {"series": "load", **row, **{n: row[n] and datetime.fromisoformat(row[n]) for n in TIMES}}
        for row in document["versions"]
    ] == rows
    lines = program("history", "load", "--versions").stdout.splitlines()
    assert lines[0] == "load in MW, every version"
    assert len(lines) == 2 + len(rows)
    published = program("history", "load", "--versions", "--by", "published").stdout.splitlines()
    assert published[0] == "load in MW, every publication, provisional"
    assert len(published) == 2 + 3


TIMES = ("ts", "known_from", "known_to")


def test_the_page_on_files_is_run(
    run_cli: RunCli, stored_url: str, folder: Path, clean_environment: dict[str, str]
) -> None:
    """Its commands and its Python, but for Feast: from the files that the commands wrote."""
    with open_observer(stored_url) as look:
        for series, name in (("load", "smard-1223-de-hour"), ("wind", "smard-4071-de-hour")):
            rename = "UPDATE time_series SET endpoint_prefix = %s WHERE endpoint_prefix = %s"
            look.execute(rename, [name, series])
    page = manual.page("files")
    commands = [line for block in page.blocks("sh") for line in block.splitlines()]
    scripts = [
        block
        for block in page.blocks("python")
        if "import feast" not in block and "from feast" not in block
    ]
    assert (len(commands), len(scripts)) == (6, 5)

    def run(command: str) -> None:
        program, *args = shlex.split(command)
        assert program == "dataportal"
        done = run_cli(*args, env={"DATABASE_URL": stored_url}, cwd=folder)
        assert done.returncode == 0, done.stderr

    for command in commands[:-1]:
        run(command)
    for script in scripts:
        subprocess.run(
            [sys.executable, "-c", script], cwd=folder, env=clean_environment, check=True
        )
    run(commands[-1])
    features = pq.read_table(folder / "features.parquet")
    assert features.column_names == ["ts", "decided_at", "smard-1223-de-hour"]
    versioned = pd.read_parquet(folder / "load_versioned.parquet")
    assert versioned.columns.to_list() == ["timestamp", "available_at", "load"]
    assert len(versioned) == sum(version.series == "load" for version in KNOWN.versions)
