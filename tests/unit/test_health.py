"""Verdicts over rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.config import load
from dataportal.health import Condition, broken_entry, judge, unknown_state
from dataportal.store.read.overview import RunRow, SeriesRow, SourceRow
from dataportal.store.records import Outcome, RunKind, SourceState

if TYPE_CHECKING:
    from dataportal.config import Source

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A source with a schedule of an hour and nothing else said."""
    file = Path(tmp_path_factory.mktemp("config")) / "sources.yaml"
    file.write_text(
        "timeseries:\n"
        "  plain:\n"
        "    module: src.plugins.data_sources.csv_plugin\n"
        "    class: CsvDataSourcePlugin\n"
        "    schedule: 1 hour\n"
        "    metadata: {name: Plain}\n"
        "    default_params: {path: plain.csv}\n"
    )
    (source,) = load(file, {}).sources
    return source


def changed(source: Source, **options: Any) -> Source:
    """The source with further options."""
    return replace(source, options={**source.options, **options})


def row(
    *,
    success: datetime | None = NOW - HOUR / 2,
    outcome: Outcome = Outcome.SUCCEEDED,
    failures: int = 0,
    newest: datetime | None = NOW - HOUR,
    running: bool = False,
) -> SourceRow:
    """What the store says of a source whose last attempt was half an hour ago."""
    state = SourceState(
        "plain",
        last_attempt=NOW - HOUR / 2,
        last_outcome=outcome,
        last_success=success,
        failures=failures,
        last_error="the host is down" if failures else None,
    )
    run = RunRow(
        run_id=1,
        kind=RunKind.SCHEDULED,
        started_at=NOW - HOUR / 2,
        finished_at=None if running else NOW - HOUR / 2,
        outcome=None if running else outcome,
        error=None,
        host="here",
        pid=1,
    )
    return SourceRow(state, run, (SeriesRow(1, "plain", newest),))


def test_a_source_that_was_fetched_lately_is_well(plain: Source) -> None:
    """Nothing to say."""
    verdict = judge(changed(plain, slot_offset=timedelta(0)), row(), NOW - HOUR / 4)
    assert (verdict.condition, verdict.well, verdict.reasons) == (Condition.OK, True, ())


def test_a_source_that_is_due_is_well(plain: Source) -> None:
    """Its time has come; the next run will see to it."""
    verdict = judge(changed(plain, slot_offset=timedelta(0)), row(), NOW + HOUR)
    assert (verdict.condition, verdict.well) == (Condition.DUE, True)
    assert verdict.next_due is not None


def test_a_source_that_never_ran_is_ill(plain: Source) -> None:
    """Whoever asks for health after a deployment wants to know that nothing came yet."""
    verdict = judge(plain, None, NOW)
    assert (verdict.condition, verdict.well) == (Condition.NEVER_RUN, False)


def test_a_failed_attempt_is_ill_and_says_why(plain: Source) -> None:
    """However fresh the last success is."""
    verdict = judge(plain, row(outcome=Outcome.FAILED, failures=3), NOW)
    assert (verdict.condition, verdict.well) == (Condition.FAILING, False)
    assert verdict.reasons == ("3 attempts in a row failed: the host is down",)


@given(st.timedeltas(timedelta(), timedelta(days=3650)))
def test_stale_is_later_than_stale_after(plain: Source, late: timedelta) -> None:
    """To the microsecond, whatever ran since without success."""
    state = row(success=NOW - late, outcome=Outcome.EMPTY)
    verdict = judge(plain, state, NOW)
    assert verdict.well == (late <= plain.stale_after)
    assert (verdict.condition is Condition.STALE) == (late > plain.stale_after)


def test_a_doubt_makes_ill_until_the_entry_speaks_of_pages(plain: Source) -> None:
    """Whatever it says of them; the message names the way out."""
    well = row()
    since = "2026-11-05T04:00:00+00:00"
    state = replace(well.state, doubts={"pages": {"since": since, "message": "100 rows"}})
    doubtful = replace(well, state=state)
    verdict = judge(plain, doubtful, NOW)
    assert (verdict.condition, verdict.reasons) == (Condition.DOUBTFUL, ("100 rows",))
    assert [(d.kind, d.since.isoformat()) for d in verdict.doubts] == [("pages", since)]
    for paging in ("none", {"page": "p"}):
        settled = replace(plain, params={**plain.params, "paging": paging})
        assert judge(settled, doubtful, NOW).well


@given(st.timedeltas(timedelta(), timedelta(days=3650)))
def test_old_data_is_stale_only_if_that_is_asked_for(plain: Source, late: timedelta) -> None:
    """The age of the newest observation counts where data_stale_after is set."""
    state = row(newest=NOW - late)
    assert judge(plain, state, NOW).well
    strict = changed(plain, data_stale_after=timedelta(days=2))
    assert judge(strict, state, NOW).well == (late <= timedelta(days=2))


def test_a_fresh_source_without_any_observation_has_stale_data(plain: Source) -> None:
    """Where the age of the data is watched, no data is too old."""
    strict = changed(plain, data_stale_after=HOUR)
    assert not judge(strict, row(newest=None), NOW).well


def test_a_running_source_is_shown_as_running(plain: Source) -> None:
    """It is still ill if it was before."""
    verdict = judge(plain, row(running=True, success=None), NOW)
    assert (verdict.condition, verdict.well) == (Condition.RUNNING, False)


@pytest.mark.parametrize("state", [None, row(outcome=Outcome.FAILED, failures=1)])
@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"options": {"enabled": False}}, "disabled"),
        ({"missing_env": ("A_KEY", "B")}, "needs A_KEY, B"),
    ],
)
def test_what_is_not_to_run_is_neither_well_nor_ill(
    plain: Source, change: dict[str, Any], text: str, state: SourceRow | None
) -> None:
    """Disabled, or in need of a variable: no fault, whatever happened before, and never due."""
    source = replace(plain, **change)
    for verdict in (judge(source, state, NOW), unknown_state(source)):
        assert (verdict.counts, verdict.well, verdict.text) == (False, True, text)
        assert verdict.next_due is None


def test_nothing_is_claimed_of_a_source_nobody_could_ask_for(plain: Source) -> None:
    """Neither well nor due."""
    verdict = unknown_state(plain)
    assert (verdict.condition, verdict.well) == (Condition.UNKNOWN, False)


def test_a_broken_entry_is_ill() -> None:
    """With what is wrong about it."""
    verdict = broken_entry("x", ["sources.yaml:1:1: no module"])
    assert (verdict.condition, verdict.well) == (Condition.BROKEN, False)
