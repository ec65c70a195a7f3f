"""HTTP 304: answers that are unchanged are not downloaded again, and nothing is lost by that."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.conditional_twins import HOUR, NOW, Twins, ValidatingServer
from support.http_server import LocalServer, Reply
from support.program_sources import SourceFile, outcomes
from support.store_feed import open_observer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import RunCli
    from support.conditional_twins import Points
    from support.http_server import Request

DAY = timedelta(days=1)
_number = count()


@pytest.fixture
def provider() -> Iterator[ValidatingServer]:
    """A server of files; those that nobody laid out are empty tables."""
    with LocalServer(otherwise=empty) as server:
        yield ValidatingServer(server)


def empty(request: Request) -> Reply:
    """A table without rows, which never changes."""
    headers = {"ETag": '"empty"'} if "asks" in request.path else {}
    if request.headers.get("if-none-match") == '"empty"':
        return Reply(304, headers=headers)
    return Reply(body=b"ts,value\n", headers=headers)


@pytest.fixture
def twins(tmp_path: Path, database_url: str, provider: ValidatingServer) -> Twins:
    """Two sources that ought to be stored alike."""
    return Twins(tmp_path, database_url, provider, "load")


def hours(number: int, until: datetime = NOW) -> Points:
    """So many hourly values, the last an hour ago."""
    return {until - n * HOUR: float(n) for n in range(number, 0, -1)}


def run_twins(twins: Twins, kind: str = "csv", **request: Any) -> list[str]:
    """Run both: how they ended. What they left is alike."""
    outcomes = [result.outcome.value for result in twins.run(kind, **request)]
    first, second = twins.contents()
    assert first == second
    return outcomes


def alike(outcome: str) -> list[str]:
    """Both ended so."""
    return [outcome, outcome]


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_an_unchanged_table_is_not_downloaded_again(kind: str, twins: Twins) -> None:
    """Twice in a row, and again after it was revised; the run counts as a success."""
    twins.table(hours(48))
    assert run_twins(twins, kind) == alike("succeeded")
    assert run_twins(twins, kind) == alike("unchanged")
    assert run_twins(twins, kind) == alike("unchanged")
    assert twins.provider.unchanged == 2
    twins.table({**hours(48), NOW - 5 * HOUR: 99.0})
    assert run_twins(twins, kind) == alike("succeeded")
    assert twins.provider.unchanged == 2
    assert run_twins(twins, kind) == alike("unchanged")
    assert twins.provider.unchanged == 3
    with open_observer(twins.url) as look:
        row = look.execute(
            "SELECT count(*) FROM source_state WHERE last_success_at > now() - interval '1 minute'"
            " AND failures = 0"
        ).fetchone()
    assert row == (2,)


def test_of_several_files_those_that_changed_are_downloaded(twins: Twins) -> None:
    """The weeks before and the index are spared, this week is not."""
    points = hours(24 * 12)
    twins.keys = {"initial_history": "15 days"}
    twins.weeks(points)
    assert run_twins(twins, "smard") == alike("succeeded")
    for day in range(1, 3):
        twins.clock = NOW + day * HOUR
        points[NOW + (day - 1) * HOUR] = 5.0 + day
        twins.weeks(points)
        before = twins.provider.unchanged
        assert run_twins(twins, "smard") == alike("succeeded")
        assert twins.provider.unchanged == before + 3


def test_a_withdrawal_beside_unchanged_files_is_judged_by_all(twins: Twins) -> None:
    """Whether nulls are withheld depends on all points of the answer, those left out included."""
    twins.keys = {"initial_history": "15 days"}
    points = hours(24 * 12)
    twins.weeks(points)
    run_twins(twins, "smard")
    # most of this week, little of all
    points |= {NOW - n * HOUR: None for n in range(1, 50)}
    twins.weeks(points)
    assert run_twins(twins, "smard") == alike("succeeded")
    assert twins.provider.unchanged == 3


def test_a_new_week_is_found(twins: Twins) -> None:
    """The index has changed, and the weeks before have not; then nothing has."""
    points = hours(24 * 4)
    twins.weeks(points)
    run_twins(twins, "smard")
    twins.clock += 7 * DAY
    points |= hours(24 * 7, twins.clock)
    twins.weeks(points)
    assert run_twins(twins, "smard") == alike("succeeded")
    before = twins.provider.unchanged
    requests = len(twins.provider.server.requests)
    assert run_twins(twins, "smard") == alike("unchanged")
    unchanged = twins.provider.unchanged - before
    assert 2 * unchanged == len(twins.provider.server.requests) - requests


def test_files_that_may_overlap_are_unchanged_together_or_not_at_all(twins: Twins) -> None:
    """A month's file may have the first hour of the next month, too: the later file decides.

    It does where the source says so: otherwise they contradict each other.
    """
    twins.keys = {"repeated": "last"}
    first = datetime(2025, 6, 1, tzinfo=UTC)
    may: Points = {first - 2 * HOUR: 1.0, first - HOUR: 2.0}
    june: Points = {first: 3.0, first + HOUR: 4.0}
    twins.months({"2025-05": may, "2025-06": june})
    assert run_twins(twins, "monthly") == alike("succeeded")
    assert run_twins(twins, "monthly") == alike("unchanged")
    assert twins.provider.unchanged == 2
    twins.months({"2025-05": {**may, first: 99.0}})
    assert run_twins(twins, "monthly") == alike("unchanged")
    assert run_twins(twins, "monthly") == alike("unchanged")
    later: Points = {first + HOUR: 5.0}
    twins.months({"2025-05": may, "2025-06": later})
    assert run_twins(twins, "monthly") == alike("succeeded")


def test_a_week_that_was_filled_up_ahead_is_asked_for_again(twins: Twins) -> None:
    """What lay past the horizon comes in once its time has come, though the file stays as it is."""
    points = hours(24 * 12) | {NOW + n * HOUR: 100.0 + n for n in range(6)}
    twins.weeks(points)
    assert run_twins(twins, "smard") == alike("succeeded")
    for _ in range(3):
        twins.clock += HOUR
        assert run_twins(twins, "smard") == alike("succeeded")


def test_a_table_that_reaches_ahead_is_asked_for_again(twins: Twins) -> None:
    """The same for a single file."""
    twins.table(hours(12) | {NOW: 1.0, NOW + HOUR: 2.0})
    assert run_twins(twins) == alike("succeeded")
    twins.clock += HOUR
    assert run_twins(twins) == alike("succeeded")
    twins.clock += HOUR
    assert run_twins(twins) == alike("succeeded")
    assert run_twins(twins) == alike("unchanged")
    assert twins.provider.unchanged == 1


@pytest.mark.parametrize("by_hand", ["delete", "alter"])
def test_what_is_changed_by_hand_comes_back(by_hand: str, twins: Twins) -> None:
    """Validators are worth nothing once the tables are not as they were left."""
    twins.table(hours(12))
    run_twins(twins)
    getattr(twins, by_hand)(NOW - 3 * HOUR)
    assert run_twins(twins) == alike("succeeded")
    assert twins.provider.unchanged == 0
    assert run_twins(twins) == alike("unchanged")
    assert twins.provider.unchanged == 1


@pytest.mark.parametrize(
    ("keys", "params"),
    [
        ({}, {"scale": 10}),
        ({}, {"missing": ["3.0"]}),
        ({"timezone": "Europe/Berlin"}, {}),
        ({"lookback": "30 days"}, {}),
        ({"forecast_horizon": "1 hour"}, {}),
        ({"metadata": {"name": "another"}}, {}),
    ],
)
def test_another_entry_in_sources_yaml_asks_anew(
    keys: dict[str, Any], params: dict[str, Any], twins: Twins
) -> None:
    """Parameters, zone, limits, metadata: what the answer means may have changed."""
    twins.table(hours(12))
    run_twins(twins)
    twins.keys, twins.params = keys, params
    run_twins(twins)
    assert twins.provider.unchanged == 0
    run_twins(twins)
    assert twins.provider.unchanged == 1


def test_a_longer_window_asks_anew(twins: Twins) -> None:
    """Points that were clipped at the start are had once the window reaches them."""
    twins.keys = {"initial_history": "6 hours", "lookback": "1 hour"}
    twins.table(hours(12))
    run_twins(twins)
    twins.delete(NOW - HOUR)  # the newest: the next window begins earlier
    twins.delete(NOW - 2 * HOUR)
    run_twins(twins)
    assert twins.provider.unchanged == 0


def test_a_partial_run_keeps_nothing(twins: Twins) -> None:
    """Points that were refused are refused again, and the run is partial again."""
    twins.table({**hours(12), NOW - HOUR: float("inf")})
    assert run_twins(twins) == run_twins(twins) == alike("partial")
    assert twins.provider.unchanged == 0


def test_withheld_retractions_are_seen_again(twins: Twins) -> None:
    """Until they are let through."""
    twins.table(hours(12))
    run_twins(twins)
    twins.table(dict.fromkeys(hours(12)))
    assert run_twins(twins) == run_twins(twins) == alike("partial")
    assert run_twins(twins, accept_retractions=True) == alike("succeeded")
    assert twins.provider.unchanged == 0


def test_a_run_that_lets_retractions_through_sees_them(twins: Twins) -> None:
    """It relies on nothing."""
    twins.table(hours(12))
    run_twins(twins)
    run_twins(twins, accept_retractions=True)
    run_twins(twins, dry_run=True)
    run_twins(twins, start=NOW - DAY, end=NOW)
    assert twins.provider.unchanged == 0
    run_twins(twins)
    assert twins.provider.unchanged == 1


def test_an_empty_answer_stays_empty(twins: Twins) -> None:
    """A table without rows is no success, however often it is unchanged."""
    twins.table({})
    assert run_twins(twins) == run_twins(twins) == alike("empty")
    assert twins.provider.unchanged == 0


def test_several_slices_rely_on_nothing(twins: Twins) -> None:
    """Each would see another part of the same table."""
    twins.keys = {"max_window": "6 hours", "lookback": "12 hours", "initial_history": "12 hours"}
    twins.table(hours(12))
    run_twins(twins)
    run_twins(twins)
    assert twins.provider.unchanged == 0


def test_a_day_is_the_longest(twins: Twins) -> None:
    """After it the whole table is had again, whatever the server says."""
    twins.table(hours(12))
    run_twins(twins)
    twins.clock = NOW + DAY - timedelta(minutes=1)
    run_twins(twins)
    assert twins.provider.unchanged == 1
    twins.clock = NOW + DAY
    run_twins(twins)
    assert twins.provider.unchanged == 1


def test_a_run_that_fails_keeps_what_was(twins: Twins) -> None:
    """A server that breaks in between changes nothing about what it said before."""
    twins.table(hours(12))
    run_twins(twins)
    for name in twins.names:
        twins.provider.server.answer(f"/{name}.csv", Reply(503, b""))
    assert run_twins(twins) == alike("failed")
    twins.table(hours(12))
    assert run_twins(twins) == alike("unchanged")
    assert twins.provider.unchanged == 1


@pytest.mark.parametrize("failpoint", ["after_fetch", "before_commit", "after_commit"])
def test_a_run_that_is_killed(
    failpoint: str, tmp_path: Path, provider: ValidatingServer, database_url: str, run_cli: RunCli
) -> None:
    """The validators come and go with the values: of an answer not stored there are none."""
    url = provider.file("/load.csv", b"ts,value\n2025-06-11T10:00:00Z,1\n")
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    sources.csv("load", url)
    sources.write()
    first_run = run_cli("fetch", "load", env={**env, "DATAPORTAL_FAILPOINT": f"{failpoint}:kill"})
    assert first_run.returncode == -signal.SIGKILL
    committed = failpoint == "after_commit"
    with open_observer(database_url) as look:
        for statement in (
            b"SELECT count(*) FROM time_series_data",
            b"SELECT count(http_validators) FROM source_state",
        ):
            assert look.execute(statement).fetchone() == (int(committed),)
    assert run_cli("fetch", "load", env=env).returncode == 0
    assert provider.unchanged == int(committed)
    assert outcomes(database_url)[-1] == ("unchanged" if committed else "succeeded")


def test_nothing_secret_is_kept(twins: Twins) -> None:
    """A request is known by a hash; what is kept of an answer is small."""
    twins.params = {"headers": {"X-Api-Key": "c4n4ry"}}
    twins.table(hours(12))
    run_twins(twins)
    with open_observer(twins.url) as look:
        (validators,) = look.execute(
            "SELECT http_validators::text FROM source_state WHERE http_validators IS NOT NULL"
        ).fetchall()
    assert "c4n4ry" not in validators[0]
    assert "127.0.0.1" not in validators[0]
    assert len(validators[0]) < 400


def test_a_date_serves_where_there_is_no_tag(twins: Twins) -> None:
    """If-Modified-Since, once the file has rested, and if the server repeats its date."""
    body = b"ts,value\n2025-06-11T10:00:00Z,1\n"
    modified = format_datetime(NOW - DAY, usegmt=True)
    dates: list[str | None] = []

    def reply(request: Request) -> Reply:
        dates.append(request.headers.get("if-modified-since"))
        headers = {"Last-Modified": modified}
        return Reply(304, headers=headers) if dates[-1] else Reply(body=body, headers=headers)

    for name in twins.names:
        twins.provider.server.answer(f"/{name}.csv", reply)
    assert run_twins(twins) == alike("succeeded")
    assert run_twins(twins) == alike("unchanged")
    assert dates == [None, None, modified, modified]


STEPS = st.one_of(
    st.tuples(st.just("revise"), st.integers(1, 40), st.sampled_from([1.0, 2.0, None])),
    st.tuples(st.just("drop"), st.integers(1, 40)),
    st.tuples(st.just("pass"), st.integers(1, 30)),
    st.tuples(st.just("ahead"), st.integers(0, 3)),
    st.tuples(st.just("delete"), st.integers(1, 40)),
    st.tuples(st.just("alter"), st.integers(1, 40)),
    st.tuples(st.just("horizon"), st.sampled_from(["0", "2 hours"])),
    st.tuples(st.just("lookback"), st.sampled_from(["6 hours", "10 days"])),
    st.tuples(st.just("nothing")),
)
RUNS = st.sampled_from([{}] * 6 + [{"accept_retractions": True}, {"dry_run": True}, {"back": 1}])


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(["csv", "json", "smard"]),
    steps=st.lists(st.tuples(STEPS, RUNS), min_size=2, max_size=8),
)
def test_nothing_is_ever_lost(
    kind: str,
    steps: list[tuple[Any, dict[str, Any]]],
    provider: ValidatingServer,
    database_url: str,
) -> None:
    """Whatever happens between two runs, both twins have the same, and end alike."""
    with TemporaryDirectory() as folder:
        twins = Twins(Path(folder), database_url, provider, f"s{next(_number)}")
        twins.keys = {"lookback": "10 days", "initial_history": "10 days"}
        points = hours(40)
        for step, request in [(("nothing",), {}), *steps]:
            _happen(step, twins, points)
            (twins.weeks if kind == "smard" else twins.table)(dict(sorted(points.items())))
            options = dict(request)
            if options.pop("back", None):
                options = {"start": twins.clock - DAY, "end": twins.clock - 6 * HOUR}
            first, second = run_twins(twins, kind, **options)
            assert first == second


def _happen(step: Any, twins: Twins, points: Points) -> None:
    """Let one thing happen between two runs."""
    what, *arguments = step
    if what in {"revise", "drop", "delete", "alter"}:
        ts = twins.clock - arguments[0] * HOUR
        match what:
            case "revise":
                points[ts] = arguments[1]
            case "drop":
                points.pop(ts, None)
            case _:
                getattr(twins, what)(ts)
    elif what == "pass":
        for number in range(arguments[0]):
            points.setdefault(twins.clock + number * HOUR, float(number))
        twins.clock += arguments[0] * HOUR
    elif what == "ahead":
        points[twins.clock + arguments[0] * HOUR] = 7.0
    elif what == "horizon":
        twins.keys["forecast_horizon"] = arguments[0]
    elif what == "lookback":
        twins.keys["lookback"] = arguments[0]
