"""What a provider writes to tell the two hours of an autumn night apart decides, in any order.

`dst` names it: a column that says whether daylight saving time holds (Y and N, true and false, EDT
and EST, +02:00 and +01:00), or a mark within the label itself (02X, 2A and 2B, 02a:15). `first` and
`second` are its texts for the earlier and the later of the two hours, where they are other ones.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case, document, steps, table
from support.http_server import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.answer_runs import Result

HOUR, HALF, QUARTER = timedelta(hours=1), timedelta(minutes=30), timedelta(minutes=15)
NEW_YORK, BERLIN = {"timezone": "America/New_York"}, {"timezone": "Europe/Berlin"}
CHICAGO = {"timezone": "America/Chicago"}

# ISO-NE: 02X is the hour that ends at 02:00 EST, after 02, which ends at 02:00 EDT
ISO_NE = [("01", 0), ("02", 1), ("02X", 2), ("03", 3), ("04", 4)]
ISO_NE_PARAMS: dict[str, Any] = {
    "ts": ["Date", "Hour Ending"],
    "time_format": "%m/%d/%Y %H",
    "value": "MW",
    "period_end": "1 hour",
    "dst": {"second": "X"},
}
NIGHT = steps("2025-11-02T04:00Z", HOUR, range(5))


def iso_ne(rows: Sequence[tuple[str, int]], **more: Any) -> Case:
    """A table of ISO New England."""
    lines = (f"11/02/2025,{label},{value}" for label, value in rows)
    return Case(
        table("Date,Hour Ending,MW", *lines),
        ISO_NE_PARAMS,
        kind="Csv",
        keys=NEW_YORK,
        **{"stored": NIGHT, **more},
    )


def marked(
    labels: Sequence[str], zone: Mapping[str, str], begins: str, step: timedelta, **params: Any
) -> Case:
    """Labels in the order of time, sent in another one."""
    rows = [{"t": label, "v": n} for n, label in enumerate(labels)]
    return Case(
        Reply.json(sorted(rows, key=lambda row: str(row["t"])[::-1])),
        {"ts": "t", "value": "v", **params},
        steps(begins, step, range(len(labels))),
        keys=zone,
    )


MARKS = {
    "02x": iso_ne(ISO_NE),
    "02x-newest-first": iso_ne(ISO_NE[::-1]),
    "02x-at-the-end": iso_ne([*ISO_NE[:2], *ISO_NE[3:], ISO_NE[2]]),
    "02x-at-the-beginning": iso_ne([ISO_NE[2], *ISO_NE[:2], *ISO_NE[3:]]),
    # alone: it says by itself which it is
    "02x-alone": iso_ne(
        [ISO_NE[2], ISO_NE[4]], stored={k: v for k, v in NIGHT.items() if v in {2, 4}}
    ),
    # a day without any, in spring and on any other day
    "no-mark-in-spring": Case(
        table(
            "Date,Hour Ending,MW",
            *(f"03/09/2025,{h:02},{n}" for n, h in enumerate([1, 2, *range(4, 25)])),
        ),
        ISO_NE_PARAMS,
        steps("2025-03-09T05:00Z", HOUR, range(23)),
        kind="Csv",
        keys=NEW_YORK,
    ),
    # hours that begin: 2A and 2B, in either case of letter, without a nought before them
    "2a-2b": marked(
        ["2025-10-26 1", "2025-10-26 2A", "2025-10-26 2B", "2025-10-26 3"],
        BERLIN,
        "2025-10-25T23:00Z",
        HOUR,
        time_format="%Y-%m-%d %H",
        dst={"first": "A", "second": "B"},
    ),
    "02a-minutes": marked(
        [
            "26.10.2025 01:45",
            *(f"26.10.2025 02{of}:{m:02}" for of in "ab" for m in (0, 15, 30, 45)),
            "26.10.2025 03:00",
        ],
        {"timezone": "Europe/Warsaw"},
        "2025-10-25T23:45Z",
        QUARTER,
        time_format="%d.%m.%Y %H:%M",
        dst={"first": "a", "second": "b"},
    ),
    # quarters that end: 02a:00 ends the last one before, 02b:00 the last one of summer time
    "02a-minutes-that-end": marked(
        [
            *(f"26.10.2025 02{of}:{m:02}" for of in "ab" for m in (0, 15, 30, 45)),
            "26.10.2025 03:00",
        ],
        {"timezone": "Europe/Warsaw"},
        "2025-10-25T23:45Z",
        QUARTER,
        time_format="%d.%m.%Y %H:%M",
        period_end="15 minutes",
        dst={"first": "a", "second": "b"},
    ),
    # JAO: a star after the label of the second
    "star": marked(
        ["2025-10-26 01:00", "2025-10-26 02:00", "2025-10-26 02:00*", "2025-10-26 03:00"],
        {"timezone": "Europe/Paris"},
        "2025-10-25T23:00Z",
        HOUR,
        time_format="%Y-%m-%d %H:%M",
        dst={"second": "*"},
    ),
    # AM and PM are no marks
    "am-pm": marked(
        ["11/02/2025 12:00 AM", "11/02/2025 1:00 AM", "11/02/2025 1:00B AM", "11/02/2025 2:00 AM"],
        NEW_YORK,
        "2025-11-02T04:00Z",
        HOUR,
        time_format="%m/%d/%Y %I:%M %p",
        dst={"second": "B"},
    ),
}


def flagged(
    rows: Sequence[tuple[str, Any, float]],
    stored: Mapping[str, float | None] | None,
    dst: Any = "flag",
    keys: Mapping[str, str] = NEW_YORK,
    *,
    of: Mapping[str, Any] | None = None,
    **more: Any,
) -> Case:
    """Rows with a label, what stands in a column beside it, and a value."""
    told = [{"t": label, "flag": flag, "v": value} for label, flag, value in rows]
    return Case(
        Reply.json(told),
        {"ts": "t", "value": "v", "dst": dst, **(of or {})},
        stored,
        keys=keys,
        **more,
    )


# beginnings: 00 EDT, 01 EDT, 01 EST, 02 EST
BEGIN = ["2025-11-02T00:00", "2025-11-02T01:00", "2025-11-02T01:00", "2025-11-02T02:00"]
FOUR = steps("2025-11-02T04:00Z", HOUR, range(4))
DAY, STANDARD = (True, True, False, False), ("EDT", "EDT", "EST", "EST")


def four(flags: Sequence[Any], dst: Any = "flag", order: Sequence[int] = (2, 0, 3, 1)) -> Case:
    """The four with these flags, in another order."""
    rows = [(BEGIN[n], flags[n], float(n)) for n in order]
    return flagged(rows, FOUR, dst)


FLAGS = {
    "y-n": four(("Y", "Y", "N", "N")),
    "yes-no": four(("yes", "yes", "no", "no")),
    "true-false": four(DAY),
    "true-false-texts": four(("true", "TRUE", "False", "false")),
    "one-nought": four((1, 1, 0, 0)),
    "edt-est": four(STANDARD),
    "edt-est-newest-first": four(STANDARD, order=(3, 2, 1, 0)),
    "edt-est-second-first": four(STANDARD, order=(0, 2, 1, 3)),
    "offsets": four(("-04:00", "-04:00", "-05:00", "-05:00")),
    "offsets-without-colon": four(("-0400", "-0400", "-0500", "-0500")),
    # words of one's own: those of a language, or a flag that marks the repetition (ERCOT)
    "own-words": flagged(
        [
            ("2025-10-26T02:00", "MEZ", 1),
            ("2025-10-26T03:00", "MEZ", 2),
            ("2025-10-26T02:00", "MESZ", 0),
        ],
        steps("2025-10-26T00:00Z", HOUR, range(3)),
        {"place": "flag", "first": "MESZ", "second": ["MEZ"]},
        BERLIN,
    ),
    "repetition": four(("N", "N", "Y", "N"), {"place": "flag", "first": "N", "second": "Y"}),
    "repetition-false-true": four(
        (False, False, True, False), {"place": "flag", "first": False, "second": True}
    ),
    # ERCOT: hours that end, 01:00 to 24:00, the flagged row anywhere
    "ercot": flagged(
        [
            ("11/03/2024 02:00", "Y", 2),
            *((f"11/03/2024 {h:02}:00", "N", n) for n, h in enumerate(range(3, 25), 3)),
            ("11/03/2024 01:00", "N", 0),
            ("11/03/2024 02:00", "N", 1),
        ],
        steps("2024-11-03T05:00Z", HOUR, range(25)),
        {"place": "flag", "first": ["N"], "second": ["Y"]},
        CHICAGO,
        of={"time_format": "%m/%d/%Y %H:%M", "period_end": "1 hour"},
    ),
    # USGS: the abbreviation in every row, times at odd minutes, none of them there twice
    "usgs": flagged(
        [
            ("2024-11-03 00:45", "EDT", 974),
            ("2024-11-03 01:30", "EDT", 975),
            ("2024-11-03 01:15", "EST", 977),
            ("2024-11-03 02:00", "EST", 980),
        ],
        {
            "2024-11-03T04:45Z": 974.0,
            "2024-11-03T05:30Z": 975.0,
            "2024-11-03T06:15Z": 977.0,
            "2024-11-03T07:00Z": 980.0,
        },
    ),
    # London, Lisbon; and an island whose zone has no letters
    "london": flagged(
        [("2025-10-26T01:30", "GMT", 1), ("2025-10-26T01:30", "BST", 0)],
        {"2025-10-26T00:30Z": 0.0, "2025-10-26T01:30Z": 1.0},
        keys={"timezone": "Europe/London"},
    ),
    "lisbon": flagged(
        [("2025-10-26T01:00", "WET", 1), ("2025-10-26T01:00", "WEST", 0)],
        {"2025-10-26T00:00Z": 0.0, "2025-10-26T01:00Z": 1.0},
        keys={"timezone": "Europe/Lisbon"},
    ),
    "lord-howe": flagged(
        [("2025-04-06T01:30", "+10:30", 1), ("2025-04-06T01:30", "+11:00", 0)],
        {"2025-04-05T14:30Z": 0.0, "2025-04-05T15:00Z": 1.0},
        keys={"timezone": "Australia/Lord_Howe"},
    ),
    # where winter time is the exception (Ireland), first and second stay what they are
    "dublin": flagged(
        [("2025-10-26T01:00", "GMT", 1), ("2025-10-26T01:00", "IST", 0)],
        {"2025-10-26T00:00Z": 0.0, "2025-10-26T01:00Z": 1.0},
        keys={"timezone": "Europe/Dublin"},
    ),
    "dublin-yes-no": flagged(
        [("2025-10-26T01:00", "N", 1), ("2025-10-26T01:00", "Y", 0)],
        {"2025-10-26T00:00Z": 0.0, "2025-10-26T01:00Z": 1.0},
        keys={"timezone": "Europe/Dublin"},
    ),
    "table": Case(
        table(
            "Date;Hour;DST;MW",
            "2025-11-02;02:00;N;2",
            "2025-11-02;02:00;Y;1",
            "2025-11-02;01:00;Y;0",
        ),
        {
            "ts": ["Date", "Hour"],
            "time_format": "%Y-%m-%d %H:%M",
            "value": "MW",
            "dst": "DST",
            "period_end": "1 hour",
        },
        steps("2025-11-02T04:00Z", HOUR, range(3)),
        kind="Csv",
        keys=NEW_YORK,
    ),
    "xml": Case(
        document(
            '<a><r t="2025-10-26T02:30" s="false" v="1"/>'
            '<r t="2025-10-26T02:30" s="true" v="0"/></a>'
        ),
        {"rows": "r", "ts": "@t", "value": "@v", "dst": "@s"},
        {"2025-10-26T00:30Z": 0.0, "2025-10-26T01:30Z": 1.0},
        kind="Xml",
        keys=BERLIN,
    ),
    "two-series": Case(
        Reply.json(
            [
                {"t": BEGIN[n], "of": of, "flag": STANDARD[n], "v": n}
                for n in (2, 1, 3, 0)
                for of in "ab"
            ]
        ),
        {"ts": "t", "value": "v", "dst": "flag"},
        dict.fromkeys("ab", FOUR),
        filters={"a": {"of": "a"}, "b": {"of": "b"}},
        keys=NEW_YORK,
    ),
}
AROUND = {ts: value for ts, value in FOUR.items() if value in {0, 3}}
UNCLEAR = {
    # both say the same, and their values differ: a contradiction
    "twice-the-same": flagged(
        [(BEGIN[n], flag, n) for n, flag in enumerate(("Y", "Y", "Y", "N"))],
        AROUND,
        outcome="partial",
        counts={"rejected": 2},
        says=("repeated",),
    ),
    "no-such-word": flagged(
        [(BEGIN[n], flag, n) for n, flag in enumerate(("Y", "maybe", "perhaps", "N"))],
        AROUND,
        outcome="partial",
        counts={"rejected": 2},
        says=("maybe",),
    ),
    "nothing-there": flagged(
        [(BEGIN[n], flag, n) for n, flag in enumerate(("Y", None, "", "N"))],
        AROUND,
        outcome="partial",
        counts={"rejected": 2},
    ),
    # a mark where the clock has the hour once
    "mark-elsewhere": iso_ne(
        [*ISO_NE, ("05X", 9)], outcome="partial", counts={"rejected": 1}, says=("05X",)
    ),
}
CASES = MARKS | FLAGS | UNCLEAR


@pytest.mark.parametrize("name", MARKS)
def test_marks_in_labels_decide(results: Mapping[str, Result], name: str) -> None:
    """02X, 2A and 2B, 02a:15, a star: whatever the order, and where one of the two stands alone."""
    results[name].check()


@pytest.mark.parametrize("name", FLAGS)
def test_a_column_that_flags_daylight_saving_time_decides(
    results: Mapping[str, Result], name: str
) -> None:
    """Yes and no, true and false, abbreviations, offsets, or words that sources.yaml names."""
    results[name].check()


@pytest.mark.parametrize("name", UNCLEAR)
def test_what_does_not_decide_is_refused(results: Mapping[str, Result], name: str) -> None:
    """The labels that stay open, with what stands there; the others are stored."""
    results[name].check()
