"""Two rows of one answer for one time that differ contradict each other: neither is stored.

What was stored stays, both count as rejected, and the run is partial and names time and values, and
`repeated:`, by which a source says that its provider means it. The order of rows decides nothing.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case, document, table
from support.http_server import Reply
from support.provider_answers import (
    PROVIDERS,
    WINDOW,
    Literal,
    json_reply,
    market_document,
    market_series,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conftest import RunCli
    from support.answer_runs import Result
    from support.http_server import LocalServer, Request
    from support.program_sources import SourceFile

PLACES: dict[str, Any] = {"ts": "t", "value": "v"}
FIRST, SECOND, THIRD = "2025-06-02T00:00Z", "2025-06-02T01:00Z", "2025-06-02T02:00Z"
AROUND = {FIRST: 1.0, THIRD: 3.0}


def rows(*pairs: tuple[str, Any], **more: Any) -> list[dict[str, Any]]:
    """Rows with these times and values."""
    return [{"t": ts, "v": value, **more} for ts, value in pairs]


def doubled(*values: Any, **more: Any) -> Case:
    """One time with several values, between two others."""
    return Case(
        json_reply(rows((FIRST, 1), *((SECOND, value) for value in values), (THIRD, 3))),
        PLACES,
        **{"stored": AROUND, "outcome": "partial", **more},
    )


DIFFERENT = {
    "two": doubled(
        10, 20, counts={"rejected": 2, "inserted": 2}, says=("2025-06-02", "10", "20", "repeated")
    ),
    "two-the-other-way": doubled(20, 10, counts={"rejected": 2}),
    "three": doubled(10, 20, 30, counts={"rejected": 3}),
    # a majority is no authority
    "two-of-three": doubled(10, 10, 20, counts={"rejected": 3, "duplicates": 0}),
    "as-text": doubled("10", 20, counts={"rejected": 2}),
    "tiny": doubled(1.0, 1.0000000000000002, counts={"rejected": 2}),
    "signs": doubled(5, -5, counts={"rejected": 2}),
    # what cannot be read contradicts nothing; it is refused by itself
    "unreadable": doubled(
        10, "n/k", stored={**AROUND, SECOND: 10.0}, counts={"rejected": 1, "inserted": 3}
    ),
    "infinite": doubled(
        10, Literal("1e400"), stored={**AROUND, SECOND: 10.0}, counts={"rejected": 1}
    ),
    # at other ends of an answer, and on two pages of it
    "far-apart": Case(
        Reply.json(rows((SECOND, 10), (FIRST, 1), (THIRD, 3), (SECOND, 20))),
        PLACES,
        AROUND,
        outcome="partial",
        counts={"rejected": 2},
    ),
    "two-pages": Case(
        [
            Reply.json(rows((FIRST, 1), (SECOND, 10))),
            Reply.json(rows((SECOND, 20), (THIRD, 3))),
            Reply.json([]),
        ],
        {**PLACES, "paging": {"page": "p"}},
        AROUND,
        outcome="partial",
        counts={"rejected": 2},
    ),
    "two-requests": Case(
        [Reply.json(rows((FIRST, 1), (SECOND, 10))), Reply.json(rows((SECOND, 20), (THIRD, 3)))],
        {**PLACES, "each": "day", "query": {"day": "{start:%Y-%m-%d}"}},
        AROUND,
        window=WINDOW,
        outcome="partial",
        counts={"rejected": 2},
    ),
    # one instant, written in two ways
    "two-offsets": Case(
        Reply.json(rows((FIRST, 1), (SECOND, 10), ("2025-06-02T03:00+02:00", 20), (THIRD, 3))),
        PLACES,
        AROUND,
        outcome="partial",
        counts={"rejected": 2},
    ),
    "local-and-utc": Case(
        Reply.json(rows((FIRST, 1), ("2025-06-02T03:00", 10), (SECOND, 20), (THIRD, 3))),
        PLACES,
        AROUND,
        keys={"timezone": "Europe/Berlin"},
        outcome="partial",
        counts={"rejected": 2},
    ),
    # one series of a group: the others are stored
    "one-of-a-group": Case(
        Reply.json(
            [
                *rows((FIRST, 1), (SECOND, 10), (SECOND, 20), of="a"),
                *rows((FIRST, 1), (SECOND, 2), of="b"),
            ]
        ),
        PLACES,
        {"a": {FIRST: 1.0}, "b": {FIRST: 1.0, SECOND: 2.0}},
        filters={"a": {"of": "a"}, "b": {"of": "b"}},
        outcome="partial",
        counts={"rejected": 2},
        says=("one-of-a-group-a",),
    ),
    # a filter that was forgotten: two stations in one series
    "no-filter": Case(
        table("t,of,v", *(f"2025-06-02T0{h}:00Z,{of},{h}{of}" for h in range(3) for of in (1, 2))),
        PLACES,
        {},
        kind="Csv",
        outcome=("partial", "failed"),
        says=("repeated",),
    ),
    "xml": Case(
        document(
            "<a>"
            + "".join(
                f"<r><t>{t}</t><v>{v}</v></r>"
                for t, v in ((FIRST, 1), (SECOND, 10), (SECOND, 20), (THIRD, 3))
            )
            + "</a>"
        ),
        {**PLACES, "rows": "r"},
        AROUND,
        kind="Xml",
        outcome="partial",
        counts={"rejected": 2},
    ),
}
THE_SAME = {
    # compared as they are stored
    "decimals": doubled(1.1, "1.10", stored={**AROUND, SECOND: 1.1}, outcome="succeeded"),
    "whole": doubled(1, 1.0, stored={**AROUND, SECOND: 1.0}, outcome="succeeded"),
    "nought": doubled(
        0, -0.0, stored={**AROUND, SECOND: 0.0}, outcome="succeeded", counts={"duplicates": 1}
    ),
    "exponent": doubled(
        "1e3", 1000, "1000.0", stored={**AROUND, SECOND: 1000.0}, outcome="succeeded"
    ),
    # more digits than a double holds
    "digits": doubled(
        "0.1000000000000000055511151231257827",
        0.1,
        stored={**AROUND, SECOND: 0.1},
        outcome="succeeded",
        counts={"duplicates": 1, "rejected": 0},
    ),
    "thrice": doubled(
        7, 7, 7, stored={**AROUND, SECOND: 7.0}, outcome="succeeded", counts={"duplicates": 2}
    ),
}
NULLS = {
    "null-after": doubled(
        10,
        None,
        stored={**AROUND, SECOND: 10.0},
        outcome="succeeded",
        counts={"nulls": 1, "duplicates": 0, "rejected": 0, "inserted": 3},
    ),
    "null-before": doubled(
        None,
        10,
        stored={**AROUND, SECOND: 10.0},
        outcome="succeeded",
        counts={"nulls": 1, "inserted": 3},
    ),
    "nulls-around": doubled(
        None, 10, None, stored={**AROUND, SECOND: 10.0}, outcome="succeeded", counts={"inserted": 3}
    ),
    "two-nulls": doubled(None, None, outcome="succeeded", counts={"nulls": 1, "duplicates": 1}),
    "null-beside-two": doubled(10, None, 20, counts={"rejected": 2, "nulls": 1}),
}


def repeated(which: str, *values: Any, **more: Any) -> Case:
    """The same, of a source that says what is meant."""
    return doubled(*values, keys={"repeated": which}, **{"outcome": "succeeded", **more})


MEANT = {
    "last": repeated("last", 10, 20, stored={**AROUND, SECOND: 20.0}, counts={"duplicates": 1}),
    "first": repeated("first", 10, 20, stored={**AROUND, SECOND: 10.0}, counts={"duplicates": 1}),
    "last-of-three": repeated(
        "last", 10, 30, 20, stored={**AROUND, SECOND: 20.0}, counts={"duplicates": 2}
    ),
    "first-of-three": repeated("first", 10, 30, 20, stored={**AROUND, SECOND: 10.0}),
    # a null stays no number
    "last-is-null": repeated("last", 10, None, stored={**AROUND, SECOND: 10.0}),
    "first-is-null": repeated("first", None, 10, stored={**AROUND, SECOND: 10.0}),
    "refuse": repeated("refuse", 10, 20, outcome="partial", counts={"rejected": 2}),
    "in-metadata": doubled(
        10,
        20,
        keys={"metadata": {"repeated": "last"}},
        outcome="succeeded",
        stored={**AROUND, SECOND: 20.0},
    ),
    "of-a-file": Case(
        table("t,v", f"{FIRST},1", f"{SECOND},10", f"{SECOND},20"),
        {"url": "{server}"},
        {FIRST: 1.0, SECOND: 20.0},
        kind="csv_plugin.CsvDataSourcePlugin",
        keys={"repeated": "last"},
    ),
    "of-a-group": Case(
        Reply.json(rows((FIRST, 10), (FIRST, 20), of="a")),
        PLACES,
        {"a": {FIRST: 10.0}},
        filters={"a": {"of": "a"}},
        keys={"repeated": "first"},
    ),
    "no-such-word": repeated("newest", 10, 20, stored={}, outcome="failed", says=("repeated",)),
}


def publications(*triples: tuple[str, Any, str], **more: Any) -> Case:
    """Rows with times of publication."""
    told = [{"t": ts, "v": value, "p": at} for ts, value, at in triples]
    return Case(Reply.json(told), {**PLACES, "published_at": "p"}, **more)


EARLY, LATE = "2025-06-03T00:00Z", "2025-06-04T00:00Z"
PUBLISHED = {
    # two publications of one time are no contradiction
    "two-publications": publications(
        (FIRST, 1, EARLY),
        (FIRST, 2, LATE),
        stored={FIRST: 2.0},
        counts={"rejected": 0},
        published=[(FIRST, 1.0, EARLY), (FIRST, 2.0, LATE)],
    ),
    "two-values-of-one": publications(
        (FIRST, 1, EARLY),
        (FIRST, 2, EARLY),
        (SECOND, 3, EARLY),
        stored={SECOND: 3.0},
        outcome="partial",
        counts={"rejected": 2},
        says=("repeated",),
        published=[(SECOND, 3.0, EARLY)],
    ),
    "of-the-older-one": publications(
        (FIRST, 1, EARLY),
        (FIRST, 5, EARLY),
        (FIRST, 2, LATE),
        stored={FIRST: 2.0},
        outcome="partial",
        counts={"rejected": 2},
        published=[(FIRST, 2.0, LATE)],
    ),
    # nothing is said of the newest: the one before is not taken for it
    "of-the-newer-one": publications(
        (FIRST, 1, EARLY),
        (FIRST, 2, LATE),
        (FIRST, 3, LATE),
        stored={FIRST: 1.0},
        outcome="partial",
        counts={"rejected": 2},
        published=[(FIRST, 1.0, EARLY)],
    ),
    "last-of-one": publications(
        (FIRST, 1, EARLY),
        (FIRST, 2, EARLY),
        stored={FIRST: 2.0},
        keys={"repeated": "last"},
        published=[(FIRST, 2.0, EARLY)],
    ),
}


def archive_reply(*members: tuple[str, tuple[int, ...], Sequence[str]]) -> Reply:
    """An archive of tables, with the times of its files."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, at, lines in members:
            info = zipfile.ZipInfo(name, (*at, 0, 0, 0)[:6])  # type: ignore[arg-type]
            archive.writestr(info, "".join(f"{line}\n" for line in ("t,v", *lines)))
    return Reply(body=body.getvalue(), content_type="application/zip")


OLD, NEW = (2025, 6, 3), (2025, 6, 4)
AUTUMN = ("02:00,2", "02:00,3")
OVERLAPS = {
    # the file's own time tells which is the revision, whatever it is called
    "files-by-time": Case(
        archive_reply(
            ("b.csv", OLD, [f"{FIRST},1", f"{SECOND},10"]),
            ("a.csv", NEW, [f"{SECOND},20", f"{THIRD},3"]),
        ),
        PLACES,
        {**AROUND, SECOND: 20.0},
        kind="Csv",
        counts={"rejected": 0},
    ),
    "files-of-one-time": Case(
        archive_reply(
            ("a.csv", OLD, [f"{FIRST},1", f"{SECOND},10"]),
            ("b.csv", OLD, [f"{SECOND},20", f"{THIRD},3"]),
        ),
        PLACES,
        AROUND,
        kind="Csv",
        outcome="partial",
        counts={"rejected": 2},
    ),
    # each file by itself says which of two hours its labels mean
    "files-of-an-autumn-day": Case(
        archive_reply(
            ("a.csv", OLD, [f"2025-10-26T{row}" for row in ("01:00,1", *AUTUMN, "03:00,4")]),
            ("b.csv", NEW, [f"2025-10-26T{row}" for row in ("02:00,2", "02:00,30", "03:00,40")]),
        ),
        {**PLACES, "period_end": "1 hour", "time_format": "%Y-%m-%dT%H:%M"},
        {
            "2025-10-25T22:00Z": 1.0,
            "2025-10-25T23:00Z": 2.0,
            "2025-10-26T00:00Z": 30.0,
            "2025-10-26T01:00Z": 40.0,
        },
        kind="Csv",
        keys={"timezone": "Europe/Berlin"},
        window=("2025-10-25T22:00Z", "2025-10-26T23:00Z"),
        counts={"rejected": 0},
    ),
    "files-that-agree": Case(
        archive_reply(
            ("a.csv", OLD, [f"{FIRST},1", f"{SECOND},2"]),
            ("b.csv", OLD, [f"{SECOND},2", f"{THIRD},3"]),
        ),
        PLACES,
        {**AROUND, SECOND: 2.0},
        kind="Csv",
        counts={"duplicates": 1},
    ),
    # within one file there is no newer row
    "in-one-of-two-files": Case(
        archive_reply(
            ("a.csv", OLD, [f"{FIRST},1"]),
            ("b.csv", NEW, [f"{SECOND},10", f"{SECOND},20", f"{THIRD},3"]),
        ),
        PLACES,
        AROUND,
        kind="Csv",
        outcome="partial",
        counts={"rejected": 2},
    ),
    # files of several requests: what their server says of them
    "requests-by-time": Case(
        lambda request: table(
            "t,v",
            f"{SECOND},{20 if request.query['day'] == ['2025-06-02'] else 10}",
            headers={
                "Last-Modified": "Wed, 04 Jun 2025 00:00:00 GMT"
                if request.query["day"] == ["2025-06-02"]
                else "Tue, 03 Jun 2025 00:00:00 GMT"
            },
        ),
        {**PLACES, "each": "day", "query": {"day": "{start:%Y-%m-%d}"}},
        {SECOND: 20.0},
        kind="Csv",
        window=WINDOW,
        counts={"rejected": 0},
    ),
}


def revised_documents() -> Reply:
    """An archive of two market documents, of which the one that comes first is the newer."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, created, value in (
            ("a.xml", "2025-06-05T00:00:00Z", 20),
            ("b.xml", "2025-06-04T00:00:00Z", 10),
        ):
            series = market_series("2025-06-02T01:00Z", "2025-06-02T02:00Z", "PT60M", [(1, value)])
            archive.writestr(name, market_document(series, created=created))
    return Reply(body=body.getvalue(), content_type="application/zip")


BUILT_IN = {
    f"built-in-{name}": provider.case(
        [
            ("2025-06-02T00:00Z", 1),
            ("2025-06-02T01:00Z", 10),
            ("2025-06-02T01:00Z", 20),
            ("2025-06-02T02:00Z", 3),
        ],
        AROUND,
        outcome="partial",
        counts={"rejected": 2},
        says=("repeated", "10", "20"),
    )
    for name, provider in PROVIDERS.items()
    if name != "fred"
} | {
    "built-in-fred": PROVIDERS["fred"].case(
        [("2025-06-02", 1), ("2025-06-03", 10), ("2025-06-03", 20)],
        {"2025-06-02T00:00Z": 1.0},
        outcome="partial",
        counts={"rejected": 2},
    ),
    # two Points of one position, two TimeSeries that say the same of themselves
    "built-in-entsoe-positions": Case(
        document(
            market_document(
                market_series(
                    "2025-06-02T00:00Z",
                    "2025-06-02T03:00Z",
                    "PT60M",
                    [(1, 1), (2, 10), (2, 20), (3, 3)],
                )
            )
        ),
        PROVIDERS["entsoe"].params,
        AROUND,
        kind="entsoe_plugin.EntsoeDataSourcePlugin",
        window=WINDOW,
        outcome=("partial", "failed"),
        says=("20",),
    ),
    # a group: two rows of one Elexon fuel, published together
    "built-in-elexon-group": Case(
        Reply.json(
            [
                {
                    "startTime": "2025-06-02T00:00:00Z",
                    "publishTime": "2025-06-02T00:30:00Z",
                    "fuelType": fuel,
                    "generation": value,
                }
                for fuel, value in (("WIND", 1), ("CCGT", 10), ("CCGT", 20))
            ]
        ),
        {"dataset": "FUELHH", "per_minute": 60000},
        {"wind": {FIRST: 1.0}, "ccgt": {}},
        kind="elexon_plugin.ElexonMultiSeriesPlugin",
        filters={"wind": {"fuelType": "WIND"}, "ccgt": {"fuelType": "CCGT"}},
        window=WINDOW,
        outcome="partial",
        counts={"rejected": 2},
    ),
    "built-in-elexon-newest": Case(
        Reply.json(
            [
                {
                    "startTime": "2025-06-02T00:00:00Z",
                    "publishTime": "2025-06-02T00:30:00Z",
                    "demand": value,
                }
                for value in (10, 20)
            ]
        ),
        {**PROVIDERS["elexon"].params, "vintages": False},
        {},
        kind="elexon_plugin.ElexonDataSourcePlugin",
        window=WINDOW,
        outcome=("partial", "failed"),
        says=("repeated",),
    ),
    # documents of ENTSO-E say when they were made: the newer one is a revision
    "built-in-entsoe-revision": Case(
        revised_documents(),
        PROVIDERS["entsoe"].params,
        {SECOND: 20.0},
        kind="entsoe_plugin.EntsoeDataSourcePlugin",
        window=WINDOW,
        counts={"rejected": 0},
    ),
}
CASES = DIFFERENT | THE_SAME | NULLS | MEANT | PUBLISHED | OVERLAPS | BUILT_IN


@pytest.mark.parametrize("name", DIFFERENT)
def test_rows_that_differ_are_both_refused(results: Mapping[str, Result], name: str) -> None:
    """Wherever they stand in an answer, and in however many: the rest of it is stored."""
    results[name].check()


@pytest.mark.parametrize("name", THE_SAME)
def test_values_are_compared_as_they_are_stored(results: Mapping[str, Result], name: str) -> None:
    """1.1 and "1.10", 0 and -0, 1e3 and 1000 are one value, which counts once."""
    results[name].check()


@pytest.mark.parametrize("name", NULLS)
def test_a_null_beside_a_number_is_no_contradiction(
    results: Mapping[str, Result], name: str
) -> None:
    """It is counted among the nulls, and the number counts."""
    results[name].check()


@pytest.mark.parametrize("name", MEANT)
def test_repeated_says_that_the_provider_means_it(results: Mapping[str, Result], name: str) -> None:
    """`last` or `first` of a source: then that row counts, and the others are duplicates."""
    results[name].check()


@pytest.mark.parametrize("name", PUBLISHED)
def test_publications_tell_rows_apart(results: Mapping[str, Result], name: str) -> None:
    """Only rows of one time and one publication can contradict each other."""
    results[name].check()


@pytest.mark.parametrize("name", OVERLAPS)
def test_files_that_overlap(results: Mapping[str, Result], name: str) -> None:
    """The newer file is a revision of the older one; of two of the same time neither is."""
    results[name].check()


@pytest.mark.parametrize("name", BUILT_IN)
def test_so_it_is_with_every_provider(results: Mapping[str, Result], name: str) -> None:
    """No plugin lets the last row win on its way."""
    results[name].check()


def fetched(run_cli: RunCli, env: Mapping[str, str], *options: str) -> dict[str, Any]:
    """What a run of the source told."""
    done = run_cli("fetch", "load", "--json", *options, env=env)
    (run,) = json.loads(done.stdout)["runs"]
    return {**run, "code": done.returncode}


def load(sources: SourceFile, address: str, **keys: Any) -> None:
    """One source of JSON rows."""
    keys = {"initial_history": "all", "lookback": "10000 days", **keys}
    sources.add("load", "http_plugin.HttpJsonPlugin", {"url": address, **PLACES}, keys)
    sources.write()


def values(run_cli: RunCli, env: Mapping[str, str]) -> dict[str, float]:
    """What is stored."""
    done = run_cli("history", "load", "--start", "2000", "--json", env=env)
    rows = json.loads(done.stdout)["observations"]
    return {row["ts"][:16] + "Z": row["value"] for row in rows}


def test_what_was_stored_stays(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Also if one of the two is what was stored, and if the next answer is clear again."""
    answers: Iterable[list[dict[str, Any]]] = (
        rows((FIRST, 1), (SECOND, 10)),
        rows((FIRST, 1), (SECOND, 10), (SECOND, 20)),
        rows((FIRST, 1), (SECOND, 30), (SECOND, 20)),
        rows((FIRST, 1), (SECOND, None), (SECOND, 20), (SECOND, 30)),
        rows((FIRST, 1), (SECOND, 20)),
    )
    load(sources, server.answer("/a", *map(Reply.json, answers)))
    assert fetched(run_cli, env)["outcome"] == "succeeded"
    for _ in range(3):
        run = fetched(run_cli, env)
        assert (run["outcome"], run["code"]) == ("partial", 3)
        assert (run["revised"], run["retracted"], run["inserted"]) == (0, 0, 0)
        assert values(run_cli, env) == {FIRST: 1.0, SECOND: 10.0}
    run = fetched(run_cli, env)
    assert (run["outcome"], run["revised"]) == ("succeeded", 1)
    assert values(run_cli, env) == {FIRST: 1.0, SECOND: 20.0}


def test_the_order_of_rows_makes_no_revision(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """A provider that sends two rows now in this order, now in that: nothing is written."""

    def reply(request: Request) -> Reply:
        turn = server.asked(request.path) % 2
        pair = rows((SECOND, 10), (SECOND, 20))
        return Reply.json([*rows((FIRST, 1)), *(pair if turn else pair[::-1])])

    load(sources, server.answer("/a", reply))
    for number in range(4):
        run = fetched(run_cli, env)
        assert run["revised"] == 0
        assert run["inserted"] == (0 if number else 1)
    assert values(run_cli, env) == {FIRST: 1.0}


def test_under_q_a_contradiction_is_told_in_one_line(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Source, series, time, both values and the key that settles it, on stderr; exit code 3."""
    load(sources, server.answer("/a", Reply.json(rows((FIRST, 1), (SECOND, 10.5), (SECOND, 20.5)))))
    done = run_cli("-q", "fetch", "load", env=env)
    assert (done.returncode, done.stdout) == (3, "")
    (line,) = done.stderr.splitlines()
    for text in ("load", "2025-06-02", "01:00", "10.5", "20.5", "repeated"):
        assert text in line


def test_a_plugin_class_may_mean_it(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """`source_defaults` of a class may have `repeated`; the entry beats it."""
    body = """
        source_defaults = {"initial_history": "all", "repeated": "last"}

        def get_historical_data(self, start_date, end_date=None, metrics=None):
            return [
                {"ts": "2025-06-02T00:00Z", "value": 1},
                {"ts": "2025-06-02T00:00Z", "value": 2},
            ]
    """
    sources.python("load", body)
    sources.python("strict", body, repeated="refuse")
    sources.write()
    done = run_cli("fetch", "load", "strict", "--json", env=env)
    runs = {run["source"]: run for run in json.loads(done.stdout)["runs"]}
    assert (runs["load"]["outcome"], runs["load"]["duplicates"]) == ("succeeded", 1)
    assert values(run_cli, env) == {FIRST: 2.0}
    assert (runs["strict"]["outcome"], runs["strict"]["rejected"]) == ("partial", 2)


def test_a_contradiction_keeps_no_validator(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """An answer that could not be taken whole is asked for again, whole."""
    tagged = {"ETag": '"1"'}
    body = Reply.json(rows((FIRST, 1), (SECOND, 10), (SECOND, 20))).body

    def reply(request: Request) -> Reply:
        assert "if-none-match" not in request.headers
        return Reply(body=body, headers=tagged)

    load(sources, server.answer("/a", reply))
    for _ in range(2):
        assert fetched(run_cli, env)["outcome"] == "partial"
