"""`dataportal read`: values at points in time, in every format, and what it refuses to answer."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from support.points_model import (
    Known,
    Published,
    Record,
    Version,
    at,
    store_known,
    store_published,
    store_series,
)
from support.store_feed import open_observer
from support.terminal import run_on_terminal

from dataportal.store.roles import grants

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import psycopg
    from conftest import RunCli

    Read = Callable[..., subprocess.CompletedProcess[str]]

# known by and by, revised, withdrawn; final up to the 30th hour
KNOWN = Known(
    (
        Version("load", at(24), 1.0, at(0), at(6)),
        Version("load", at(24), 2.0, at(6), at(30)),
        Version("load", at(24), 1.0, at(30), at(31)),
        Version("load", at(25), 5.0, at(12), None),
        Version("wind", at(25), 7.5, at(12), None),
        Version("wind", at(26), 8.5, at(13), None),
    )
)
PUBLISHED = Published(
    (
        Record("load", at(0), 1.0, at(1), at(5)),
        Record("load", at(1), 2.0, at(1), at(5)),
        Record("load", at(0), 9.9, at(1), at(29)),
        Record("load", at(1), 3.0, at(4), at(29)),
    )
)


@pytest.fixture
def look(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A database with these histories."""
    with open_observer(database_url) as connection:
        ids = store_series(connection)
        store_known(connection, ids, KNOWN)
        store_published(connection, ids, PUBLISHED)
        connection.execute(
            "INSERT INTO source_state (source, known_through) VALUES ('grid', %s)", [at(30)]
        )
        yield connection


@pytest.fixture
def read(look: psycopg.Connection[Any], database_url: str, run_cli: RunCli, tmp_path: Path) -> Read:
    """Asks `read` with these arguments, in an empty folder; the answer must be good."""

    def ask(*args: str, code: int = 0, **more: Any) -> subprocess.CompletedProcess[str]:
        done = run_cli("read", *args, env={"DATABASE_URL": database_url}, cwd=tmp_path, **more)
        assert done.returncode == code, done.stderr
        return done

    return ask


def table(read: Read, *args: str, **more: Any) -> list[list[str]]:
    """The rows of the answer in CSV, below its header."""
    return list(csv.reader(io.StringIO(read(*args, "--format", "csv", **more).stdout)))[1:]


def values(read: Read, *args: str) -> list[tuple[str, str, str]]:
    """Their series, hour and value."""
    return [(row[0], row[1][8:13], row[2]) for row in table(read, *args)]


def document(read: Read, *args: str) -> dict[str, Any]:
    """The answer in JSON."""
    answer: dict[str, Any] = json.loads(read(*args, "--json").stdout)
    return answer


def test_the_values_now(read: Read) -> None:
    """Of all series that are named, one after the other; withdrawn ones are not there."""
    assert values(read, "load", "wind") == [
        ("load", "02T01", "5"),
        ("wind", "02T01", "7.5"),
        ("wind", "02T02", "8.5"),
    ]
    done = read("load", "--format", "csv")
    assert done.stdout.splitlines()[0] == "series,ts,value,valid_from,valid_to"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--as-of", "2025-03-01T13:00Z"), {"02T00": "2", "02T01": "5"}),
        (("--as-of", "2025-03-02T06:00Z"), {"02T00": "1", "02T01": "5"}),
        (("--lead", "24h"), {"02T00": "1"}),
        (("--lead", "12h"), {"02T00": "2", "02T01": "5"}),
        (("--lead", "-6h"), {"02T00": "1", "02T01": "5"}),
        (("--cutoff", "D-1 06:00 Europe/Berlin"), {"02T00": "1"}),
        (("--cutoff", "d-1 07:00 Europe/Berlin"), {"02T00": "2"}),
        (("--cutoff", "D 06:00"), {"02T00": "1", "02T01": "5"}),
        (("--release", "first"), {"02T00": "1", "02T01": "5"}),
        (("--release", "2"), {"02T00": "2"}),
        (("--release", "latest"), {"02T01": "5"}),
        (("--start", "2025-03-02T01:00Z"), {"02T01": "5"}),
        (("--end", "2025-03-02T01:00Z"), {}),
        (("--lead", "12h", "--limit", "1"), {"02T01": "5"}),
    ],
)
def test_points_in_time(read: Read, options: tuple[str, ...], expected: dict[str, str]) -> None:
    """Which version of each observation is meant, worked out by hand."""
    assert {hour: value for _, hour, value in values(read, "load", *options)} == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), {"01T00": "9.9", "01T01": "3"}),
        (("--recorded", "2025-03-01T05:00Z"), {"01T00": "1", "01T01": "2"}),
        (("--as-of", "2025-03-01T03:00Z"), {"01T00": "9.9", "01T01": "2"}),
        (("--as-of", "2025-03-01"), {"01T00": "9.9", "01T01": "3"}),
        (("--as-of", "2025-03-01T00:30Z"), {}),
        (("--lead", "-1h"), {"01T00": "9.9", "01T01": "2"}),
        (("--release", "2"), {"01T01": "3"}),
        (("--issued", "2025-03-01T01:00Z"), {"01T00": "9.9", "01T01": "2"}),
        (("--issued", "latest"), {"01T01": "3"}),
        (("--issued", "latest", "--recorded", "2025-03-01T06:00Z"), {"01T00": "1", "01T01": "2"}),
    ],
)
def test_points_in_time_by_publication(
    read: Read, options: tuple[str, ...], expected: dict[str, str]
) -> None:
    """By the provider's times, with what was recorded by the second cut."""
    answer = values(read, "load", "--by", "published", *options)
    assert {hour: value for _, hour, value in answer} == expected


def test_each_format_says_what_is_final(read: Read) -> None:
    """And a note on stderr does where the answer is not."""
    for options, final in (
        (["--as-of", "2025-03-02T06:00Z"], True),
        (["--as-of", "2025-03-02T06:01Z"], False),
        (["--by", "published", "--recorded", "2025-03-02T06:00Z"], True),
        (["--by", "published"], False),
        (["--lead", "1h", "--end", "2025-03-02T07:00Z"], True),
        (["--lead", "1h", "--end", "2025-03-02T08:00Z"], False),
    ):
        answer = document(read, "load", *options)
        assert answer["final"] is final
        assert answer["series"][0]["final"] is final
        done = read("load", *options)
        assert (", final\n" in done.stdout, ", provisional\n" in done.stdout) == (final, not final)
        assert ("provisional" in done.stderr) is not final
        if options[0] != "--lead":
            finality = {row[-1] for row in table(read, "load", *options)}
            assert finality == {str(final).lower()}
    # of a staircase each step is final or not by its own time
    steps = table(read, "load", "wind", "--lead", "-5h")
    assert [(row[1][8:13], row[-1]) for row in steps] == [
        ("02T00", "true"),
        ("02T01", "true"),
        ("02T01", "true"),
        ("02T02", "false"),
    ]


def test_side_by_side(read: Read) -> None:
    """A row for each ts that any of them has, in their order; empty where there is nothing."""
    done = read("wind", "load", "--as-of", "2025-03-01T13:00Z", "--wide", "--format", "csv")
    assert done.stdout.splitlines() == [
        "ts,wind,load",
        "2025-03-02T00:00:00Z,,2",
        "2025-03-02T01:00:00Z,7.5,5",
        "2025-03-02T02:00:00Z,8.5,",
    ]
    answer = document(read, "wind", "load", "--wide", "--limit", "1")
    assert answer["observations"] == [
        {"ts": "2025-03-02T02:00:00Z", "values": {"wind": 8.5, "load": None}}
    ]
    lines = read("wind", "load", "--wide").stdout.splitlines()
    assert lines[0] == "2 series, as known now"
    assert lines[1].split() == ["TS", "wind", "load"]
    assert lines[3].split() == ["2025-03-02", "02:00Z", "8.5"]


def test_a_value_a_day(read: Read) -> None:
    """In the days of a zone, with how many values each holds."""
    options = ("load", "wind", "--every", "1 day", "--as-of", "2025-03-01T13:00Z")
    assert [row[:4] for row in table(read, *options)] == [
        ["load", "2025-03-02T00:00:00Z", "3.5", "2"],
        ["wind", "2025-03-02T00:00:00Z", "8", "2"],
    ]
    west = table(read, *options, "--zone", "America/New_York", "--agg", "sum")
    assert [row[:4] for row in west] == [
        ["load", "2025-03-01T05:00:00Z", "7", "2"],
        ["wind", "2025-03-01T05:00:00Z", "16", "2"],
    ]
    answer = document(read, *options, "--wide", "--agg", "count")
    assert (answer["every"], answer["agg"], answer["zone"]) == ("1 day", "count", "UTC")
    assert answer["observations"] == [
        {"ts": "2025-03-02T00:00:00Z", "values": {"load": 2.0, "wind": 2.0}}
    ]


ROWS = """\
2025-03-02T01:00Z,2025-03-01T13:00Z
2025-03-02T02:00Z,2025-03-01T12:30Z
2025-03-02T00:00Z,2025-03-01T05:59:59Z
"""


@pytest.mark.parametrize(
    "text",
    [
        ROWS,
        "ts,decided_at\n" + ROWS,
        "\ufeffTS,available_at\r\n" + ROWS.replace("\n", "\r\n"),
        "id,decision_time,ts\n"
        + "\n".join(f"7,{k},{ts}" for ts, k in (row.split(",") for row in ROWS.split())),
    ],
)
def test_a_table_of_decisions(read: Read, tmp_path: Path, text: str) -> None:
    """Each row has what was known then, in the order of the file; empty where nothing was."""
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8", newline="")
    done = read("load", "wind", "--at", "rows.csv", "--wide", "--format", "csv")
    assert done.stdout.splitlines() == [
        "ts,decided_at,load,wind",
        "2025-03-02T01:00:00Z,2025-03-01T13:00:00Z,5,7.5",
        "2025-03-02T02:00:00Z,2025-03-01T12:30:00Z,,",
        "2025-03-02T00:00:00Z,2025-03-01T05:59:59Z,1,",
    ]


def test_decisions_from_stdin_by_publication(read: Read) -> None:
    """With the second cut; final by that alone."""
    options = ("load", "--at", "-", "--by", "published", "--recorded", "2025-03-01T06:00Z")
    done = read(*options, "--format", "csv", input="2025-03-01,2025-03-01T02:00Z\n")
    assert done.stdout.splitlines() == [
        "series,ts,decided_at,value,published_at,recorded_at,final",
        (
            "load,2025-03-01T00:00:00Z,2025-03-01T02:00:00Z,1,2025-03-01T01:00:00Z,"
            "2025-03-01T05:00:00Z,true"
        ),
    ]


def test_the_ends_of_the_calendar(read: Read, look: psycopg.Connection[Any]) -> None:
    """Are answered like any other time."""
    look.execute(
        "INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, run_id)"
        " SELECT series_id, ts::timestamptz, 1, now(), 1"
        " FROM time_series, unnest(ARRAY['0001-01-02Z', '9999-12-31Z']) AS ts"
        " WHERE endpoint_prefix = 'wind'"
    )
    assert len(table(read, "wind", "--every", "1 year", "--zone", "Asia/Tokyo")) == 3
    for cutoff in ("D-9999 06:00", "D+9999 06:00"):
        for end in ("0001-01-03", "9999-12-31"):
            table(read, "wind", "--cutoff", cutoff, "--end", end)
    assert len(table(read, "wind", "--lead", "1000 years")) == 1


def test_names_from_stdin(read: Read) -> None:
    """`-` is a list of names, also beside conditions."""
    rows = read("-", "--where", "source=grid", "--format", "csv", input="wind\n\nload\n").stdout
    assert [row.split(",")[0] for row in rows.splitlines()[1:]] == ["wind", "wind", "load"]


def issue(look: psycopg.Connection[Any], *times: float) -> None:
    """Record that runs answered `load` at these hours, from the 24th hour to the 25th."""
    for run, hours in enumerate(times):
        look.execute(
            "INSERT INTO time_series_issue"
            " (series_id, issued_at, first_ts, last_ts, points, run_id)"
            " SELECT series_id, %s, %s, %s, 2, %s FROM time_series WHERE endpoint_prefix = 'load'",
            [at(hours), at(24), at(25), run],
        )


def test_one_run_of_a_forecast(read: Read, look: psycopg.Connection[Any]) -> None:
    """Whole; a day, a minute or a second may stand for the one run in it."""
    issue(look, 6 + 12 / 3600, 12.001, 36)
    for text in ("2025-03-01T06:00Z", "2025-03-01T06:00:12Z"):
        assert values(read, "load", "--issued", text) == [("load", "02T00", "2")]
    latest = document(read, "load", "--issued", "latest")
    assert latest["series"][0]["issued_at"] == "2025-03-02T12:00:00Z"
    assert values(read, "load", "--issued", "2025-03-02") == [("load", "02T01", "5")]
    for text, message in (
        ("2025-03-01", "was issued 2 times then: 2025-03-01T06:00:12Z, 2025-03-01T12:00:03"),
        ("2025-03-01T06:01Z", "the last before is 2025-03-01T06:00:12Z and the first after is"),
        ("2025-02-01", "What earlier runs answered was not recorded"),
    ):
        assert message in read("load", "--issued", text, code=2).stderr
    assert "no run of 'wind' recorded" in read("wind", "--issued", "latest", code=2).stderr


def test_a_file_is_whole_or_not_there(read: Read, tmp_path: Path) -> None:
    """Its ending says which format it has; the one before stays where something fails."""
    file = tmp_path / "load.csv"
    file.write_text("before")
    assert "no series" in read("lod", "-o", "load.csv", code=2).stderr
    assert file.read_text() == "before"
    assert read("load", "-o", "load.csv").stdout == ""
    assert file.read_text().splitlines()[1].startswith("load,2025-03-02T01:00:00Z,5,")
    read("load", "-o", "load.json")
    assert json.loads((tmp_path / "load.json").read_text())["observations"][0]["value"] == 5.0
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {"load.csv", "load.json"}
    assert "no folder nowhere" in read("load", "-o", "nowhere/a.csv", code=2).stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "name a series, or say --where"),
        (("lod",), "Did you mean 'load'?"),
        (("x*",), "'x*' matches no series"),
        (("--where", "unit=MW"), "--where unit=MW matches none of 2 series"),
        (("load", "--as-of", "now", "--lead", "1h"), "--as-of and --lead exclude each other"),
        (("load", "--recorded", "now"), "--recorded goes with --by published"),
        (("load", "--agg", "sum"), "--agg goes with --every"),
        (("load", "--zone", "UTC"), "--zone goes with --every"),
        (("load", "--every", "7 hours"), "does not fit into a day"),
        (("load", "--every", "1 day", "--zone", "Mars"), "'Mars' is not a time zone"),
        (("load", "--lead", "soon"), "--lead: 'soon' is not a duration"),
        (("load", "--lead", "9000 years"), "--lead 9000 years is longer than any history"),
        (("load", "--cutoff", "06:00"), "Write it like 'D-1 06:00 Europe/Berlin'"),
        (("load", "--cutoff", "D-1 25:00"), "Write it like 'D-1 06:00 Europe/Berlin'"),
        (("load", "--cutoff", "D-1 06:00 Mars"), "--cutoff: 'Mars' is not a time zone"),
        (("load", "--release", "0"), "--release '0' is none"),
        (("load", "--issued", "noon"), "--issued: 'noon' is neither"),
        (("load", "--at", "-", "--start", "7d"), "--at names every ts itself"),
        (("load", "--at", "missing.csv"), "there is no file missing.csv"),
        (("load", "--at", "-"), "stdin holds no rows"),
        (("load", "--start", "now", "--end", "7d"), "does not lie before"),
        (("load", "--issued", "latest", "--at", "-"), "--issued and --at exclude each other"),
    ],
)
def test_what_cannot_be_answered(read: Read, args: tuple[str, ...], message: str) -> None:
    """Is refused with the reason, and nothing is on stdout."""
    done = read(*args, code=2, input="")
    assert message in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS + "2025-03-02,hello\n", "stdin:4: 'hello' is not an ISO 8601 time"),
        ("ts,decided_at\n2025-03-02\n", "stdin:2: a row needs a ts and a time of decision"),
        ("ts\n2025-03-02\n", "stdin:2: a row needs a ts and a time of decision"),
        ("hello,2025-03-02\n", "stdin:1: 'hello' is not"),
    ],
)
def test_a_row_that_is_none_is_named(read: Read, rows: str, message: str) -> None:
    """By its line; nothing is answered."""
    done = read("load", "--at", "-", code=2, input=rows)
    assert message in done.stderr
    assert done.stdout == ""


def test_where_there_is_nothing_yet(read: Read) -> None:
    """A note says since when there is, or that there never will be."""
    before = read("load", "--as-of", "2025-02-01")
    assert "load: nothing was known of it before 2025-03-01T00:00:00Z" in before.stderr
    early = read("load", "--by", "published", "--as-of", "2025-02-01")
    assert "load: nothing of it was published before 2025-03-01T01:00:00Z" in early.stderr
    never = read("wind", "--by", "published")
    assert "wind: the provider does not say when it published" in never.stderr


def test_whoever_may_only_read_needs_nothing_else(
    look: psycopg.Connection[Any], run_cli: RunCli
) -> None:
    """A role with SELECT, a DATABASE_URL, and no sources.yaml."""
    name = f"reader_{look.info.dbname}"
    names = {"migrator": f"m_{name}", "writer": f"w_{name}", "reader": name}
    look.execute(grants(**names).encode())
    look.execute(f"ALTER ROLE {name} LOGIN PASSWORD 'for-tests-only'".encode())
    try:
        info = look.info
        url = f"postgresql://{name}:for-tests-only@/{info.dbname}?host={info.host}&port={info.port}"
        done = run_cli(
            "read", "load", "--lead", "12h", "--format", "csv", env={"DATABASE_URL": url}
        )
        assert len(done.stdout.splitlines()) == 3
    finally:
        for role in names.values():
            look.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_as_people_see_it(look: psycopg.Connection[Any], database_url: str) -> None:
    """On a terminal in columns, with the times of their zone."""
    env = {"DATABASE_URL": database_url, "SCHEDULER_TIMEZONE": "Europe/Berlin"}
    code, screen = run_on_terminal("read", "load", "--lead", "12h", env=env)[:2]
    assert code == 0
    assert "load, as known 12 hours before each ts, provisional" in screen
    assert "2025-03-02 01:00+01:00" in screen


def test_many_rows_come_as_they_are_read(look: psycopg.Connection[Any], read: Read) -> None:
    """More than are taken from the server at a time, in every format."""
    look.execute(
        "INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, run_id)"
        " SELECT series_id, timestamptz '2020-01-01Z' + n * interval '1 minute', n, now(), 1"
        " FROM time_series, generate_series(1, 30000) AS n WHERE endpoint_prefix = 'wind'"
    )
    assert len(table(read, "wind")) == len(table(read, "wind", "--wide")) == 30_002
    assert len(document(read, "wind", "load", "--wide")["observations"]) == 30_002
    last = table(read, "wind", "--limit", "3", "--as-of", "now")
    assert [row[2] for row in last] == ["30000", "7.5", "8.5"]
    days = table(read, "wind", "--limit", "2", "--every", "1 day", "--agg", "count")
    assert [row[1][:10] for row in days] == ["2020-01-21", "2025-03-02"]
    hours = ("--limit", "2", "--every", "1 hour", "--agg", "last", "--end", "2020-01-21")
    assert [row[2:] for row in table(read, "wind", *hours)] == [["28739", "60"], ["28799", "60"]]
