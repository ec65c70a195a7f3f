"""The Python API: what it answers, by hand; what it refuses, and with which words."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from support.points_model import at

import dataportal as dp
from dataportal.availability import parse_availability

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dataportal.analysis.rows import SeriesPoint

KNOWN_THROUGH = at(48)


def values(rows: list[SeriesPoint]) -> dict[tuple[str, int], float | None]:
    """Values by series and hour."""
    return {(row.series, (row.ts - at(0)) // timedelta(hours=1)): row.value for row in rows}


@pytest.mark.usefixtures("either_way")
def test_values_known_now(portal: dp.Portal) -> None:
    """One series after the other, in order of ts, as typed tuples; half-open ranges."""
    table = portal.read(["load", "wind"], start="2025-03-01T02:00Z", end=at(4))
    assert values(table.to_list()) == {
        ("load", 2): 202.0, ("load", 3): 203.0, ("wind", 2): 202.0, ("wind", 3): 203.0,
    }  # fmt: skip
    assert [row.series for row in table] == ["load", "load", "wind", "wind"]
    assert (len(table), table.columns) == (4, ("series", "ts", "value"))
    assert table.to_list()[0].ts.utcoffset() == timedelta()
    assert not table.final
    assert table.as_of is None


@pytest.mark.usefixtures("either_way")
def test_values_as_of_a_time_are_final_only_if_those_of_each_series_are(portal: dp.Portal) -> None:
    """Load is final up to 3 March, wind up to the 2nd."""
    table = portal.read("load", as_of="2025-03-01T03:30Z")
    assert values(table.to_list()) == {("load", 0): 100.0, ("load", 1): 101.0, ("load", 2): 102.0}
    assert (table.as_of, table.final, table.notes) == (at(3.5), True, ())
    assert portal.read(["load", "wind"], as_of=at(20)).final
    later = portal.read(["load", "wind"], as_of=at(40))
    assert not later.final
    (note,) = later.notes
    assert note.endswith("what is known of 1 of 2 series is final up to 2025-03-02T00:00:00Z")
    assert [(one.series, one.final) for one in later.facts.series] == [
        ("load", True), ("wind", False),
    ]  # fmt: skip


@pytest.mark.usefixtures("either_way")
def test_every_question_of_the_command(portal: dp.Portal) -> None:
    """Leads, cutoffs and releases, as texts and as Python has them."""
    lead = portal.read("load", lead="-2h", end="2025-03-01T01:00Z")
    assert values(lead.to_list()) == {("load", 0): 100.0}
    assert lead.final
    assert portal.read("load", lead=timedelta(hours=-7), end=at(1)).to_list()[0].value == 200.0
    cutoff: Any
    for cutoff in (
        "D 04:30 Europe/Berlin",
        ("D", "04:30", "Europe/Berlin"),
        ("D", time(4, 30), ZoneInfo("Europe/Berlin")),
    ):
        rows = portal.read("load", cutoff=cutoff).to_list()
        assert values(rows) == {("load", 0): 100.0, ("load", 1): 101.0, ("load", 2): 102.0}
    first = portal.read("wind", release="first")
    assert values(first.to_list())["wind", 2] == 102.0
    assert values(portal.read("wind", release=2).to_list())["wind", 2] == 202.0
    assert not portal.read("wind", release=3).to_list()
    assert portal.read("load", as_of=date(2025, 3, 1)).to_list() == []


@pytest.mark.usefixtures("either_way")
def test_details_say_since_when_and_until_when(portal: dp.Portal) -> None:
    """As the columns of CSV do."""
    (row,) = portal.read("load", as_of=at(3), start=at(1), end=at(2), details=True)
    assert tuple(row) == ("load", at(1), 101.0, at(2), at(7), True)
    assert (row.valid_from, row.valid_to, row.final) == (at(2), at(7), True)


@pytest.mark.usefixtures("either_way")
def test_series_side_by_side(portal: dp.Portal) -> None:
    """A row for each ts of any of them; nothing where there is none."""
    table = portal.read(["wind", "load"], wide=True, end=at(4))
    assert table.columns == ("ts", "wind", "load")
    assert table.to_list() == [
        (at(0), None, 200.0),
        (at(1), None, 201.0),
        (at(2), 202.0, 202.0),
        (at(3), 203.0, 203.0),
    ]
    assert portal.read(["wind", "load"], wide=True, end=at(0)).to_list() == []


@pytest.mark.usefixtures("either_way")
def test_decisions_get_what_was_known_at_each(portal: dp.Portal) -> None:
    """All rows and columns in their order, and one for each series."""
    frame = {"id": ["a", "b", "c"], "ts": [at(2)] * 3, "decided": [at(2), at(3), at(8)]}
    table = portal.join(frame, ["load", "wind"], known="decided")
    assert table.columns == ("id", "ts", "decided", "load", "wind")
    assert table.to_list() == [
        ("a", at(2), at(2), None, None),
        ("b", at(2), at(3), 102.0, 102.0),
        ("c", at(2), at(8), 202.0, 202.0),
    ]
    assert table.final
    pairs = [(at(2), at(3)), (at(2), at(100))]
    assert [row[2:] for row in portal.join(pairs, "load")] == [(102.0,), (202.0,)]
    assert not portal.join(pairs, "load").final
    rows = [{"ts": at(2), "decided_at": at(3)}]
    assert portal.join(rows, "load").to_list() == [(at(2), at(3), 102.0)]
    assert portal.join([], "load").to_list() == []


@pytest.mark.usefixtures("either_way")
def test_how_values_came_about(portal: dp.Portal) -> None:
    """Vintages, every revision, how large they are by age, and what is missing."""
    matrix = portal.matrix("wind", end=at(3))
    assert matrix.columns == ("ts", "2025-03-01T03:00:00Z", "2025-03-01T08:00:00Z")
    assert matrix.to_list() == [(at(2), 102.0, 202.0)]
    (revision,) = portal.revisions("load", end=at(1))
    assert revision == ("load", at(0), 100.0, 200.0, at(6), timedelta(hours=6))
    (ages,) = [row for row in portal.revisions("load", by_age=True) if row.revisions]
    assert (ages.revisions, ages.bias, ages.age_up_to) == (6, 100.0, timedelta(hours=6))
    (gap,) = portal.gaps("wind", start=at(0))
    assert gap == ("wind", at(0), at(2), 2)
    assert portal.issues("wind").to_list() == []
    assert portal.issues("wind").notes


@pytest.mark.usefixtures("either_way")
def test_runs_of_a_forecast(portal: dp.Portal, stored_url: str) -> None:
    """One of them is read whole, by its time or its day, or as the latest."""
    with psycopg.connect(stored_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO time_series_issue"
            " (issued_at, first_ts, last_ts, run_id, series_id, points)"
            " SELECT '2025-03-01 04:00Z', '2025-03-01 02:00Z', '2025-03-01 03:00Z', 1,"
            " series_id, 2 FROM time_series WHERE endpoint_prefix = 'wind'"
        )
    assert portal.issues("wind").to_list() == [("wind", at(4), at(2), at(3), 2)]
    for issued in ("2025-03-01T04:00Z", date(2025, 3, 1), "latest", at(4)):
        table = portal.read("wind", issued=issued)
        assert values(table.to_list()) == {("wind", 2): 102.0, ("wind", 3): 103.0}
        assert table.facts.series[0].issued_at == at(4)
    with pytest.raises(ValueError, match="was not issued then; the last before is 2025-03-01T04"):
        portal.read("wind", issued="2025-03-02")


@pytest.mark.usefixtures("either_way")
def test_the_catalogue(portal: dp.Portal) -> None:
    """By words, units and globs, with the extent of each series."""
    (row,) = portal.series("grid load", unit="MW")
    assert (row.series, row.unit, row.zone, row.licence) == ("load", "MW", "Europe/Berlin", "CC0")
    assert (row.first_ts, row.last_ts, row.known_through) == (at(0), at(5), KNOWN_THROUGH)
    assert [row.series for row in portal.series()] == ["load", "wind"]
    assert [row.series for row in portal.series(where={"source": "w*"})] == ["wind"]
    with pytest.raises(ValueError, match="unit=GW matches none of 2 series"):
        portal.series(unit="GW")


@pytest.mark.usefixtures("either_way")
def test_what_is_assumed_is_marked_and_never_final(portal: dp.Portal, stored_url: str) -> None:
    """Only where somebody says when values are usually there."""
    with pytest.raises(ValueError, match="assume: nobody says when values of 'load' are available"):
        portal.read("load", as_of=at(3), assume=True)
    with psycopg.connect(stored_url, autocommit=True) as connection:
        # half an hour before the first version of each came
        rule = json.dumps(parse_availability("ts + 30 minutes").record(None))
        connection.execute("UPDATE time_series SET availability = %s", [rule])
    with pytest.raises(ValueError, match="assume goes with as_of, lead or cutoff"):
        portal.read("load", assume=True)
    table = portal.read("load", as_of=at(2.75), assume=True)
    assert table.columns == ("series", "ts", "value", "assumed")
    assert [tuple(row[1:]) for row in table] == [
        (at(0), 100.0, False),
        (at(1), 101.0, False),
        (at(2), 102.0, True),
    ]
    assert not table.final
    assert table.notes[0].startswith("this answer is provisional: values marked assumed")
    wide = portal.read(["load", "wind"], as_of=at(2.75), wide=True, assume=True)
    assert wide.columns == ("ts", "assumed", "load", "wind")
    assert wide.to_list() == [
        (at(0), False, 100.0, None),
        (at(1), False, 101.0, None),
        (at(2), True, 102.0, 102.0),
    ]
    decisions = [(at(2), at(2.75)), (at(2), at(3)), (at(0), at(3))]
    joined = portal.join(decisions, ["load", "wind"], assume=True)
    assert joined.columns == ("ts", "decided_at", "assumed", "load", "wind")
    assert [row[2:] for row in joined] == [
        (True, 102.0, 102.0),
        (False, 102.0, 102.0),
        (False, 100.0, None),
    ]
    assert not joined.final
    details = portal.read("load", as_of=at(2.75), start=at(2), details=True, assume=True)
    assert details.to_list() == [("load", at(2), 102.0, at(3), at(8), False, True)]


@pytest.mark.parametrize(
    ("ask", "kind", "words"),
    [
        (lambda p: p.read("laod"), KeyError, "there is no series 'laod'.* Did you mean 'load'"),
        (lambda p: p.read("x*"), KeyError, r"'x\*' matches no series"),
        (lambda p: p.read(), ValueError, "no series is named"),
        (lambda p: p.read("load", as_of="yesterday"), ValueError, "as_of: 'yesterday' is neither"),
        (lambda p: p.read("load", as_of=datetime(2025, 1, 1)), ValueError, "as_of=.* no time zone"),  # noqa: DTZ001
        (lambda p: p.read("load", lead="1h", as_of="now"), ValueError, "as_of and lead exclude"),
        (lambda p: p.read("load", lead="soon"), ValueError, "lead: 'soon' is not a duration"),
        (lambda p: p.read("load", lead=7), ValueError, "lead=7 is no duration"),
        (lambda p: p.read("load", cutoff="noon"), ValueError, "cutoff='noon' is no time of day"),
        (lambda p: p.read("load", cutoff=5), ValueError, "cutoff=5 is no time of day"),
        (lambda p: p.read("load", where={"unit": "kg"}), ValueError, "^where unit=kg matches none"),
        (lambda p: p.gaps("nothing"), KeyError, r"See: portal\.series\(\)"),
        (lambda p: p.read("load", release=0), ValueError, "release='0' is none"),
        (
            lambda p: p.read("load", issued="latest"),
            ValueError,
            "issued='latest': no run of 'load'",
        ),
        (lambda p: p.read("load", recorded="now"), ValueError, "recorded goes with by='published'"),
        (lambda p: p.read("load", by="guess"), ValueError, "by='guess' is none of"),
        (lambda p: p.read("load", start=at(1), end=at(1)), ValueError, "does not lie before end="),
        (lambda p: p.read("load", wide=True, details=True), ValueError, "exclude each other"),
        (lambda p: p.read("load", where=["colour=red"]), ValueError, "a series has no 'colour'"),
        (lambda p: p.matrix("laod"), KeyError, "Did you mean 'load'"),
        (lambda p: p.matrix(["load", "wind"]), ValueError, "is not the name of one series"),
        (lambda p: p.batches("load", rows=0), ValueError, "rows=0 is no number of rows"),
        (lambda p: p.join([(at(0), at(1))], "load", ts="hour"), ValueError, ""),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(
    portal: dp.Portal,
    ask: Callable[[Any], object],
    kind: type[Exception],
    words: str,
) -> None:
    """By an error of the family, which is also what Python would raise; it names the argument."""
    if not words:
        ask(portal)  # pairs have no names of their own
        return
    with pytest.raises(kind, match=words) as caught:
        ask(portal)
    assert isinstance(caught.value, dp.DataportalError)


@pytest.mark.usefixtures("either_way")
def test_a_frame_that_will_not_do_says_which_column(portal: dp.Portal) -> None:
    """Naive times, no times, a missing time, a missing column, a name that is taken."""
    naive = datetime(2025, 3, 1)  # noqa: DTZ001 - on purpose
    good = {"ts": [at(0)], "decided_at": [at(1)]}
    for change, kind, words in (
        ({"decided_at": [naive]}, ValueError, "column 'decided_at' of the frame has times without"),
        ({"ts": [naive]}, ValueError, "column 'ts' of the frame has times without a zone"),
        ({"ts": ["2025-03-01"]}, ValueError, "column 'ts' of the frame has no time"),
        ({"ts": [None]}, ValueError, "column 'ts' of the frame has no time"),
        ({"load": [1.0]}, ValueError, "the frame has a column 'load' already"),
    ):
        with pytest.raises(kind, match=words):
            portal.join({**good, **change}, "load")
    with pytest.raises(
        KeyError, match=r"the frame has no column 'decided'\. Did you mean 'decided_at'"
    ):
        portal.join(good, "load", known="decided")
    with pytest.raises(ValueError, match="a int is no frame"):
        portal.join(7, "load")


@pytest.mark.usefixtures("either_way")
def test_a_table_that_would_not_fit_says_how_many_rows(stored_url: str) -> None:
    """And how to read it all the same."""
    with dp.connect(stored_url, memory=100) as portal:
        for wide in (False, True):
            with pytest.raises(MemoryError, match=r"has 10 rows and does not fit.*batches\(\)"):
                portal.read(["load", "wind"], wide=wide)
        assert len(list(portal.rows(["load", "wind"]))) == 10
        with pytest.raises(MemoryError, match="rows and more, and 11 columns"):
            portal.matrix("load")


def test_what_does_not_fit_is_read_piece_by_piece(portal: dp.Portal) -> None:
    """The batches are the table, long and wide, and say what it is."""
    for wide in (False, True):
        whole = portal.read(["load", "wind"], wide=wide).to_arrow()
        reader = portal.batches(["load", "wind"], wide=wide, rows=3)
        batches = list(reader)
        assert len(batches) > 1
        assert [row for batch in batches for row in batch.to_pylist()] == whole.to_pylist()
        assert reader.schema.equals(whole.schema, check_metadata=True)
    details = portal.batches("load", details=True).read_all()
    assert details.column_names == ["series", "ts", "value", "valid_from", "valid_to", "final"]


def test_without_the_extra_the_command_that_installs_it_is_named(
    portal: dp.Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of ours by its extra, of others by their names."""
    table = portal.read("load")
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ImportError, match="pip install polars"):
        table.to_polars()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    table = portal.read("load")
    for ask in (table.to_arrow, table.to_pandas, lambda: portal.batches("load")):
        with pytest.raises(ImportError, match=r"pip install 'dataportal\[frames\]'"):
            ask()


def test_a_closed_portal_says_so(stored_url: str) -> None:
    """Its name shows no password; closing twice is nothing."""
    with dp.connect(stored_url) as portal:
        assert "Portal to" in repr(portal)
    portal.close()
    assert repr(portal).endswith(", closed>")
    with pytest.raises(ValueError, match="the portal is closed"):
        portal.read("load")


def test_a_database_must_be_named(
    monkeypatch: pytest.MonkeyPatch, stored_url: str, tmp_path: Path
) -> None:
    """By a URL or the environment; no server is started for want of one."""
    for name in ("DATABASE_URL", "DATABASE_URL_FILE", "DATABASE_READ_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(dp.ConfigurationError, match="no database is named"):
        dp.connect()
    with pytest.raises(dp.ConfigurationError, match="the URL does not begin with postgresql://"):
        dp.connect("mysql://localhost/energy")
    with pytest.raises(
        dp.ConfigurationError, match=r"there is no embedded database in .*/none yet"
    ):
        dp.connect(f"embedded:{tmp_path}/none")
    with pytest.raises(dp.DatabaseError, match="connecting to the database"):
        dp.connect("postgresql://127.0.0.1:9/energy")
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:9/energy")
    monkeypatch.setenv("DATABASE_READ_URL", stored_url)
    # what only a run needs is of no concern
    monkeypatch.setenv("MAX_RETRIES", "many")
    with dp.connect() as portal:
        assert len(portal.series()) == 2


def test_nothing_can_be_written(portal: dp.Portal) -> None:
    """The session refuses it, whatever the role may."""
    with (
        portal._sessions.session() as connection,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        connection.execute("DELETE FROM time_series")


def test_times_without_an_offset_are_of_the_zone_that_is_set(
    stored_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SCHEDULER_TIMEZONE, as for the command."""
    monkeypatch.setenv("SCHEDULER_TIMEZONE", "Europe/Berlin")
    with dp.connect(stored_url) as portal:
        assert portal.read("load", as_of="2025-03-01T04:30").as_of == datetime(
            2025, 3, 1, 3, 30, tzinfo=UTC
        )
