"""`time_format: period` reads every period of SDMX, bi-months, and quarters as people write them.

A period stands for its beginning, local to the source's zone. SDMX 2.1 and 3.0, section "time
formats": 2024-A1, 2024-S2, 2024-T3, 2024-Q4, 2024-M12, 2024-W53, 2024-D366, and time ranges.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case, table
from support.http_server import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.answer_runs import Result

PARAMS: dict[str, Any] = {"ts": "t", "value": "v", "time_format": "period"}
READ = {
    # calendar periods
    "2024": "2024-01-01",
    "2024-07": "2024-07-01",
    "2024-02-29": "2024-02-29",
    # reporting periods
    "2024-A1": "2024-01-01",
    "2024-S1": "2024-01-01",
    "2024-S2": "2024-07-01",
    "2024-T1": "2024-01-01",
    "2024-T2": "2024-05-01",
    "2024-T3": "2024-09-01",
    "2024-Q1": "2024-01-01",
    "2024-Q4": "2024-10-01",
    "2024-M01": "2024-01-01",
    "2024-M12": "2024-12-01",
    "2024-W01": "2024-01-01",
    "2025-W01": "2024-12-30",
    "2021-W01": "2021-01-04",
    "2020-W53": "2020-12-28",
    "2024-D001": "2024-01-01",
    "2024-D060": "2024-02-29",
    "2024-D366": "2024-12-31",
    "2023-D365": "2023-12-31",
    # sixths of a year, as INSEE has them
    "2024K2": "2024-04-01",
    "2024U05": "2024-01-29",
    "2024KW03": "2024-07-01",
    "2024MM10": "2024-10-01",
    "2024JJ00": "2024-01-01",
    "2024-B1": "2024-01-01",
    "2024-B2": "2024-03-01",
    "2024-B5": "2024-09-01",
    "2024-B6": "2024-11-01",
    # quarters as people write them
    "2023 Q3": "2023-07-01",
    "Q3 2023": "2023-07-01",
    "2023-Q03": "2023-07-01",
    "2023Q3": "2023-07-01",
    "Q1 2025": "2025-01-01",
    "2025 Q4": "2025-10-01",
    "q2 2025": "2025-04-01",
    "2025-q2": "2025-04-01",
    # ranges: a beginning and a length
    "2024-01-01/P1M": "2024-01-01",
    "2024-03-15/P7D": "2024-03-15",
    "2023-06-01/P1Y": "2023-06-01",
    "2022-01-01/P3M": "2022-01-01",
    "2024-05-01T00:00:00/P1D": "2024-05-01",
    "2024-04-01Z/P1M": "2024-04-01",
}
TIMES = {
    # beginnings within a day, and offsets
    "2024-05-01T06:30:00": ("UTC", "2024-05-01T06:30Z"),
    "2024-05-01T06:00:00/PT15M": ("UTC", "2024-05-01T06:00Z"),
    "2024-05-01T06:00:00+02:00/PT1H": ("UTC", "2024-05-01T04:00Z"),
    # a quarter begins where its zone has midnight
    "2024-Q3": ("Europe/Berlin", "2024-06-30T22:00Z"),
    "2024-T1": ("America/New_York", "2024-01-01T05:00Z"),
    "2024-B4": ("Europe/Lisbon", "2024-06-30T23:00Z"),
    "2024-W27": ("Asia/Tokyo", "2024-06-30T15:00Z"),
    "Q4 2024": ("Australia/Lord_Howe", "2024-09-30T13:30Z"),
}
UNREADABLE = [
    "2024-Q5",
    "2024-Q0",
    "2024-S3",
    "2024-T4",
    "2024-B7",
    "2024-M13",
    "2024-A2",
    "2021-W53",
    "2024-W00",
    "2023-D366",
    "2024-D000",
    "2023-02-29",
    "Q5 2023",
    "2023 Q",
    "Q3",
    "2024-X1",
    "2024-01-01/",
    "2024-01-01/P",
    "/P1M",
]


def case_name(kind: str, label: str) -> str:
    """A name for a case, which may stand in an address."""
    return f"{kind}-{re.sub('[^A-Za-z0-9-]', '_', label)}"


PERIODS = {
    case_name("read", label): Case(
        Reply.json([{"t": label, "v": 1}]),
        PARAMS,
        {f"{day}T00:00Z": 1.0},
        keys={"timezone": "UTC"},
    )
    for label, day in READ.items()
} | {
    case_name("local", label): Case(
        Reply.json([{"t": label, "v": 1}]), PARAMS, {instant: 1.0}, keys={"timezone": zone}
    )
    for label, (zone, instant) in TIMES.items()
}
REFUSED = {
    case_name("not", label): Case(
        Reply.json([{"t": "2020", "v": 1}, {"t": label, "v": 2}]),
        PARAMS,
        {"2020-01-01T00:00Z": 1.0},
        keys={"timezone": "UTC"},
        outcome="partial",
        counts={"rejected": 1},
        says=(label,),
    )
    for label in UNREADABLE
}
SHAPES = {
    # a year as a number; several kinds in one column
    "number": Case(
        Reply.json([{"t": 2024, "v": 1}]),
        PARAMS,
        {"2024-01-01T00:00Z": 1.0},
        keys={"timezone": "UTC"},
    ),
    "eurostat": Case(
        table(
            "DATAFLOW,freq,TIME_PERIOD,OBS_VALUE",
            "X,A,2023,1",
            "X,S,2024-S2,2",
            "X,Q,2025-Q1,3",
            "X,M,2025-04,4",
            "X,W,2025-W20,5",
        ),
        {"ts": "TIME_PERIOD", "time_format": "period", "value": "OBS_VALUE"},
        {
            "2023-01-01T00:00Z": 1.0,
            "2024-07-01T00:00Z": 2.0,
            "2025-01-01T00:00Z": 3.0,
            "2025-04-01T00:00Z": 4.0,
            "2025-05-12T00:00Z": 5.0,
        },
        kind="Csv",
        keys={"timezone": "UTC"},
    ),
    # an index of years is no list of them, and two periods that begin together differ
    "table-of-a-file": Case(
        table("t,v", "2024-B5,1", "Q4 2024,2"),
        {"url": "{server}", "time_format": "period"},
        {"2024-09-01T00:00Z": 1.0, "2024-10-01T00:00Z": 2.0},
        kind="csv_plugin.CsvDataSourcePlugin",
        keys={"timezone": "UTC"},
    ),
}
CASES = PERIODS | REFUSED | SHAPES


@pytest.mark.parametrize("name", PERIODS)
def test_a_period_stands_for_its_beginning(results: Mapping[str, Result], name: str) -> None:
    """Years to days, thirds and sixths of a year, ranges, in whatever zone."""
    results[name].check()


@pytest.mark.parametrize("name", REFUSED)
def test_a_period_that_there_is_not_is_refused(results: Mapping[str, Result], name: str) -> None:
    """With what stands there; the others are stored."""
    results[name].check()


@pytest.mark.parametrize("name", SHAPES)
def test_periods_of_several_kinds_in_one_column(results: Mapping[str, Result], name: str) -> None:
    """As Eurostat, ECB and INSEE mix them."""
    results[name].check()
