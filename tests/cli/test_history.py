"""`dataportal history`: what is known, what was known when, what changed."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support.stored_runs import store_run
from support.terminal import run_on_terminal

from dataportal.store.records import SeriesRecord

if TYPE_CHECKING:
    from conftest import RunCli

SUMMARY_KEYS = {
    "endpoint_prefix",
    "series_id",
    "source",
    "name",
    "description",
    "granularity",
    "unit",
    "domain",
    "category",
    "subcategory",
    "answer_unit",
    "timezone",
    "published_timezone",
    "availability",
    "metadata",
    "resolutions",
    "observations",
    "versions",
    "retracted",
    "first_ts",
    "last_ts",
    "first_known",
    "last_known",
    "known_through",
    "publications",
    "first_published",
    "last_published",
    "counted_up_to",
}


def history_document(run_cli: RunCli, url: str, *args: str) -> dict[str, Any]:
    """The JSON answer of `history load` with these options."""
    done = run_cli("history", "load", *args, "--json", env={"DATABASE_URL": url})
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_the_summary_names_the_latest_revisions(run_cli: RunCli, database_url: str) -> None:
    """As JSON with exactly the documented fields, newest first."""
    store_run(database_url, [1.0, 2.0, 3.0])
    store_run(database_url, [1.0, 2.5, None])
    document = history_document(run_cli, database_url)
    assert document.keys() == {"series", "as_of", "final", "published_changes", "changes"}
    assert document["series"].keys() == SUMMARY_KEYS
    assert (document["as_of"], document["final"]) == (None, False)
    assert document["series"]["observations"] == 2
    assert document["series"]["versions"] == 4
    assert document["series"]["retracted"] == 1
    assert [(c["before"], c["after"]) for c in document["changes"]] == [(3.0, None), (2.0, 2.5)]
    assert document["changes"][0].keys() == {"ts", "before", "after", "known_at"}


def test_the_summary_for_people(run_cli: RunCli, database_url: str) -> None:
    """Plain lines where no terminal is, in the zone that is set, without a plot."""
    store_run(database_url, [1.0, 2.0])
    store_run(database_url, [1.0, 2.5])
    env = {"DATABASE_URL": database_url, "SCHEDULER_TIMEZONE": "Europe/Berlin"}
    text = run_cli("history", "load", env=env).stdout
    assert text.startswith("load: Load\n")
    assert "2 from 2025-03-01 01:00+01:00 to 2025-03-01 02:00+01:00" in text
    assert "last values" not in text
    *_, titles, revision = text.splitlines()
    assert titles.split() == ["TS", "BEFORE", "AFTER", "KNOWN", "SINCE"]
    assert revision.split()[:4] == ["2025-03-01", "02:00+01:00", "2", "2.5"]


def test_every_version_of_one_observation(run_cli: RunCli, database_url: str) -> None:
    """A value, its withdrawal and its return are told apart."""
    first, gone, back = (
        store_run(database_url, [1.0, 2.0]),
        store_run(database_url, [1.0, None]),
        store_run(database_url, [1.0, 2.0]),
    )
    document = history_document(run_cli, database_url, "--ts", "2025-03-01T01:00Z")
    assert document.keys() == {"series", "as_of", "final", "versions"}
    assert [v.keys() for v in document["versions"]] == [
        {"ts", "value", "valid_from", "valid_to", "run_id"}
    ] * 2
    times = [(v["valid_from"], v["valid_to"]) for v in document["versions"]]
    assert [[at and datetime.fromisoformat(at) for at in pair] for pair in times] == [
        [first, gone],
        [back, None],
    ]
    text = run_cli(
        "history", "load", "--ts", "2025-03-01T01:00", env={"DATABASE_URL": database_url}
    ).stdout
    assert [line.split()[-2] for line in text.splitlines()[2:]] == ["withdrawn", "current"]


def test_an_observation_that_never_was(run_cli: RunCli, database_url: str) -> None:
    """No versions, which is an answer."""
    store_run(database_url, [1.0])
    assert history_document(run_cli, database_url, "--ts", "1999-01-01")["versions"] == []
    done = run_cli("history", "load", "--ts", "1999-01-01", env={"DATABASE_URL": database_url})
    assert (done.returncode, done.stdout) == (
        0,
        "load has never had a value at 1999-01-01 00:00Z\n",
    )


def test_as_of_gives_what_was_known_then(run_cli: RunCli, database_url: str) -> None:
    """For each knowledge time the values of that time, and final once a run came after it."""
    first, second = store_run(database_url, [1.0, 2.0]), store_run(database_url, [1.5, 2.0])
    assert first
    assert second
    for at, values in (
        (first - timedelta(microseconds=1), []),
        (first, [1.0, 2.0]),
        (second - timedelta(microseconds=1), [1.0, 2.0]),
        (second, [1.5, 2.0]),
    ):
        document = history_document(run_cli, database_url, "--as-of", at.isoformat())
        assert document.keys() == {"series", "as_of", "final", "observations"}
        assert [o["value"] for o in document["observations"]] == values
        assert document["final"] is True
        assert datetime.fromisoformat(document["as_of"]) == at
        for row in document["observations"]:
            assert row.keys() == {"ts", "value", "valid_from", "valid_to"}


@pytest.mark.parametrize("when", ["now", "2999-01-01"])
def test_what_is_not_final_is_said_to_be_provisional(
    run_cli: RunCli, database_url: str, when: str
) -> None:
    """In the document, in the text, and in a note on stderr."""
    store_run(database_url, [1.0])
    done = run_cli("history", "load", "--as-of", when, env={"DATABASE_URL": database_url})
    assert "provisional" in done.stdout
    assert done.stderr.startswith("dataportal: this answer is provisional: ")
    assert history_document(run_cli, database_url, "--as-of", when)["final"] is False


def test_differences_between_two_times(run_cli: RunCli, database_url: str) -> None:
    """What came, what changed and what went; from a time to itself nothing."""
    first, second = store_run(database_url, [1.0, 2.0]), store_run(database_url, [1.0, None, 3.0])
    assert first
    assert second
    document = history_document(
        run_cli, database_url, "--diff", first.isoformat(), second.isoformat()
    )
    assert document.keys() == {"series", "as_of", "final", "since", "changes"}
    assert [(c["before"], c["after"]) for c in document["changes"]] == [(2.0, None), (None, 3.0)]
    assert all(datetime.fromisoformat(c["known_at"]) == second for c in document["changes"])
    same = history_document(run_cli, database_url, "--diff", first.isoformat(), first.isoformat())
    assert same["changes"] == []
    text = run_cli(
        "history", "load", "--diff", "7d", "now", env={"DATABASE_URL": database_url}
    ).stdout
    assert text.startswith("load: 2 changes from ")


def test_a_window_narrows_every_answer(run_cli: RunCli, database_url: str) -> None:
    """Half-open: the start belongs to it, the end does not."""
    at = store_run(database_url, [1.0, 2.0, 3.0])
    assert at
    window = ("--start", "2025-03-01T01:00", "--end", "2025-03-01T02:00")
    for options in ((), ("--as-of", at.isoformat())):
        document = history_document(run_cli, database_url, *options, *window)
        assert [o["value"] for o in document["observations"]] == [2.0]
    document = history_document(
        run_cli, database_url, "--diff", "2020-01-01", at.isoformat(), *window
    )
    assert [c["after"] for c in document["changes"]] == [2.0]


def test_the_limit_keeps_the_newest(run_cli: RunCli, database_url: str) -> None:
    """Of every list."""
    store_run(database_url, [1.0, 2.0, 3.0])
    document = history_document(run_cli, database_url, "--as-of", "now", "--limit", "2")
    assert [o["value"] for o in document["observations"]] == [2.0, 3.0]


def test_csv_reads_back_exactly(run_cli: RunCli, database_url: str) -> None:
    """Every bit of every number, in UTC; a name that looks like a formula is a text."""
    values = [0.1 + 0.2, -1.5, 1e300, 5e-324, 7.0]
    store_run(database_url, values, series="=load", record=SeriesRecord("=load"))
    done = run_cli(
        "history",
        "--format",
        "csv",
        "--",
        "=load",
        env={"DATABASE_URL": database_url, "SCHEDULER_TIMEZONE": "Asia/Tokyo"},
    )
    header, *rows = csv.reader(io.StringIO(done.stdout))
    assert header == ["series", "ts", "value", "valid_from", "valid_to"]
    assert [float(row[2]) for row in rows] == values
    assert {row[0] for row in rows} == {"'=load"}
    assert rows[0][1] == "2025-03-01T00:00:00Z"
    assert {row[4] for row in rows} == {""}


def test_csv_of_versions_and_changes(run_cli: RunCli, database_url: str) -> None:
    """Each with a header of its own."""
    store_run(database_url, [1.0])
    store_run(database_url, [None])
    env = {"DATABASE_URL": database_url}
    versions = run_cli("history", "load", "--ts", "2025-03-01", "--format", "csv", env=env).stdout
    assert versions.splitlines()[0] == "series,ts,value,valid_from,valid_to,run_id"
    changes = run_cli("history", "load", "--diff", "7d", "now", "--format", "csv", env=env).stdout
    assert changes.splitlines() == ["series,ts,before,after,known_at"]


def test_an_unknown_series_is_wrong_usage(run_cli: RunCli, database_url: str) -> None:
    """With the names that resemble it."""
    store_run(database_url, [1.0])
    done = run_cli("history", "laod", env={"DATABASE_URL": database_url})
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean 'load'?" in done.stderr


def test_texts_from_elsewhere_are_harmless(run_cli: RunCli, database_url: str) -> None:
    """Neither escapes nor line ends of a description get to the screen."""
    record = SeriesRecord("load", name="a\x1b[31mred\nline", unit="\x9bm", description="\x07")
    store_run(database_url, [1.0], record=record)
    env = {"DATABASE_URL": database_url}
    for options in ((), ("--as-of", "now"), ("--json",)):
        text = run_cli("history", "load", *options, env=env).stdout
        assert all(line.isprintable() for line in text.splitlines())


def test_a_long_series_stops_when_nobody_reads_it(
    run_cli: RunCli, database_url: str, clean_environment: dict[str, str]
) -> None:
    """`history … | head -1`: quiet, and no error."""
    store_run(database_url, [float(n) for n in range(20_000)])
    process = subprocess.Popen(
        [sys.executable, "-m", "dataportal", "history", "load", "--format", "csv"],
        env={**clean_environment, "DATABASE_URL": database_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdout
        assert process.stderr
        assert os.read(process.stdout.fileno(), 7) == b"series,"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_on_a_terminal_there_is_a_plot(
    database_url: str, clean_environment: dict[str, str]
) -> None:
    """Of the last values; in an encoding that has no bars there is none."""
    store_run(database_url, [float(n % 9) for n in range(500)])
    env = {**clean_environment, "DATABASE_URL": database_url}
    code, seen = run_on_terminal("history", "load", env=env)
    assert code == 0
    assert "▁" in seen
    env["PYTHONIOENCODING"] = "ascii"
    assert "▁" not in run_on_terminal("history", "load", env=env)[1]


def test_it_never_makes_a_database(run_cli: RunCli, clean_environment: dict[str, str]) -> None:
    """Without a DATABASE_URL and before anything was fetched: 78, and what to do."""
    done = run_cli("history", "load")
    assert done.returncode == 78
    assert "dataportal fetch-all" in done.stderr
    assert list(Path(clean_environment["XDG_DATA_HOME"]).iterdir()) == []


def test_it_never_migrates(run_cli: RunCli, empty_database_url: str) -> None:
    """Without the tables: 78, and the command that makes them is named, as text and as JSON."""
    env = {"DATABASE_URL": empty_database_url}
    done = run_cli("history", "load", env=env)
    assert done.returncode == 78
    assert "dataportal migrate" in done.stderr
    error = json.loads(run_cli("history", "load", "--json", env=env).stderr)["error"]
    assert (error["kind"], error["exit_code"]) == ("schema", 78)
    assert "dataportal migrate" in error["hint"]


def test_a_database_out_of_reach_is_69(run_cli: RunCli) -> None:
    """In one line, without the password."""
    url = "postgresql://me:canary-password@127.0.0.1:1/x"
    for option in (("--database-url", url), ("--database-url", url, "--log-level", "debug")):
        done = run_cli("history", "load", *option)
        assert done.returncode == 69
        assert "canary" not in done.stderr
        assert done.stderr.splitlines()[-1].startswith("dataportal: ")


def test_an_empty_database_url_is_an_error(run_cli: RunCli) -> None:
    """Not a reason to look for another database."""
    for done in (
        run_cli("history", "load", env={"DATABASE_URL": ""}),
        run_cli("history", "load", "--database-url", ""),
    ):
        assert done.returncode == 78
        assert "empty" in done.stderr


def test_now_is_a_time_of_its_own(run_cli: RunCli, database_url: str) -> None:
    """`--as-of now` means the moment at which it was asked."""
    store_run(database_url, [1.0])
    before = datetime.now(UTC)
    asked_at = datetime.fromisoformat(
        history_document(run_cli, database_url, "--as-of", "now")["as_of"]
    )
    assert before <= asked_at <= datetime.now(UTC)


def test_what_was_not_published_is_told(run_cli: RunCli, database_url: str) -> None:
    """Not before a time, or never as far as the provider says: an answer without rows says why."""
    store_run(database_url, [1.0])
    published = ("--as-of", "2025-02-01", "--by", "published")
    done = run_cli("history", "load", *published, env={"DATABASE_URL": database_url})
    assert done.returncode == 0
    assert "the provider does not say when it published the series" in done.stderr
    for question in (("--ts", "2025-03-01"), ("--matrix",), ("--issues",), ("--diff", "1d", "now")):
        done = run_cli(
            "history", "load", *question, "--by", "published", env={"DATABASE_URL": database_url}
        )
        assert done.returncode == 0
        assert "the provider does not say when it published the series" in done.stderr
    day = datetime(2025, 3, 4, tzinfo=UTC)
    store_run(database_url, [1.0], published=day)
    done = run_cli("history", "load", *published, env={"DATABASE_URL": database_url})
    assert "nothing of the series was published before 2025-03-04T00:00:00Z" in done.stderr
    later = ("--as-of", "2025-03-04", "--by", "published")
    done = run_cli("history", "load", *later, env={"DATABASE_URL": database_url})
    assert "nothing" not in done.stderr
    assert "2025-03-04 00:00Z" in done.stdout


def test_publications_are_counted_and_shown(run_cli: RunCli, database_url: str) -> None:
    """How many, from when to when, what they revised; also where nothing known here changed."""
    for day, value in ((4, 1.0), (6, 2.0), (5, 1.5)):
        store_run(database_url, [value], published=datetime(2025, 3, day, tzinfo=UTC))
    text = run_cli("history", "load", env={"DATABASE_URL": database_url}).stdout
    assert "publications  3 from 2025-03-04 00:00Z to 2025-03-06 00:00Z" in text
    *_, titles, second, first = text.splitlines()
    assert titles.split()[:4] == ["TS", "BEFORE", "AFTER", "PUBLISHED"]
    assert second.split()[2:5] == ["1.5", "2", "2025-03-06"]
    assert first.split()[2:5] == ["1", "1.5", "2025-03-05"]
    document = history_document(run_cli, database_url)
    assert document["series"]["publications"] == 3
    assert document["series"]["first_published"] == "2025-03-04T00:00:00Z"
    assert document["series"]["last_published"] == "2025-03-06T00:00:00Z"
    assert [(c["before"], c["after"]) for c in document["published_changes"]] == [
        (1.5, 2.0),
        (1.0, 1.5),
    ]


def test_every_publication_of_one_observation(run_cli: RunCli, database_url: str) -> None:
    """In the order of publication, one stated anew after the first; nothing is withdrawn."""
    days = [datetime(2025, 3, day, tzinfo=UTC) for day in (4, 5)]
    for day, value in ((0, 1.0), (0, 9.9), (1, None)):
        store_run(database_url, [value, 5.0], published=days[day])
    options = ("--ts", "2025-03-01", "--by", "published")
    document = history_document(run_cli, database_url, *options)
    assert document["by"] == "published"
    assert [(v["value"], v["published_at"]) for v in document["versions"]] == [
        (1.0, "2025-03-04T00:00:00Z"),
        (9.9, "2025-03-04T00:00:00Z"),
        (None, "2025-03-05T00:00:00Z"),
    ]
    first = document["versions"][0]["recorded_at"]
    cut = history_document(run_cli, database_url, *options, "--recorded", first)
    assert [v["value"] for v in cut["versions"]] == [1.0]
    assert cut["final"] is True
    env = {"DATABASE_URL": database_url}
    text = run_cli("history", "load", *options, env=env).stdout.splitlines()
    assert [line.split()[0] for line in text[2:]] == ["1", "9.9", "-"]


def test_a_publication_stated_anew_leaves_the_past_as_recorded(
    run_cli: RunCli, database_url: str
) -> None:
    """With --recorded the answer is final and stays; without it is provisional, in every format."""
    day = datetime(2025, 3, 4, tzinfo=UTC)
    known = store_run(database_url, [1.0], published=day)
    assert known
    question = ("--as-of", "2025-03-05", "--by", "published")
    recorded = (*question, "--recorded", known.isoformat())
    before = history_document(run_cli, database_url, *recorded)
    store_run(database_url, [9.9], published=day)
    assert history_document(run_cli, database_url, *recorded) == {
        **before,
        "series": history_document(run_cli, database_url, *question)["series"],
    }
    assert before["final"] is True
    assert before["recorded"] == known.isoformat().replace("+00:00", "Z")
    now = history_document(run_cli, database_url, *question)
    assert ([o["value"] for o in now["observations"]], now["final"]) == ([9.9], False)
    for output_format in ("table", "csv", "json"):
        options = (*question, "--format", output_format)
        done = run_cli("history", "load", *options, env={"DATABASE_URL": database_url})
        assert "provisional: a publication may be stated anew" in done.stderr
        final = run_cli(
            "history", "load", *recorded, "--format", output_format,
            env={"DATABASE_URL": database_url},
        )  # fmt: skip
        assert final.stderr == ""
        assert "final" in final.stdout or output_format == "csv"
    done = run_cli(
        "history", "load", *question, "--recorded", "now", env={"DATABASE_URL": database_url}
    )
    assert "provisional" in done.stderr
    assert "provisional" in done.stdout


def test_differences_between_two_publications(run_cli: RunCli, database_url: str) -> None:
    """What the provider changed from one day to another, withdrawals too; days are whole."""
    for day, values in ((4, [1.0, 2.0, 3.0]), (5, [1.0, 2.5, None])):
        store_run(database_url, values, published=datetime(2025, 3, day, 9, tzinfo=UTC))
    options = ("--diff", "2025-03-04", "2025-03-05", "--by", "published")
    document = history_document(run_cli, database_url, *options)
    assert [(c["before"], c["after"], c["published_at"]) for c in document["changes"]] == [
        (2.0, 2.5, "2025-03-05T09:00:00Z"),
        (3.0, None, "2025-03-05T09:00:00Z"),
    ]
    assert (document["by"], document["since"]) == ("published", "2025-03-04T23:59:59.999999Z")
    env = {"DATABASE_URL": database_url}
    limited = run_cli("history", "load", *options, "--limit", "1", "--format", "csv", env=env)
    header, row = limited.stdout.splitlines()
    assert header == "series,ts,before,after,published_at,known_at"
    assert row.startswith("load,2025-03-01T02:00:00Z,3,,2025-03-05T09:00:00Z,")
    text = run_cli("history", "load", *options, env=env).stdout
    assert text.startswith("load: 2 changes as published from ")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--recorded", "now"), "--by published"),
        (("--recorded", "now", "--as-of", "now"), "--by published"),
        (("--by", "published"), "--by published goes with --ts, --as-of"),
        (("--as-of", "now", "--ts", "now"), "exclude each other"),
        (("--as-of", "now", "--by", "published", "--recorded", "noon"), "--recorded"),
    ],
)
def test_questions_that_contradict_each_other_say_why(
    run_cli: RunCli, database_url: str, options: tuple[str, ...], word: str
) -> None:
    """Wrong usage, with nothing on stdout."""
    done = run_cli("history", "load", *options, env={"DATABASE_URL": database_url})
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--plot", "--json"), "draws for people"),
        (("--plot", "--format", "csv"), "draws for people"),
        (("--plot", "--matrix"), "asks for none"),
        (("--plot", "--ts", "now"), "asks for none"),
        (("--issues", "--matrix"), "--matrix and --issues exclude each other"),
        (("--revisions-by", "colour"), "age"),
        (("--revisions-by", "age", "--limit", "5"), "one for each age"),
    ],
)
def test_what_cannot_be_drawn_or_asked_at_once_is_refused(
    run_cli: RunCli, database_url: str, options: tuple[str, ...], word: str
) -> None:
    """Wrong usage, with why."""
    done = run_cli("history", "load", *options, env={"DATABASE_URL": database_url})
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr


def test_an_empty_database_has_no_history(run_cli: RunCli, database_url: str) -> None:
    """Whatever is asked for."""
    for names in (("load",), ("*",), ("--where", "unit=MW")):
        done = run_cli("history", *names, env={"DATABASE_URL": database_url})
        assert (done.returncode, done.stdout) == (2, "")


def test_the_matrix_of_all_vintages(run_cli: RunCli, database_url: str) -> None:
    """A row for each observation, a column for each time; in every format, by both axes."""
    known = [
        store_run(database_url, values, published=datetime(2025, 3, day, tzinfo=UTC))
        for day, values in ((4, [1.0, 2.0]), (5, [1.5, None]), (6, [1.5, 3.0]))
    ]
    document = history_document(run_cli, database_url, "--matrix")
    assert [datetime.fromisoformat(at) for at in document["times"]] == known
    assert [row["values"] for row in document["matrix"]] == [[1.0, 1.5, 1.5], [2.0, None, 3.0]]
    published = history_document(run_cli, database_url, "--matrix", "--by", "published")
    assert published["times"] == [f"2025-03-0{day}T00:00:00Z" for day in (4, 5, 6)]
    assert published["matrix"] == document["matrix"]
    recorded = ("--matrix", "--by", "published", "--recorded", f"{known[1]}")
    cut = history_document(run_cli, database_url, *recorded)
    assert (len(cut["times"]), cut["final"]) == (2, True)
    env = {"DATABASE_URL": database_url}
    done = run_cli("history", "load", "--matrix", "--format", "csv", env=env)
    header, first, second = csv.reader(io.StringIO(done.stdout))
    assert header == ["series", "ts", *document["times"]]
    assert (first[2:], second[2:]) == (["1", "1.5", "1.5"], ["2", "", "3"])
    text = run_cli("history", "load", "--matrix", env=env).stdout.splitlines()
    assert text[0] == "load in MW at 3 knowledge times:"
    assert [line.split()[-3:] for line in text[1:4]] == [
        ["K1", "K2", "K3"],
        ["1", "1.5", "1.5"],
        ["2", "-", "3"],
    ]
    assert [line.split()[0] for line in text[5:]] == ["K1", "K2", "K3"]
    store_run(database_url, [1.0], series="wind")
    both = run_cli("history", "load", "wind", "--matrix", "--format", "csv", env=env)
    assert (both.returncode, both.stdout) == (2, "")


def test_the_runs_of_a_forecast(run_cli: RunCli, database_url: str) -> None:
    """Those that are recorded; by publication what was published when; none is told."""
    for day, values in ((4, [1.0, 2.0, 3.0]), (5, [None, 2.5, 3.5])):
        store_run(database_url, values, published=datetime(2025, 3, day, tzinfo=UTC))
    env = {"DATABASE_URL": database_url}
    done = run_cli("history", "load", "--issues", env=env)
    assert done.returncode == 0
    assert "no run of a forecast is recorded" in done.stderr
    published = history_document(run_cli, database_url, "--issues", "--by", "published")["issues"]
    assert [(i["issued_at"], i["points"]) for i in published] == [
        ("2025-03-04T00:00:00Z", 3),
        ("2025-03-05T00:00:00Z", 3),
    ]
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO time_series_issue"
            " (issued_at, first_ts, last_ts, run_id, series_id, points)"
            " SELECT '2025-03-01T06:00Z'::timestamptz + n * interval '6 hours',"
            " '2025-03-01T06:00Z'::timestamptz + n * interval '6 hours',"
            " '2025-03-02T06:00Z'::timestamptz + n * interval '6 hours', n, 1, 24"
            " FROM generate_series(1, 4) AS n"
        )
    runs = history_document(run_cli, database_url, "--issues", "--limit", "2")["issues"]
    assert [(i["issued_at"], i["run_id"]) for i in runs] == [
        ("2025-03-02T00:00:00Z", 3),
        ("2025-03-02T06:00:00Z", 4),
    ]
    assert runs[0].keys() == {"issued_at", "first_ts", "last_ts", "points", "run_id"}
    window = ("--start", "2025-03-03T01:00Z")
    assert len(history_document(run_cli, database_url, "--issues", *window)["issues"]) == 1
    text = run_cli("history", "load", "--issues", env=env).stdout
    assert text.startswith("load: 4 runs:\nISSUED ")
    done = run_cli("history", "load", "--issues", "--format", "csv", env=env)
    assert done.stdout.startswith("series,issued_at,first_ts,last_ts,points,run_id\n")


def test_revisions_by_age_in_every_format(run_cli: RunCli, database_url: str) -> None:
    """By knowledge and by publication; the ages are the same in all of them."""
    for hour, value in ((0, 1.0), (2, 3.0)):
        store_run(database_url, [value], published=datetime(2025, 3, 1, hour, tzinfo=UTC))
    by_age = ("--revisions-by", "age")
    document = history_document(run_cli, database_url, *by_age)
    ages = [row["age_up_to"] for row in document["revisions_by_age"]]
    assert ages == [0.0, 3600.0, 21600.0, 86400.0, 604800.0, 2592000.0, None]
    assert [row["count"] for row in document["revisions_by_age"]] == [0, 0, 0, 0, 0, 0, 1]
    published = history_document(run_cli, database_url, *by_age, "--by", "published")
    (row,) = (row for row in published["revisions_by_age"] if row["count"])
    assert (row["age_over"], row["bias"], row["largest"]) == (3600.0, 2.0, 2.0)
    env = {"DATABASE_URL": database_url}
    text = run_cli("history", "load", *by_age, env=env).stdout.splitlines()
    assert text[-1].split() == ["older", "1", "2", "2", "2", "0"]
    done = run_cli("history", "load", *by_age, "--format", "csv", env=env)
    rows = [*csv.reader(io.StringIO(done.stdout))]
    assert rows[3][:4] == ["load", "3600", "21600", "0"]


def test_the_values_are_drawn(run_cli: RunCli, database_url: str) -> None:
    """In 80 columns, with both axes; both vintages of a difference; in ASCII where need be."""
    first = store_run(database_url, [float(n % 24) for n in range(96)])
    assert first
    store_run(database_url, [float(n % 24) + 5 for n in range(96)])
    env = {"DATABASE_URL": database_url, "PYTHONIOENCODING": "utf-8"}
    lines = run_cli("history", "load", "--plot", env=env).stdout.splitlines()
    assert lines[0] == "load in MW, as known now"
    assert all(len(line) <= 80 for line in lines)
    assert any("⠁" <= sign <= "⣿" for line in lines for sign in line)
    assert "2025-03-02" in lines[-1]
    assert any(line.lstrip().startswith("10 ┤") for line in lines)
    plain = run_cli("history", "load", "--plot", env={**env, "PYTHONIOENCODING": "ascii"}).stdout
    assert plain.isascii()
    assert "*" in plain
    both = run_cli("history", "load", "--plot", "--diff", f"{first}", "now", env=env).stdout
    assert {"○", "●"} <= {*both}
    assert both.splitlines()[-2].startswith("    ○ as known ")
    nothing = run_cli("history", "load", "--plot", "--as-of", "2001", env=env).stdout
    assert "there is nothing to draw" in nothing


def test_several_series_in_one_document(run_cli: RunCli, database_url: str) -> None:
    """In the order of the names, globs in that of theirs; each as it is alone."""
    for name in ("wind", "load", "load-2"):
        record = SeriesRecord(name, unit="MW" if name == "wind" else "GW")
        store_run(database_url, [1.0, 2.0], series=name, record=record)
    env = {"DATABASE_URL": database_url}
    done = run_cli("history", "wind", "load*", "--json", "--start", "2025-03-01T01:00", env=env)
    histories = json.loads(done.stdout)["histories"]
    names = [history["series"]["endpoint_prefix"] for history in histories]
    assert names == ["wind", "load", "load-2"]
    alone = history_document(run_cli, database_url, "--start", "2025-03-01T01:00")
    assert histories[1] == alone
    (only,) = json.loads(run_cli("history", "win*", "--json", env=env).stdout)["histories"]
    assert only["series"]["endpoint_prefix"] == "wind"
    done = run_cli("history", "--where", "unit=GW", "--format", "csv", env=env)
    rows = [*csv.reader(io.StringIO(done.stdout))]
    assert [row[0] for row in rows] == ["series", "load", "load", "load-2", "load-2"]
    text = run_cli("history", "load", "wind", env=env).stdout
    assert [block.split()[0] for block in text.split("\n\n")] == ["load", "No", "wind", "No"]


def test_of_several_names_an_unknown_one_ends_it(run_cli: RunCli, database_url: str) -> None:
    """Before anything is answered; so does a glob that matches nothing, and no name at all."""
    store_run(database_url, [1.0])
    for names, word in (
        (("load", "wnid"), "'wnid'"),
        (("wind-*",), "matches no series"),
        ((), "list-series"),
    ):
        done = run_cli("history", *names, env={"DATABASE_URL": database_url})
        assert (done.returncode, done.stdout) == (2, "")
        assert word in done.stderr


def test_before_the_first_fetch_nothing_was_known(run_cli: RunCli, database_url: str) -> None:
    """The answer is empty and final, and a note tells since when there is anything."""
    store_run(database_url, [1.0])
    done = run_cli("history", "load", "--as-of", "2001", env={"DATABASE_URL": database_url})
    assert done.returncode == 0
    assert "final" in done.stdout
    assert "nothing was known of the series before 20" in done.stderr
