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
from dataportal.health import Condition, broken_entry, judge, needs_newest, unknown_state
from dataportal.store.read.overview import RunRow, SeriesRow, SourceRow
from dataportal.store.records import Outcome, RunKind, SourceState

if TYPE_CHECKING:
    from dataportal.config import Source

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


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
        unlocked_until=None,
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


def test_a_source_that_was_only_backfilled_is_told_from_one_without_values(plain: Source) -> None:
    """Years of it may be stored; what is missing is a run as its schedule has it."""
    backfilled = row(newest=NOW - HOUR)
    backfilled = replace(backfilled, state=SourceState(plain.name))
    verdict = judge(plain, backfilled, NOW)
    assert verdict.condition is Condition.NEVER_RUN
    assert verdict.reasons == ("has never been fetched with success on its schedule",)


def test_a_failed_attempt_is_ill_and_says_why(plain: Source) -> None:
    """However fresh the last success is."""
    verdict = judge(plain, row(outcome=Outcome.FAILED, failures=3), NOW)
    assert (verdict.condition, verdict.well) == (Condition.FAILING, False)
    assert verdict.reasons == ("3 attempts in a row failed: the host is down",)


def test_a_partial_run_is_a_remark_until_the_source_is_stale(plain: Source) -> None:
    """It is no success: what was not taken is said from the first time on, and makes ill later."""
    partial = row(success=NOW - plain.stale_after, outcome=Outcome.PARTIAL, failures=0)
    partial = replace(partial, state=replace(partial.state, last_error="4 points rejected"))
    verdict = judge(plain, partial, NOW)
    assert (verdict.well, verdict.remarks) == (
        True,
        ("the last run was partial: 4 points rejected",),
    )
    later = judge(plain, partial, NOW + HOUR)
    assert (later.condition, later.well) == (Condition.STALE, False)
    assert later.reasons[1:] == verdict.remarks


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


def at_rest(*rests: timedelta, advances: int = 2, lookback: timedelta | None = None) -> SourceRow:
    """A source whose series have stood still for so long, all at one hour."""
    series = tuple(
        SeriesRow(n, name, NOW - HOUR, advances, NOW - rest)
        for n, (name, rest) in enumerate(zip(("plain", "other", "third"), rests, strict=False))
    )
    return replace(row(), series=series, lookback=lookback)


@given(st.timedeltas(timedelta(), timedelta(days=40)), st.timedeltas(timedelta(), timedelta.max))
def test_standing_still_is_longer_than_the_look_back(
    plain: Source, rest: timedelta, lookback: timedelta
) -> None:
    """That of the entry, else of the last run, else the usual one; 30 days of it at most."""
    patience = max(min(lookback, timedelta(days=30)), 3 * HOUR)
    for source, kept in ((plain, lookback), (changed(plain, lookback=lookback), timedelta(3))):
        verdict = judge(source, at_rest(rest, lookback=kept), NOW)
        assert verdict.well == (rest <= patience)
        assert (verdict.condition is Condition.DOUBTFUL) == (rest > patience)
        assert [doubt.series for doubt in verdict.doubts] == ["plain"] * (rest > patience)
    assert judge(plain, at_rest(rest), NOW).well == (rest <= timedelta(days=7))


def test_patience_is_longer_for_rare_observations(plain: Source) -> None:
    """Ten intervals, three schedules; also where these are longer than there is time."""
    yearly = replace(plain, series=(replace(plain.series[0], granularity="1 year"),))
    (series,) = yearly.series
    endless = replace(plain, series=(replace(series, granularity="2000000 years"),))
    weekly = changed(plain, schedule=timedelta(days=7))
    for days, source, well in (
        (3649, yearly, True),
        (3651, yearly, False),
        (20, weekly, True),
        (22, weekly, False),
        (36_500, endless, True),
    ):
        assert judge(source, at_rest(timedelta(days=days)), NOW).well is well


def test_one_of_several_that_stands_still_is_a_remark(plain: Source) -> None:
    """All of them are an illness; those that are not expected to go on do not count."""
    still, fresh = timedelta(days=50), HOUR
    names = ("plain", "other", "third")
    group = replace(
        plain, series=tuple(replace(plain.series[0], endpoint_prefix=name) for name in names)
    )
    verdict = judge(group, at_rest(still, fresh, fresh), NOW)
    assert verdict.well
    assert len(verdict.remarks) == 1
    everyone = judge(group, at_rest(still, still, still), NOW)
    assert (everyone.condition, everyone.well, everyone.remarks) == (Condition.DOUBTFUL, False, ())
    assert len(everyone.reasons) == len(everyone.doubts) == 3
    # a series that sources.yaml does not know any more is nobody's business
    only = replace(group, series=group.series[:1])
    assert len(judge(only, at_rest(still, fresh, fresh), NOW).reasons) == 1
    assert judge(group, at_rest(still, still, still, advances=1), NOW).doubts == ()


def test_of_many_that_stand_still_a_few_are_named(plain: Source) -> None:
    """Each is a doubt; a message of hundreds would be read by nobody."""
    described = tuple(replace(plain.series[0], endpoint_prefix=f"s{n}") for n in range(300))
    series = tuple(SeriesRow(n, f"s{n}", None, 2, NOW - 50 * DAY) for n in range(300))
    verdict = judge(replace(plain, series=described), replace(row(), series=series), NOW)
    assert len(verdict.doubts) == 300
    assert len(verdict.reasons) == 6
    assert verdict.reasons[-1] == "and 295 more of its series stand still"


def test_a_limit_of_its_own_takes_the_place_of_standing_still(plain: Source) -> None:
    """Also `off`, which is none."""
    for limit in (None, 400 * DAY):
        verdict = judge(changed(plain, data_stale_after=limit), at_rest(50 * DAY), NOW)
        assert (verdict.well, verdict.doubts) == (True, ())


def test_the_newest_observation_is_looked_for_where_it_counts(plain: Source) -> None:
    """For its age, and to name where a series stands still; it takes time."""
    assert not needs_newest(plain, at_rest(DAY), NOW)
    assert needs_newest(plain, at_rest(50 * DAY), NOW)
    assert needs_newest(changed(plain, data_stale_after=DAY), at_rest(DAY), NOW)
    assert not needs_newest(changed(plain, data_stale_after=None), at_rest(50 * DAY), NOW)


def test_worse_things_come_first(plain: Source) -> None:
    """A source that fails or is stale is called so; that it stands still is said as well."""
    still = at_rest(50 * DAY).series
    for state, condition in (
        (row(outcome=Outcome.FAILED, failures=1), Condition.FAILING),
        (row(success=NOW - 50 * DAY), Condition.STALE),
    ):
        verdict = judge(plain, replace(state, series=still), NOW)
        assert verdict.condition is condition
        assert len(verdict.reasons) == 2


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


def test_a_variable_that_is_gone(plain: Source) -> None:
    """Who was fetched before is ill as soon as the last success is too old, and says why."""
    keyed = replace(plain, missing_env=("A_KEY", "B"))
    limit = keyed.stale_after
    for success, is_ill in ((NOW - limit, False), (NOW - limit - DAY, True), (None, False)):
        for failures in (0, 3):
            verdict = judge(keyed, row(success=success, failures=failures), NOW)
            assert (verdict.condition, verdict.well) == (Condition.NEEDS, not is_ill)
            assert verdict.text == "needs A_KEY, B"
            assert verdict.next_due is None
            if is_ill:
                assert "A_KEY, B is not set" in verdict.reasons[0]
                assert "last success" in verdict.reasons[0]


def test_nothing_is_claimed_of_a_source_nobody_could_ask_for(plain: Source) -> None:
    """Neither well nor due."""
    verdict = unknown_state(plain)
    assert (verdict.condition, verdict.well) == (Condition.UNKNOWN, False)


def test_a_broken_entry_is_ill() -> None:
    """With what is wrong about it."""
    verdict = broken_entry("x", ["sources.yaml:1:1: no module"])
    assert (verdict.condition, verdict.well) == (Condition.BROKEN, False)
