"""A first run whose points were all refused has not had its history: it is asked for again.

The window of the second run used to be that of `lookback`: what lay before it was never asked for.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import RunCli
    from support.http_server import LocalServer, Request
    from support.program_sources import SourceFile

NOW = datetime.now(UTC)
HISTORY, LOOKBACK = timedelta(days=100), timedelta(days=2)
PLACES: dict[str, Any] = {"ts": "t", "value": "v"}
LONG_AGO = (NOW - timedelta(days=50)).replace(minute=0, second=0, microsecond=0)


def day(number: int = 0) -> str:
    """A time within the history, long before the look back begins."""
    return f"{LONG_AGO + timedelta(days=number):%Y-%m-%dT%H:%MZ}"


def describe(
    sources: SourceFile,
    address: str,
    *,
    filters: Mapping[str, Mapping[str, Any]] | None = None,
    params: Mapping[str, Any] | None = None,
    **keys: Any,
) -> None:
    """A source that is asked from some time on."""
    own = {**PLACES, "url": address, "query": {"from": "{start}"}, **(params or {})}
    limits = {"initial_history": "100 days", "lookback": "2 days", **keys}
    if filters is None:
        sources.add("load", "http_plugin.HttpJsonPlugin", own, limits)
        sources.write()
        return
    group = {
        "module": "dataportal.plugins.data_sources.http_plugin",
        "class": "HttpJsonMultiSeriesPlugin",
        "schedule": "1 day",
        **limits,
        "request_params": own,
        "timeseries": [
            {"endpoint_prefix": name, "extract_filter": said} for name, said in filters.items()
        ],
    }
    (sources.folder / "sources.yaml").write_text(
        json.dumps({"request_groups": {"load": group}}), encoding="utf-8"
    )


def fetched(run_cli: RunCli, env: Mapping[str, str], *options: str) -> dict[str, Any]:
    """What a run told."""
    done = run_cli("fetch", "load", "--json", *options, env=env)
    (run,) = json.loads(done.stdout)["runs"]
    return dict(run)


def requested_spans(server: LocalServer) -> list[timedelta]:
    """How far back each request asked."""
    starts = [datetime.fromisoformat(r.query["from"][0]) for r in server.requests]
    now = datetime.now(UTC)
    return [now - start for start in starts]


def reaches(length: timedelta, back: timedelta) -> bool:
    """Whether that is so far back; an interval's beginning may lie a day before."""
    return -timedelta(minutes=5) <= length - back <= timedelta(days=1, minutes=5)


REFUSED: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    # the zone was forgotten
    "no-zone": ([{"t": day().replace("Z", ""), "v": 1}], {}),
    "no-number": ([{"t": day(), "v": "much"}, {"t": day(1), "v": "more"}], {}),
    "infinite": ([{"t": day(), "v": "1e999"}], {}),
    "no-time": ([{"t": "yesterday", "v": 1}], {}),
    "another-format": ([{"t": "01.02.2025", "v": 1}], {"time_format": "%Y-%m-%d"}),
    "contradiction": ([{"t": day(), "v": 1}, {"t": day(), "v": 2}], {}),
    "no-publication": ([{"t": day(), "v": 1, "p": None}], {"published_at": "p"}),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_points_are_no_history(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli, kind: str
) -> None:
    """Whatever they were refused for: the next run asks as far back, and stores what comes."""
    rows, params = REFUSED[kind]
    good = [{"t": day(), "v": 1, "p": day(1)}]
    describe(sources, server.answer("/a", Reply.json(rows), Reply.json(good)), params=params)
    first = fetched(run_cli, env)
    assert first["outcome"] in {"partial", "failed"}
    assert first["inserted"] == 0
    describe(sources, f"{server.url}/a")
    assert fetched(run_cli, env)["inserted"] == 1
    assert all(reaches(length, HISTORY) for length in requested_spans(server))


def test_it_is_asked_for_until_a_point_is_taken(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """And not once more."""
    bad, good = [{"t": day(), "v": "n/k"}], [{"t": day(), "v": 1}]
    describe(sources, server.answer("/a", *map(Reply.json, (bad, bad, bad, good, good))))
    for _ in range(4):
        fetched(run_cli, env)
    assert all(reaches(length, HISTORY) for length in requested_spans(server))
    fetched(run_cli, env)
    # two days before the newest
    assert reaches(requested_spans(server)[-1], timedelta(days=52))


def test_some_points_are_a_history(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Where one of them is taken the rest is told, and asked for by a backfill."""
    rows = [{"t": day(), "v": 1}, {"t": day(-1), "v": "n/k"}]
    describe(sources, server.answer("/a", Reply.json(rows)))
    assert fetched(run_cli, env)["outcome"] == "partial"
    fetched(run_cli, env)
    assert reaches(requested_spans(server)[-1], timedelta(days=52))


def test_no_points_are_a_history_that_is_empty(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """As before: a series that has nothing yet does not make every run long."""
    describe(sources, server.answer("/a", Reply.json([])))
    assert fetched(run_cli, env)["outcome"] == "empty"
    fetched(run_cli, env)
    assert [
        reaches(length, back)
        for length, back in zip(requested_spans(server), (HISTORY, LOOKBACK), strict=True)
    ] == [True, True]


def test_each_series_of_a_group_has_its_own(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """One whose points were all refused lets the group ask for the whole history again."""
    rows: list[dict[str, Any]] = [
        {"t": day(), "v": 1, "of": "a"},
        {"t": day(), "v": "n/k", "of": "b"},
    ]
    good = [{**row, "v": 2} for row in rows]
    describe(
        sources,
        server.answer("/a", Reply.json(rows), Reply.json(good)),
        filters={"a": {"of": "a"}, "b": {"of": "b"}},
    )
    assert fetched(run_cli, env)["outcome"] == "partial"
    assert fetched(run_cli, env)["inserted"] == 1
    fetched(run_cli, env)
    lengths = requested_spans(server)
    assert [reaches(length, HISTORY) for length in lengths] == [True, True, False]


def test_a_series_whose_request_was_refused_asks_again(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """An address of its own that was not there in the first run."""
    server.answer("/good", Reply.json([{"t": day(), "v": 1}]))
    server.answer("/late", Reply(404), Reply.json([{"t": day(), "v": 2}]))
    describe(
        sources,
        f"{server.url}/{{place}}",
        filters={"a": {"place": "good"}, "b": {"place": "late"}},
    )
    assert fetched(run_cli, env)["outcome"] == "partial"
    assert fetched(run_cli, env)["inserted"] == 1
    late = [r for r in server.requests if r.path == "/late"]
    now = datetime.now(UTC)
    starts = [now - datetime.fromisoformat(r.query["from"][0]) for r in late]
    assert all(reaches(length, HISTORY) for length in starts)


def test_a_window_in_slices(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Where every slice was refused; one good slice is a history."""

    def reply(request: Request) -> Reply:
        # a second or more within the slice, whose start is asked for in whole seconds; and without
        # its zone: where every value of an answer is unreadable the run fails with its first slice
        inside = datetime.fromisoformat(request.query["from"][0]) + timedelta(hours=1)
        return Reply.json([{"t": f"{inside:%Y-%m-%dT%H:%M:%S}", "v": 1}])

    describe(sources, server.answer("/a", reply), max_window="40 days")
    fetched(run_cli, env)
    first = len(server.requests)
    assert first > 1
    fetched(run_cli, env)
    assert reaches(requested_spans(server)[first], HISTORY)
