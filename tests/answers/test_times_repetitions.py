"""Rows that come more often than the clock has their time: equal ones count once, never too few.

In the hour that occurs twice two equal rows are two hours. Three and more are repetitions (files
that overlap, a provider that doubles its night), and rows equal in every field are one.
Berlin, 26 October 2025: 02:00 to 03:00 occurs from 00:00Z and again from 01:00Z on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case, document, table
from support.http_server import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.answer_runs import Result

PLACES: dict[str, Any] = {"ts": "t", "value": "v"}
BERLIN = {"timezone": "Europe/Berlin"}
BOTH = {"2025-10-26T00:30Z": 1.0, "2025-10-26T01:30Z": 2.0}


def rows(values: Sequence[float | None], at: str = "2025-10-26T02:30", **more: Any) -> list[Any]:
    """Rows of one label."""
    return [{"t": at, "v": value, **more} for value in values]


def night(
    values: Sequence[float | None],
    stored: Mapping[str, float | None] | None,
    outcome: str = "succeeded",
    **counts: int,
) -> Case:
    """Rows of the doubled 02:30, after one of 01:30 and before one of 03:30."""
    around = {"2025-10-25T23:30Z": 0.0, "2025-10-26T02:30Z": 9.0}
    told = [*rows([0], "2025-10-26T01:30"), *rows(values), *rows([9], "2025-10-26T03:30")]
    return Case(
        Reply.json(told),
        PLACES,
        {**around, **(stored or {})},
        keys=BERLIN,
        outcome=outcome,
        counts=counts,
    )


ONCE = {
    # two equal rows stay two hours
    "two-equal": night([5, 5], {"2025-10-26T00:30Z": 5.0, "2025-10-26T01:30Z": 5.0}, duplicates=0),
    "two-that-differ": night([1, 2], BOTH, duplicates=0),
    # a file that holds its night twice
    "aabb": night([1, 1, 2, 2], BOTH, duplicates=2),
    "abab": night([1, 2, 1, 2], BOTH, duplicates=2),
    "aab": night([1, 1, 2], BOTH, duplicates=1),
    "abb": night([1, 2, 2], BOTH, duplicates=1),
    "five": night([1, 1, 1, 2, 2], BOTH, duplicates=3),
    # one hour of the two, three times: nobody knows which
    "aaa": night([1, 1, 1], {}, "partial"),
    # three that differ
    "abc": night([1, 2, 3], {}, "partial", rejected=3),
    "aabbc": night([1, 1, 2, 2, 3], {}, "partial"),
    # rows are equal only if all of them is: other fields tell two hours of the same value apart
    "other-fields": Case(
        Reply.json([{**row, "id": n} for row in rows([7]) for n in (1, 2, 1, 2)]),
        PLACES,
        {"2025-10-26T00:30Z": 7.0, "2025-10-26T01:30Z": 7.0},
        keys=BERLIN,
        counts={"duplicates": 2, "rejected": 0},
    ),
    # newest first
    "newest-first": Case(
        Reply.json(
            [*rows([9], "2025-10-26T03:30"), *rows([2, 2, 1, 1]), *rows([0], "2025-10-26T01:30")]
        ),
        PLACES,
        {"2025-10-25T23:30Z": 0.0, **BOTH, "2025-10-26T02:30Z": 9.0},
        keys=BERLIN,
        counts={"duplicates": 2},
    ),
    # labels that end, New York: 02:00 EDT and 02:00 EST, each of them twice
    "ends": Case(
        Reply.json(
            [
                {"t": f"2025-11-02T{hour:02}:00", "v": value}
                for hour, value in ((1, 0), (2, 1), (2, 1), (2, 2), (2, 2), (3, 3))
            ]
        ),
        {**PLACES, "period_end": "1 hour"},
        {
            "2025-11-02T04:00Z": 0.0,
            "2025-11-02T05:00Z": 1.0,
            "2025-11-02T06:00Z": 2.0,
            "2025-11-02T07:00Z": 3.0,
        },
        keys={"timezone": "America/New_York"},
        counts={"duplicates": 2},
    ),
    # tables: the whole line counts
    "table": Case(
        table(
            "t,v,x",
            *("2025-11-02 01:30,1,a", "2025-11-02 01:30,1,b") * 2,
            "2025-11-02 02:30,3,c",
        ),
        PLACES,
        {"2025-11-02T05:30Z": 1.0, "2025-11-02T06:30Z": 1.0, "2025-11-02T07:30Z": 3.0},
        kind="Csv",
        keys={"timezone": "America/New_York"},
        counts={"duplicates": 2},
    ),
    "table-of-a-file": Case(
        table(
            "t,v", *(f"2025-10-26 02:30,{value}" for value in (1, 1, 2, 2)), "2025-10-26 03:30,9"
        ),
        {"url": "{server}"},
        {**BOTH, "2025-10-26T02:30Z": 9.0},
        kind="csv_plugin.CsvDataSourcePlugin",
        keys=BERLIN,
        counts={"duplicates": 2},
    ),
    "xml": Case(
        document(
            "<a>"
            + "".join(f"<r><t>2025-10-26T01:30</t><v>{value}</v></r>" for value in (1, 2, 1, 2))
            + "<r><t>2025-10-26T02:30</t><v>3</v></r></a>"
        ),
        {**PLACES, "rows": "r"},
        {"2025-10-26T00:30Z": 1.0, "2025-10-26T01:30Z": 2.0, "2025-10-26T02:30Z": 3.0},
        kind="Xml",
        keys={"timezone": "Europe/Lisbon"},
        counts={"duplicates": 2},
    ),
    # pages that overlap
    "pages": Case(
        [
            Reply.json([*rows([0], "2025-10-26T01:30"), *rows([1, 2])]),
            Reply.json([*rows([1, 2]), *rows([9], "2025-10-26T03:30")]),
            Reply.json([]),
        ],
        {**PLACES, "paging": {"page": "p"}},
        {"2025-10-25T23:30Z": 0.0, **BOTH, "2025-10-26T02:30Z": 9.0},
        keys=BERLIN,
        counts={"duplicates": 2},
    ),
    # what the clock has once is a repetition from the second on, as ever
    "any-other-hour": Case(
        Reply.json(rows([4, 4, 4], "2025-10-26T05:00")),
        PLACES,
        {"2025-10-26T04:00Z": 4.0},
        keys=BERLIN,
        counts={"duplicates": 2, "rejected": 0},
    ),
    # with a column that decides, each hour's repetitions are its own
    "flagged": Case(
        Reply.json([{**row, "s": s} for s in "NYNY" for row in rows([1 if s == "Y" else 2])]),
        {**PLACES, "dst": "s"},
        BOTH,
        keys=BERLIN,
        counts={"duplicates": 2},
    ),
}
CASES = ONCE


@pytest.mark.parametrize("name", ONCE)
def test_rows_equal_in_every_field_count_once(results: Mapping[str, Result], name: str) -> None:
    """Where a label stands more often than the clock has it; what stays open then is refused."""
    results[name].check()
