"""One request of several that a provider refuses loses nothing of the others.

What the others brought is stored, the run is partial, and what was refused is named. Eleven
stations of Tankerkönig are two requests: one wrong id used to lose all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case, document
from support.http_server import Reply
from support.provider_answers import PROVIDERS, WINDOW, market_document, market_series

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.answer_runs import Result
    from support.http_server import Request

FIRST = "2025-06-02T00:00Z"
STATIONS = [f"s{number:02}" for number in range(11)]
REFUSALS = {
    "error-under-200": Reply.json({"ok": False, "message": "parameter error"}),
    "400": Reply(400, b'{"ok": false, "message": "parameter error"}'),
    "403": Reply(403, b"no"),
    "404": Reply(404, b"no"),
    "page": Reply(body=b"<!doctype html><h1>Oops</h1>"),
    "no-json": Reply(body=b"oops"),
    "another-shape": Reply.json({"ok": True, "prices": [1, 2]}),
    "no-prices": Reply.json({"ok": True}),
}


def prices(request: Request) -> Reply:
    """What is asked for, at one price."""
    ids = request.query["ids"][0].split(",")
    return Reply.json({"ok": True, "prices": {one: {"status": "open", "e5": 1.5} for one in ids}})


def stations(refusal: Reply, *refused: str, count: int = 11, **more: Any) -> Case:
    """Stations of Tankerkönig; a request for one of these is refused, of none of them each is."""

    def reply(request: Request) -> Reply:
        ids = request.query["ids"][0].split(",")
        return refusal if not refused or {*ids} & {*refused} else prices(request)

    names = [f"s{number:02}" for number in range(count)]
    return Case(
        reply,
        {"api_key": "key-of-a-test", "per_minute": 60000},
        kind="tankerkoenig_plugin.TankerkoenigMultiSeriesPlugin",
        filters={name: {"station": name, "fuel": "e5"} for name in names},
        keys={"schedule": "15 minutes", "initial_history": "1 day"},
        **more,
    )


TANKERKOENIG = (
    {
        f"second-{name}": (
            stations(reply, "s10", outcome="partial"),
            STATIONS[:10],
        )
        for name, reply in REFUSALS.items()
    }
    | {
        f"first-{name}": (
            stations(reply, "s00", outcome="partial"),
            STATIONS[10:],
        )
        for name, reply in REFUSALS.items()
    }
    | {
        "middle-of-three": (
            stations(Reply(400), "s12", count=25, outcome="partial"),
            [f"s{n:02}" for n in (*range(10), *range(20, 25))],
        ),
    }
)
ALL_REFUSED = {
    "all-refused": stations(Reply(403, b"bad key"), outcome="failed", says=("403",)),
    "all-refused-under-200": stations(
        REFUSALS["error-under-200"], outcome="failed", says=("parameter error",)
    ),
}


def fuels(name: str, *refused: str, reply: Reply, outcome: str = "partial") -> Case:
    """Data sets of Elexon, of which some are refused."""

    def answer(request: Request) -> Reply:
        if not {*request.path.split("/")}.isdisjoint(refused):
            return reply
        return Reply.json(
            [
                {
                    "startTime": "2025-06-02T00:00:00Z",
                    "publishTime": "2025-06-02T00:30:00Z",
                    "demand": 1,
                }
            ]
        )

    return Case(
        answer,
        {"per_minute": 60000},
        {
            "indo": {} if "INDO" in refused else {FIRST: 1.0},
            "itsdo": {} if "ITSDO" in refused else {FIRST: 1.0},
        },
        kind="elexon_plugin.ElexonMultiSeriesPlugin",
        filters={"indo": {"dataset": "INDO"}, "itsdo": {"dataset": "ITSDO"}},
        window=WINDOW,
        outcome=outcome,
        says=tuple(f"{name}-{one.lower()}" for one in refused) if outcome == "partial" else (),
    )


def power(refused: Reply) -> Case:
    """Two zones of Energy-Charts, of which one is refused."""

    def answer(request: Request) -> Reply:
        if request.query["bzn"] == ["XX"]:
            return refused
        return Reply.json({"unix_seconds": [1748822400], "price": [1]})

    return Case(
        answer,
        {"endpoint": "price", "per_minute": 60000},
        {"good": {FIRST: 1.0}, "bad": {}},
        kind="energy_charts_plugin.EnergyChartsMultiSeriesPlugin",
        filters={"good": {"bzn": "DE-LU"}, "bad": {"bzn": "XX"}},
        window=WINDOW,
        outcome="partial",
    )


def market(refused: Reply) -> Case:
    """Two zones of ENTSO-E, of which one is refused."""

    def answer(request: Request) -> Reply:
        if request.query["outBiddingZone_Domain"] == ["10YFI-1--------U"]:
            return refused
        series = market_series("2025-06-02T00:00Z", "2025-06-02T01:00Z", "PT60M", [(1, 1)])
        return document(market_document(series))

    return Case(
        answer,
        {"dataset": "load", "per_minute": 60000, "api_key": "key-of-a-test"},
        {"good": {FIRST: 1.0}, "bad": {}},
        kind="entsoe_plugin.EntsoeMultiSeriesPlugin",
        filters={"good": {"zone": "FR"}, "bad": {"zone": "FI"}},
        window=WINDOW,
        outcome="partial",
    )


def refusal_case(refused: Reply, **params: Any) -> Case:
    """Two addresses, of which one is refused."""

    def answer(request: Request) -> Reply:
        return refused if request.path.endswith("/bad") else Reply.json([{"t": FIRST, "v": 1}])

    return Case(
        answer,
        {"ts": "t", "value": "v", "url": "{server}/{place}", **params},
        {"good": {FIRST: 1.0}, "bad": {}},
        filters={"good": {"place": "good"}, "bad": {"place": "bad"}},
        outcome="partial",
    )


STATUSES = {
    str(status): Reply(status, b"no such thing") for status in (400, 401, 403, 404, 410, 422)
}
SHAPES = {"page": Reply(body=b"<html>no</html>"), "no-json": Reply(body=b"oops")}
OTHERS = (
    {f"elexon-{n}": fuels(f"elexon-{n}", "ITSDO", reply=r) for n, r in (STATUSES | SHAPES).items()}
    | {
        "elexon-first": fuels("elexon-first", "INDO", reply=Reply(400)),
        "elexon-shape": fuels("elexon-shape", "ITSDO", reply=Reply.json({"rows": 1})),
    }
    | {f"energy-charts-{n}": power(r) for n, r in (STATUSES | SHAPES).items()}
    | {f"entsoe-{n}": market(r) for n, r in STATUSES.items()}
    | {f"described-{n}": refusal_case(r) for n, r in (STATUSES | SHAPES).items()}
)
BUILT_IN_ALL = {
    "elexon-all": fuels("elexon-all", "INDO", "ITSDO", reply=Reply(400), outcome="failed"),
    "described-all": Case(
        Reply(403),
        {"ts": "t", "value": "v", "url": "{server}/{place}"},
        {"a": {}, "b": {}},
        filters={"a": {"place": "a"}, "b": {"place": "b"}},
        outcome="failed",
        says=("403",),
    ),
    # requests for parts of one series are no requests for others: a hole is no success
    "described-days": Case(
        lambda request: (
            Reply(400)
            if request.query["day"] == ["2025-06-03"]
            else Reply.json([{"t": FIRST, "v": 1}])
        ),
        {"ts": "t", "value": "v", "each": "day", "query": {"day": "{start:%Y-%m-%d}"}},
        {},
        window=WINDOW,
        outcome="failed",
        says=("400",),
    ),
    "smard-file": Case(
        lambda request: (
            PROVIDERS["smard"].answer([(FIRST, 1)])(request)  # type: ignore[operator]
            if "index" in request.path
            else Reply(403)
        ),
        PROVIDERS["smard"].params,
        {},
        kind="smard_plugin.SmardDataSourcePlugin",
        window=WINDOW,
        outcome="failed",
    ),
}
CASES = (
    {name: case for name, (case, _) in TANKERKOENIG.items()} | ALL_REFUSED | OTHERS | BUILT_IN_ALL
)


@pytest.mark.parametrize("name", TANKERKOENIG)
def test_stations_of_other_requests_are_stored(results: Mapping[str, Result], name: str) -> None:
    """However the one is refused, and whichever of them it is; it is told once, with its reason."""
    result = results[name]
    result.check()
    there = {station for station, found in result.values.items() if found}
    assert there == set(TANKERKOENIG[name][1])
    assert result.run["inserted"] == len(there)
    assert result.run["rejected"] == len(result.values) - len(there)


@pytest.mark.parametrize("name", ALL_REFUSED)
def test_if_all_are_refused_the_run_fails(results: Mapping[str, Result], name: str) -> None:
    """With the reason of the first."""
    results[name].check()


@pytest.mark.parametrize("name", OTHERS)
def test_so_it_is_with_every_provider(results: Mapping[str, Result], name: str) -> None:
    """That is asked several times for several series: one data set, one zone, one address."""
    results[name].check()


@pytest.mark.parametrize("name", BUILT_IN_ALL)
def test_a_part_of_one_series_is_no_other_series(results: Mapping[str, Result], name: str) -> None:
    """Where nothing is left, or where there would be a hole, the run fails."""
    results[name].check()
