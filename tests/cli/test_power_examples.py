"""The manual's examples for ENTSO-E and Elexon, run by the program against servers of our own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support import manual
from support.elexon_files import row, serve_rows, stream, utc_text
from support.entsoe_files import (
    PATH,
    TOKEN,
    acknowledgement,
    by_position,
    document,
    period,
    series,
    xml,
)
from support.http_server import LocalServer, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import RunCli

    Run = Callable[..., dict[str, Any]]


def example(topic: str) -> str:
    """The YAML that stands on a page."""
    (block,) = manual.page(topic).blocks("yaml")
    return block


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """Stands in for the provider."""
    with LocalServer() as running:
        yield running


@pytest.fixture
def run(tmp_path: Path, run_cli: RunCli, server: LocalServer, database_url: str) -> Run:
    """Runs a command with the example of that page; what it answers, and all that it says."""

    def run_example(topic: str, *arguments: str) -> dict[str, Any]:
        (tmp_path / "sources.yaml").write_text(example(topic), encoding="utf-8")
        env = {
            "DATABASE_URL": database_url,
            "ENTSOE_URL": server.url + PATH,
            "ENTSOE_API_KEY": TOKEN,
            "ELEXON_URL": server.url,
            "MAX_RETRIES": "0",
            "LOG_LEVEL": "debug",
        }
        process = run_cli("--json", *arguments, cwd=tmp_path, env=env)
        assert TOKEN not in process.stdout + process.stderr
        answer: dict[str, Any] = json.loads(process.stdout)
        return answer

    return run_example


def hour_of(now: datetime) -> datetime:
    """The last full hour."""
    return now.replace(minute=0, second=0, microsecond=0)


def test_entsoe(server: LocalServer, run: Run) -> None:
    """Both series come from one request a slice; generation and pumping are kept apart."""
    start = hour_of(datetime.now(UTC)) - timedelta(hours=3)
    end = start + timedelta(hours=3)
    hours = [
        period(f"{start:%Y-%m-%dT%H:%MZ}", f"{end:%Y-%m-%dT%H:%MZ}", "PT60M", by_position(values))
        for values in ([41000, 41500.5, 42000], [0, 150, 300])
    ]
    body = document(
        series(hours[0], psr="B14", inside="10YFR-RTE------C"),
        series(hours[1], psr="B10", outside="10YFR-RTE------C"),
    )
    server.answer(PATH, xml(body))
    (fetched,) = run("entsoe", "fetch", "entsoe-generation-fr")["runs"]
    assert (fetched["outcome"], fetched["inserted"]) == ("succeeded", 6)
    assert len(server.requests) == 1
    answer = run("entsoe", "history", "entsoe-fr-pumping", "--start", "1d")
    assert [observation["value"] for observation in answer["observations"]] == [0, 150, 300]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401, acknowledgement(f"Unauthorized. Invalid security token {TOKEN}")),
        xml(acknowledgement(f"securityToken {TOKEN} does not exist"), 400),
        Reply(body=f"<html>{TOKEN}</html>".encode()),
        Reply(reset_after=-1),
    ],
)
def test_the_token_is_never_shown(server: LocalServer, run: Run, reply: Reply) -> None:
    """Whatever goes wrong, with the log at its most talkative; the address is shown without it."""
    server.answer(PATH, reply)
    (fetched,) = run("entsoe", "fetch", "entsoe-generation-fr")["runs"]
    assert fetched["outcome"] == "failed"
    assert "securityToken=***" in fetched["error"]


@pytest.mark.slow
def test_elexon_as_published(server: LocalServer, run: Run) -> None:
    """A value that is published anew is the current one; both are there as of their times."""
    start = hour_of(datetime.now(UTC)) - timedelta(hours=6)
    first, second = start + timedelta(minutes=30), start + timedelta(hours=3)
    rows = [
        row(start, first, fuelType="WIND", generation=9000),
        row(start, first, fuelType="CCGT", generation=12000),
    ]
    server.answer(stream("FUELHH"), serve_rows(rows))
    (fetched,) = run("elexon", "fetch", "elexon-generation")["runs"]
    assert (fetched["outcome"], fetched["inserted"], fetched["vintages"]) == ("succeeded", 2, 2)
    rows.append(row(start, second, fuelType="WIND", generation=9100))
    (again,) = run("elexon", "fetch", "elexon-generation")["runs"]
    assert (again["revised"], again["vintages"]) == (1, 1)
    for instant, value in ((first, 9000), (second - timedelta(seconds=1), 9000), (second, 9100)):
        answer = run(
            "elexon", "history", "elexon-gb-wind", "--as-of", utc_text(instant), "--by", "published"
        )
        assert [observation["value"] for observation in answer["observations"]] == [value]
    answer = run("elexon", "history", "elexon-gb-wind", "--start", "1d")
    assert [observation["value"] for observation in answer["observations"]] == [9100]
