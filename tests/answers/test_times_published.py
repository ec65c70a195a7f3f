"""When the provider published a value is read as it writes it, in the zone of the source.

ISO 8601 with an offset, as in 1.0; else by `published_format` or the source's `time_format`;
without an offset it is local to `timezone`. A bare date means the end of that day: a figure of that
day is certainly public only then. What is asked `--as-of DAY` by publication goes by the same zone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case, document, table
from support.http_server import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conftest import RunCli
    from support.answer_runs import Result
    from support.http_server import LocalServer
    from support.program_sources import SourceFile

TS = "2025-01-01T00:00Z"
PLACES: dict[str, Any] = {"ts": "t", "value": "v", "published_at": "p"}


def published(said: Any, zone: str | None, at: str | None, **params: Any) -> tuple[Case, str]:
    """One row with this time of publication, and the instant that it names."""
    case = Case(
        Reply.json([{"t": TS, "v": 1.5, "p": said}]),
        {**PLACES, **params},
        {TS: 1.5} if at else {},
        keys={} if zone is None else {"timezone": zone},
        outcome="succeeded" if at else ("partial", "failed"),
    )
    return case, at or ""


READ = {
    # with an offset, as ever, whatever the zone
    "offset": published("2025-02-07T09:00:00+01:00", "America/New_York", "2025-02-07T08:00Z"),
    "zulu": published("2025-02-07T09:00:00Z", None, "2025-02-07T09:00Z"),
    # Statistics Canada, NESO, Energi Data Service: local, without one
    "ottawa": published("2025-02-18T08:30", "America/Toronto", "2025-02-18T13:30Z"),
    "ottawa-summer": published("2025-07-18T08:30", "America/Toronto", "2025-07-18T12:30Z"),
    "london": published("2025-07-01T10:15:30", "Europe/London", "2025-07-01T09:15:30Z"),
    "copenhagen": published("2025-03-01T12:05:00", "Europe/Copenhagen", "2025-03-01T11:05Z"),
    "lisbon": published("2025-07-01T10:00", "Europe/Lisbon", "2025-07-01T09:00Z"),
    "lord-howe": published("2025-07-01T10:00", "Australia/Lord_Howe", "2025-06-30T23:30Z"),
    "blank": published("2025-02-18 08:30:00", "UTC", "2025-02-18T08:30Z"),
    # in a format of its own
    "format": published(
        "18/02/2025 08:30",
        "America/New_York",
        "2025-02-18T13:30Z",
        published_format="%d/%m/%Y %H:%M",
    ),
    "format-with-offset": published(
        "18/02/2025 08:30 +0530",
        "America/New_York",
        "2025-02-18T03:00Z",
        published_format="%d/%m/%Y %H:%M %z",
    ),
    "format-unix": published(1739867400, None, "2025-02-18T08:30Z", published_format="unix"),
    "format-unix-ms": published(
        1739867400000, None, "2025-02-18T08:30Z", published_format="unix_ms"
    ),
    # ISO 8601 is read where the format is another one, as in 1.0
    "iso-beside-format": published(
        "2025-02-18T08:30:00Z", "UTC", "2025-02-18T08:30Z", published_format="%d/%m/%Y %H:%M"
    ),
    # of two instants the later one: it was public by then for certain
    "doubled-hour": published("2025-10-26T02:30", "Europe/Berlin", "2025-10-26T01:30Z"),
}
# AEMO: both times in the format of the source
SHAPES = {
    "aemo": (
        Case(
            table(
                "INTERVAL,LASTCHANGED,MW",
                "2025/04/01 18:00:00,2025/04/01 17:03:53,7",
                "2025/04/01 18:30:00,2025/04/01 17:33:53,8",
            ),
            {
                "ts": "INTERVAL",
                "time_format": "%Y/%m/%d %H:%M:%S",
                "value": "MW",
                "published_at": "LASTCHANGED",
                "period_end": "30 minutes",
            },
            {"2025-04-01T07:30Z": 7.0, "2025-04-01T08:00Z": 8.0},
            kind="Csv",
            keys={"timezone": "Australia/Brisbane"},
            published=[
                ("2025-04-01T07:30Z", 7.0, "2025-04-01T07:03:53Z"),
                ("2025-04-01T08:00Z", 8.0, "2025-04-01T07:33:53Z"),
            ],
        )
    ),
    # a period in `ts` says nothing of how publications are written
    "statcan": (
        Case(
            Reply.json([{"refPer": "2025-01", "v": 160.1, "releaseTime": "2025-02-18T08:30"}]),
            {
                "ts": "refPer",
                "time_format": "period",
                "value": "v",
                "published_at": "releaseTime",
            },
            {"2025-01-01T05:00Z": 160.1},
            keys={"timezone": "America/Toronto"},
            published=[("2025-01-01T05:00Z", 160.1, "2025-02-18T13:30Z")],
        )
    ),
    "xml": (
        Case(
            document(
                '<a><r t="2025-01-01T00:00" p="01.02.2025 09:00" v="1"/>'
                '<r t="2025-01-01T00:00" p="02.02.2025 09:00" v="2"/></a>'
            ),
            {
                "rows": "r",
                "ts": "@t",
                "value": "@v",
                "published_at": "@p",
                "published_format": "%d.%m.%Y %H:%M",
            },
            {"2024-12-31T23:00Z": 2.0},
            kind="Xml",
            keys={"timezone": "Europe/Berlin"},
            published=[
                ("2024-12-31T23:00Z", 1.0, "2025-02-01T08:00Z"),
                ("2024-12-31T23:00Z", 2.0, "2025-02-02T08:00Z"),
            ],
        )
    ),
    # an offset that the answer states is that of all its local times
    "stated-offset": (
        Case(
            Reply.json(
                {"o": 7200, "d": [{"t": "2025-01-01T02:00", "v": 1, "p": "2025-01-02T02:00"}]}
            ),
            {**PLACES, "rows": "d", "utc_offset": "o"},
            {TS: 1.0},
            published=[(TS, 1.0, "2025-01-02T00:00Z")],
        )
    ),
}
# a day is over at the next midnight of its zone
DAYS = {
    "day-new-york": published("2025-02-07", "America/New_York", "2025-02-08T05:00Z"),
    "day-new-york-summer": published("2025-07-07", "America/New_York", "2025-07-08T04:00Z"),
    "day-tokyo": published("2025-02-07", "Asia/Tokyo", "2025-02-07T15:00Z"),
    "day-lisbon": published("2025-07-07", "Europe/Lisbon", "2025-07-07T23:00Z"),
    "day-of-25-hours": published("2025-10-26", "Europe/Berlin", "2025-10-26T23:00Z"),
    "day-of-23-hours": published("2025-03-30", "Europe/Berlin", "2025-03-30T22:00Z"),
    "day-lord-howe": published("2025-04-06", "Australia/Lord_Howe", "2025-04-06T13:30Z"),
    "day-in-a-format": published(
        "07.02.2025", "Europe/Berlin", "2025-02-07T23:00Z", published_format="%d.%m.%Y"
    ),
    "day-compact": published("20250207", "UTC", "2025-02-08T00:00Z", published_format="%Y%m%d"),
}
REFUSED = {
    "no-zone": published("2025-02-07T09:00", None, None),
    "day-without-a-zone": published("2025-02-07", None, None),
    "another-format": published("Feb 7", "UTC", None, published_format="%d/%m/%Y %H:%M"),
    "no-such-hour": published("2025-03-30T02:30", "Europe/Berlin", None),
    "nothing": published(None, "UTC", None),
}
CASES = {name: case for name, (case, _) in (READ | DAYS | REFUSED).items()} | SHAPES


@pytest.mark.parametrize("name", READ)
def test_a_time_of_publication_is_read_as_it_is_written(
    results: Mapping[str, Result], name: str
) -> None:
    """With an offset or local to the source's zone, in ISO 8601 or in a format of its own."""
    results[name].check()
    ((_, value, at),) = results[name].published
    assert (value, at) == (1.5, READ[name][1])


@pytest.mark.parametrize("name", SHAPES)
def test_times_of_publication_of_several_providers(
    results: Mapping[str, Result], name: str
) -> None:
    """By `time_format` where it fits, else as ISO 8601: AEMO, Statistics Canada, XML."""
    results[name].check()


@pytest.mark.parametrize("name", DAYS)
def test_a_bare_date_is_the_end_of_its_day(results: Mapping[str, Result], name: str) -> None:
    """To the microsecond before the next midnight of the zone, or that midnight itself."""
    results[name].check()
    ((_, _, at),) = results[name].published
    midnight = DAYS[name][1]
    assert at in {midnight, _just_before(midnight)}


@pytest.mark.parametrize("name", REFUSED)
def test_a_time_of_publication_that_nobody_knows_is_refused(
    results: Mapping[str, Result], name: str
) -> None:
    """Nothing is guessed, not even UTC."""
    results[name].check()


def _just_before(midnight: str) -> str:
    from datetime import datetime, timedelta

    before = datetime.fromisoformat(midnight) - timedelta(microseconds=1)
    return f"{before:%Y-%m-%dT%H:%M:%S.%fZ}"


def as_published(
    run_cli: RunCli, env: Mapping[str, str], at: str, *options: str
) -> list[float | None]:
    """The values of the series as its provider had published them by then."""
    done = run_cli(
        "history", "load", "--as-of", at, "--by", "published", "--json", *options, env=env
    )
    assert done.returncode == 0, done.stderr
    return [row["value"] for row in json.loads(done.stdout)["observations"]]


def values_as_of(
    sources: SourceFile,
    server: LocalServer,
    run_cli: RunCli,
    env: Mapping[str, str],
    zone: str,
    rows: Sequence[tuple[str, float]],
) -> None:
    """Fetch one observation with these publications."""
    told = [{"t": TS, "v": value, "p": at} for at, value in rows]
    address = server.answer("/a", Reply.json(told))
    sources.add(
        "load",
        "http_plugin.HttpJsonPlugin",
        {"url": address, **PLACES},
        {"timezone": zone, "initial_history": "all"},
    )
    sources.write()
    done = run_cli("fetch", "load", env=env)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("zone", "rows", "asked"),
    [
        # a day's figure is there at the end of that day in its zone, and not before
        (
            "America/New_York",
            [("2025-02-07", 1), ("2025-02-08T10:00", 2)],
            {
                "2025-02-06": [],
                "2025-02-07T12:00-05:00": [],
                "2025-02-07T23:59:59-05:00": [],
                "2025-02-07": [1],
                "2025-02-08T00:00-05:00": [1],
                "2025-02-08T09:59-05:00": [1],
                "2025-02-08": [2],
            },
        ),
        # in Tokyo the day is over at 15:00Z: the next morning's figure is another day's
        (
            "Asia/Tokyo",
            [("2025-02-06T17:00", 1), ("2025-02-07T08:00", 2)],
            {"2025-02-05": [], "2025-02-06": [1], "2025-02-07": [2], "2025-02-06T23:00Z": [2]},
        ),
        # west of Greenwich it ends later than in UTC
        (
            "America/Los_Angeles",
            [("2025-02-07T20:00", 1), ("2025-02-08T00:30", 2)],
            {"2025-02-07": [1], "2025-02-08": [2], "2025-02-08T03:00Z": []},
        ),
        # a day of 25 hours
        (
            "Europe/Lisbon",
            [("2025-10-26T23:30", 1), ("2025-10-27T00:00:01", 2)],
            {"2025-10-25": [], "2025-10-26": [1], "2025-10-27": [2]},
        ),
    ],
)
def test_a_day_on_the_axis_of_publication_is_its_end(
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    run_cli: RunCli,
    zone: str,
    rows: Sequence[tuple[str, float]],
    asked: Mapping[str, Sequence[float]],
) -> None:
    """`--as-of DAY --by published`: in the zone that is kept with the series, whoever asks."""
    values_as_of(sources, server, run_cli, env, zone, rows)
    for at, expected in asked.items():
        assert as_published(run_cli, env, at) == expected, at
        # the analyst's own zone has nothing to do with it
        elsewhere = {**env, "SCHEDULER_TIMEZONE": "Pacific/Auckland"}
        if "T" not in at:
            assert as_published(run_cli, elsewhere, at) == expected, at


def test_a_day_on_the_axis_of_knowledge_stays_its_beginning(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """`--as-of DAY` without `--by published` is midnight, as in 1.0."""
    values_as_of(sources, server, run_cli, env, "Europe/Berlin", [("2025-02-07", 1)])
    done = run_cli("history", "load", "--as-of", "2025-02-07", "--json", env=env)
    assert json.loads(done.stdout)["as_of"] == "2025-02-07T00:00:00Z"
