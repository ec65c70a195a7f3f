"""`--assume` and `availability`: from sources.yaml to the answer, and how late values came."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support.http_server import Reply
from support.program_sources import table
from support.store_feed import history, open_observer

from dataportal.times import utc_now

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from conftest import RunCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile

    Run = Callable[..., subprocess.CompletedProcess[str]]

NOTE = (
    "this answer is provisional: values marked assumed were back-filled, and count as known by the "
    "availability of their series; they are today's values and not the first ones"
)


@pytest.fixture
def program(run_cli: RunCli, env: dict[str, str], tmp_path: Path) -> Run:
    """The program in the folder of sources.yaml; the answer must be good unless a code is named."""

    def run(*args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = run_cli(*args, env=env, cwd=tmp_path)
        assert done.returncode == code, done.stderr
        return done

    return run


@pytest.fixture
def loaded(program: Run, sources: SourceFile, server: LocalServer) -> Run:
    """Two values of 2025-03-01, from 00:00 and 01:00 on, whose series is there the next morning."""
    server.answer("/load.csv", table([1.0, 2.0]))
    sources.csv(
        "load", f"{server.url}/load.csv", initial_history="all",
        availability="next day 09:00", timezone="Europe/Berlin",
    )  # fmt: skip
    sources.write()
    program("fetch", "load")
    return program


def rows(run: Run, *args: str) -> list[dict[str, str]]:
    """The rows of an answer in CSV."""
    return list(csv.DictReader(io.StringIO(run(*args, "--format", "csv").stdout)))


def test_what_was_loaded_counts_as_known_from_then_on(loaded: Run) -> None:
    """Not a second earlier, marked, and with the time at which it really came."""
    early = rows(loaded, "read", "load", "--as-of", "2025-03-02T07:59:59Z", "--assume")
    assert early == []
    for time in ("2025-03-02T08:00Z", "2026-01-01T00:00Z"):
        answer = rows(loaded, "read", "load", "--as-of", time, "--assume")
        assert [(row["value"], row["final"], row["assumed"]) for row in answer] == [
            ("1", "false", "true"),
            ("2", "false", "true"),
        ]
        assert all(
            utc_now() - datetime.fromisoformat(row["valid_from"]) < timedelta(minutes=5)
            for row in answer
        )
    assert rows(loaded, "read", "load", "--as-of", "2026-01-01T00:00Z") == []


def test_a_note_says_what_assumed_values_are(loaded: Run) -> None:
    """Once, on stderr; the answer is never final, and says in its title what it is."""
    done = loaded("read", "load", "--as-of", "2025-06-01T00:00Z", "--assume")
    assert done.stderr.splitlines() == [f"dataportal: {NOTE}"]
    title, head, first, *_ = done.stdout.splitlines()
    assert title.endswith(", assumed where back-filled, provisional")
    assert head.split()[-2:] == ["FINAL", "ASSUMED"]
    assert first.split()[-2:] == ["provisional", "assumed"]


def test_leads_cutoffs_and_decisions(loaded: Run, tmp_path: Path) -> None:
    """Each at its own time: the values are there 32 and 31 hours after their ts."""
    early = rows(loaded, "read", "load", "--lead=-31h", "--assume")
    assert [row["value"] for row in early] == ["2"]
    late = rows(loaded, "read", "load", "--lead=-32h", "--assume")
    assert [row["value"] for row in late] == ["1", "2"]
    assert rows(loaded, "read", "load", "--cutoff", "D+1 08:59", "--assume") != []
    berlin = ("--cutoff", "D+1 08:59 Europe/Berlin", "--assume")
    assert rows(loaded, "read", "load", *berlin) == []
    (tmp_path / "decisions.csv").write_text(
        "ts,decided_at\n2025-03-01T00:00Z,2025-03-02T08:00Z\n2025-03-01T01:00Z,2025-03-02T07:00Z\n"
    )
    joined = rows(loaded, "read", "load", "--at", "decisions.csv", "--assume")
    assert [(row["value"], row["assumed"]) for row in joined] == [("1", "true"), ("", "false")]
    wide = rows(loaded, "read", "load", "--at", "decisions.csv", "--assume", "--wide")
    assert [(row["assumed"], row["load"]) for row in wide] == [("true", "1"), ("false", "")]


def test_side_by_side_and_by_the_day(loaded: Run) -> None:
    """A row is assumed if one of its values is."""
    question = ("read", "load", "--as-of", "2025-06-01T00:00Z", "--assume")
    wide = rows(loaded, *question, "--wide")
    assert [(row["assumed"], row["load"]) for row in wide] == [("true", "1"), ("true", "2")]
    days = rows(loaded, *question, "--every", "1 day")
    assert [(row["value"], row["count"], row["assumed"]) for row in days] == [("1.5", "2", "true")]


def test_by_publication_times_that_the_provider_does_not_give_are_assumed(loaded: Run) -> None:
    """They stay empty, as nobody said when it was published."""
    question = ("--as-of", "2025-06-01T00:00Z", "--assume", "--by", "published")
    for command in ("read", "history"):
        answer = rows(loaded, command, "load", *question)
        assert [(row["value"], row["published_at"], row["assumed"]) for row in answer] == [
            ("1", "", "true"),
            ("2", "", "true"),
        ]


def test_history_in_every_format(loaded: Run) -> None:
    """As `read` has it."""
    question = ("history", "load", "--as-of", "2025-06-01T00:00Z", "--assume")
    assert [(r["value"], r["assumed"]) for r in rows(loaded, *question)] == [
        ("1", "true"),
        ("2", "true"),
    ]
    document = json.loads(loaded(*question, "--json").stdout)
    assert (document["assume"], document["final"], document["by"]) == (True, False, "known")
    assert document["series"]["availability"] == "next day 09:00 Europe/Berlin"
    assert [o["assumed"] for o in document["observations"]] == [True, True]
    shown = loaded(*question)
    assert shown.stdout.splitlines()[0].endswith("assumed where back-filled, provisional")
    assert shown.stdout.splitlines()[2].endswith("  assumed")
    assert NOTE in shown.stderr


def test_what_comes_by_its_schedule_keeps_its_time(
    loaded: Run, server: LocalServer, database_url: str
) -> None:
    """Also where availability would have it earlier, and so does a revision of what was loaded."""
    with open_observer(database_url) as look:
        before = history(look)
    server.answer("/load.csv", table([1.0, 2.5, 3.0]))
    loaded("fetch", "load")
    answer = rows(loaded, "read", "load", "--as-of", "2026-06-01T00:00Z", "--assume")
    assert [row["value"] for row in answer] == ["1", "2"]
    now = rows(loaded, "read", "load", "--as-of", "now", "--assume")
    assert [(row["value"], row["assumed"]) for row in now] == [
        ("1", "false"),
        ("2.5", "false"),
        ("3", "false"),
    ]
    with open_observer(database_url) as look:
        after = history(look)
    assert after[0] == before[0]
    assert after[1][0][:2] == before[1][0][:2]


def test_a_backfill_counts_too(loaded: Run, server: LocalServer) -> None:
    """Whenever it was run."""
    server.answer("/load.csv", table([1.0, 2.0, 3.0]))
    loaded("fetch", "load", "--start", "2025-03-01T02:00Z", "--end", "2025-03-01T03:00Z")
    answer = rows(loaded, "read", "load", "--as-of", "2025-03-02T08:00Z", "--assume")
    assert [(row["value"], row["assumed"]) for row in answer] == [
        ("1", "true"),
        ("2", "true"),
        ("3", "true"),
    ]


def test_how_late_values_came(loaded: Run, server: LocalServer) -> None:
    """What was loaded is left out; then the newest hour comes, two hours and some minutes late."""
    nothing = loaded("history", "load", "--availability")
    assert "nothing came by its schedule yet" in nothing.stdout
    empty = json.loads(loaded("history", "load", "--availability", "--json").stdout)
    assert (empty["count"], empty["availability"], empty["suggested"]) == (0, [], None)
    hour = utc_now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    server.answer(
        "/load.csv",
        Reply(body=f"ts,value\n{hour.isoformat()},9\n".encode(), content_type="text/csv"),
    )
    loaded("fetch", "load")
    document = json.loads(loaded("history", "load", "--availability", "--json").stdout)
    assert document["count"] == 1
    assert document["stated"] == "next day 09:00 Europe/Berlin"
    assert document["in_time"] == 1
    ages = {row["quantile"]: row["after_ts"] for row in document["availability"]}
    assert list(ages) == [0.0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0]
    assert all(7200 <= age < 7200 + 3700 for age in ages.values())
    assert document["suggested"].startswith("ts + ")
    text = loaded("history", "load", "--availability").stdout.splitlines()
    assert text[-2] == "availability: next day 09:00 Europe/Berlin  (stated: 100.0% by then)"
    assert text[-1] == f"availability: {document['suggested']}  (measured: 95% by then)"
    table_rows = rows(loaded, "history", "load", "--availability")
    assert [float(row["after_ts"]) for row in table_rows] == list(ages.values())


def test_without_availability_the_way_to_state_it_is_named(
    program: Run, sources: SourceFile, server: LocalServer
) -> None:
    """And nothing is answered; once it is stated, the next run takes it into the database."""
    sources.csv("load", f"{server.url}/good.csv", initial_history="all")
    sources.write()
    program("fetch", "load")
    for command in ("read", "history"):
        done = program(command, "load", "--as-of", "2026-01-01", "--assume", code=2)
        assert done.stdout == ""
        assert "nobody says when values of 'load' are available" in done.stderr
        assert "availability: ts + 2 hours" in done.stderr
        assert "dataportal history load --availability" in done.stderr
    sources.csv("load", f"{server.url}/good.csv", initial_history="all", availability="ts")
    sources.write()
    program("fetch", "load")
    assert len(rows(program, "read", "load", "--as-of", "2026-01-01", "--assume")) == 2


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (("read", "load", "--assume"), "--assume goes with --as-of, --lead, --cutoff or --at"),
        (("read", "load", "--release", "1", "--assume"), "--assume goes with --as-of, --lead"),
        (("read", "load", "--issued", "latest", "--assume"), "--assume goes with --as-of"),
        (("history", "load", "--assume"), "--assume goes with --as-of or --versions"),
        (("history", "load", "--ts", "now", "--assume"), "--assume goes with --as-of"),
        (("history", "load", "--as-of", "now", "--plot", "--assume"), "without --plot"),
        (("history", "load", "--availability", "--limit", "3"), "one for each quantile"),
        (("history", "load", "--availability", "--matrix"), "exclude each other"),
    ],
)
def test_questions_that_are_none(loaded: Run, args: tuple[str, ...], reason: str) -> None:
    """Are refused, with what goes together."""
    assert reason in loaded(*args, code=2).stderr


def test_a_slip_is_named_with_its_place(
    program: Run, sources: SourceFile, server: LocalServer
) -> None:
    """And with what may be said instead; nothing runs."""
    sources.csv("load", f"{server.url}/good.csv", availability="next dy 09:00")
    sources.write()
    done = program("fetch", "load", code=78)
    assert "availability: 'next dy 09:00' does not say when values are available" in done.stderr
    assert "write it like ts + 2 hours" in done.stderr


def test_a_dump_takes_it_along(
    loaded: Run, empty_database_url: str, run_cli: RunCli, tmp_path: Path
) -> None:
    """Elsewhere the same is assumed of what had been initial history."""
    question = ("read", "load", "--as-of", "2025-06-01T00:00Z", "--assume", "--format", "csv")
    expected = loaded(*question).stdout
    loaded("dump", "load", "load.jsonl")
    other = {"DATABASE_URL": empty_database_url}
    assert run_cli("restore", "load.jsonl", env=other, cwd=tmp_path).returncode == 0
    assert run_cli(*question, env=other, cwd=tmp_path).stdout == expected


def test_a_role_that_may_only_read_is_enough(
    loaded: Run, reader_url: str, run_cli: RunCli, tmp_path: Path
) -> None:
    """To assume, to measure and to write files of columns."""
    env = {"DATABASE_URL": reader_url}
    for args in (
        ("read", "load", "--lead=-48h", "--assume", "-o", "assumed.parquet"),
        ("history", "load", "--availability"),
        ("dump", "load", "whole", "--format", "parquet"),
    ):
        done = run_cli(*args, env=env, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "assumed.parquet").stat().st_size
