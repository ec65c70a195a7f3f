"""Verifies a live database: finds every row that breaks a promise of the history.

It reads only. Every statement sees one state of the database, in which each merge is there whole
or not at all, so that runs at work cause no alarm. It goes by steps of ranges of series and time,
and answers stream: neither the server nor this program holds more than a part of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.rows import dict_row

from dataportal.store.clock import TOLERANCE
from dataportal.store.connection import database_errors
from dataportal.store.queries import query
from dataportal.store.read.verify_steps import Part, Plan, Range, Settled, Step, Steps, Tally
from dataportal.store.rows import record_row
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    import psycopg


class Check(StrEnum):
    """A promise of the history; `promise` says it in words."""

    INTERVALS = "intervals"
    VERSIONS = "versions"
    CURRENT = "current"
    KNOWLEDGE = "knowledge"
    VINTAGES = "vintages"
    ISSUES = "issues"
    RUNS = "runs"
    SERIES = "series"

    @property
    def promise(self) -> str:
        """One sentence for people."""
        return _PROMISES[self]


_PROMISES = {
    Check.INTERVALS: "every version is known for some time, and is a number",
    Check.VERSIONS: "one version at a time: none overlaps another, one at most is open",
    Check.CURRENT: "the current values are the open versions",
    Check.KNOWLEDGE: "nothing is known later than the last that its source knew",
    Check.VINTAGES: "no publication is recorded twice, each is a number or withdrawn",
    Check.ISSUES: "every run of a forecast is recorded once, with what it reached",
    Check.RUNS: "every run wrote what is recorded of it, and its counts add up",
    Check.SERIES: "everything belongs to a series, whose intervals have a length",
}

_FAULTS: dict[str, tuple[Check, str]] = {
    "no_interval": (Check.INTERVALS, "it ends before it begins"),
    "no_number": (Check.INTERVALS, "its value is no number, or infinite"),
    "no_time": (Check.INTERVALS, "its time, or the one since when it is known, is infinite"),
    "two_open": (Check.VERSIONS, "another version of it is open as well"),
    "overlap": (Check.VERSIONS, "it begins before the version before it ends"),
    "no_open_version": (Check.CURRENT, "a current value without an open version"),
    "no_current_value": (Check.CURRENT, "an open version without a current value"),
    "another_value": (Check.CURRENT, "the current value is not that of the open version"),
    "another_run": (Check.CURRENT, "the current value is of another run or time than the version"),
    "known_ahead": (Check.KNOWLEDGE, "this source knows something as of a time yet to come"),
    "version_after_last": (Check.KNOWLEDGE, "known later than the last that its source knew"),
    "vintage_after_last": (Check.KNOWLEDGE, "recorded later than the last that its source knew"),
    "vintage_twice": (Check.VINTAGES, "recorded again with the value that it had"),
    "vintage_no_number": (Check.VINTAGES, "the value that was published is infinite, or no number"),
    "vintage_no_time": (Check.VINTAGES, "its time, or the one of its publication, is infinite"),
    "issue_after_last": (Check.KNOWLEDGE, "issued later than the last that its source knew"),
    "issue_of_nothing": (
        Check.ISSUES,
        "it ends before it begins, or has no point",
    ),
    "issue_twice": (Check.ISSUES, "another run of the forecast was issued at the same time"),
    "no_run": (Check.RUNS, "there are versions, publications or issues of it, but no such run"),
    "versions_too_many": (Check.RUNS, "it wrote fewer versions than there are of it"),
    "versions_missing": (Check.RUNS, "it wrote more versions than there are of it"),
    "vintages_too_many": (Check.RUNS, "it recorded fewer publications than there are of it"),
    "vintages_missing": (Check.RUNS, "it recorded more publications than there are of it"),
    "issues_too_many": (Check.RUNS, "it issued fewer forecasts than there are of it"),
    "issues_missing": (Check.RUNS, "it issued more forecasts than there are of it"),
    "counts_do_not_add_up": (Check.RUNS, "its counts are not what it received"),
    "no_outcome": (Check.RUNS, "it ended without an outcome, or has one and did not end"),
    "version_of_no_series": (Check.SERIES, "a version of no series"),
    "vintage_of_no_series": (Check.SERIES, "a publication of no series"),
    "issue_of_no_series": (Check.SERIES, "a run of a forecast of no series"),
    "resolution_of_no_series": (Check.SERIES, "a length of the intervals of no series"),
    "no_resolution": (Check.SERIES, "its intervals have no length"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One row that breaks a promise, by its key.

    Times are texts in ISO 8601, UTC: what is wrong with a row may be a time that Python has not.
    """

    check: Check
    message: str
    series_id: int | None = None
    series: str | None = None
    ts: str | None = None
    valid_from: str | None = None
    published_at: str | None = None
    run_id: int | None = None


_PARTS = {
    Part.FOLD: {Check.INTERVALS, Check.VERSIONS, Check.CURRENT, Check.KNOWLEDGE, Check.SERIES},
    Part.CLOSED: {Check.INTERVALS, Check.VERSIONS},
    Part.COUNTS: {Check.RUNS},
    Part.VINTAGES: {Check.VINTAGES, Check.KNOWLEDGE, Check.SERIES},
    Part.ISSUES: {Check.ISSUES, Check.KNOWLEDGE, Check.SERIES},
}
"""What each part of a step serves."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at.

    Attributes:
        checks: which promises.
        since: observations with ts >= since only; for the promises about runs that means whether
            any has more versions than it wrote.
        sample: a share of the time of each series, at random; None for all of it.
    """

    checks: Collection[Check] = tuple(Check)
    since: datetime | None = None
    sample: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every row is looked at."""
        return self.since is None and self.sample is None


NAMED = 100
"""Faults of a check that are remembered for a verification that goes on."""
RowCounts = tuple[int, int, int]
"""How many versions, publications and issues a run wrote."""


@dataclass(slots=True)
class Progress:
    """How far a verification has come, so that it can go on.

    Attributes:
        left: the ranges that are not looked at yet.
        tally: how many rows each run has in those that are.
        began: when it began; None if it is to begin now.
        settled: the runs whose rows could not become more then; None if it is to begin now.
        recent: what was recorded then of each run that may have been at work: versions,
            publications and issues; none stands for a run that had none.
        found: how many faults of each check the steps have found that are done.
        faults: the first of these.
    """

    left: Sequence[Range] = (Range(),)
    tally: Tally = field(default_factory=Tally)
    began: datetime | None = None
    settled: Settled | None = None
    recent: dict[int, RowCounts] = field(default_factory=dict)
    found: Counter[Check] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)

    def take(self, found: _Found) -> None:
        """Take over what was found in a range, of which not all is named."""
        self.tally.add(found.tally)
        named = Counter(fault.check for fault in self.faults)
        for fault in found.faults:
            named[fault.check] += 1
            if named[fault.check] <= NAMED:
                self.faults.append(fault)
        self.found.update(found.counts)


@dataclass(slots=True)
class _Found:
    """What was found in a range so far: how many faults, the first of them, and rows by run."""

    counts: Counter[Check] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)

    def add(self, fault: Fault) -> None:
        """Count a fault, and keep it if it is one of the first."""
        self.counts[fault.check] += 1
        if self.counts[fault.check] <= NAMED:
            self.faults.append(fault)


def verify(
    connection: psycopg.Connection,
    *others: psycopg.Connection,
    scope: Scope | None = None,
    since: datetime | None = None,
    begin: Progress | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
    step_done: Callable[[Progress], None] = lambda _: None,
) -> Iterator[Fault]:
    """Every row that breaks a promise; none where all is well.

    Args:
        connection: may be read-only, in autocommit mode.
        others: further ones, which take steps at the same time.
        scope: what is looked at; all by default.
        since: in place of a scope: all checks of observations with ts >= since.
        begin: how far an earlier verification of the same scope had come.
        progress: called with how many series are done, and of how many; one more for the runs.
        step_done: called after the last fault of each step.

    Raises:
        DatabaseError: the database cannot be asked.
    """
    scope = scope or Scope(since=since)
    state = begin or Progress()
    with database_errors("reading the names of the series"):
        ids = [series_id for (series_id,) in connection.execute(query("verify_series"))]
    if state.began is None:
        with database_errors("reading the runs"):
            _begin(connection, state)
    for fault in _early_faults(connection, scope, ids):
        if fault.check in scope.checks:
            yield fault
    plan = _plan(connection, scope, ids, state.settled)
    steps = Steps(plan, state.left)
    begun: defaultdict[Range, _Found] = defaultdict(_Found)
    done, of = 0, len(ids) + 1
    progress(done, of)
    for result in steps.results([connection, *others]):
        if isinstance(result, Step):
            begun[result.range].tally.add(result.tally)
            if result.is_last:
                state.take(begun.pop(result.range))
                state.left = steps.left()
                step_done(state)
            done += result.series
            progress(done, of)
        elif (fault := _fault(result[1])).check in scope.checks:
            begun[result[0]].add(fault)
            yield fault
    if Check.RUNS in scope.checks:
        if plan.settled and not _sums_agree(connection, state.tally, plan.settled):
            plan = replace(plan, parts=[Part.COUNTS], settled=None)
            state.tally = _count(plan, [connection, *others])
        yield from _run_faults(connection, state, plan, is_whole=scope.is_whole)
    progress(of, of)


def _early_faults(
    connection: psycopg.Connection, scope: Scope, ids: Sequence[int]
) -> Iterator[Fault]:
    """What is found without a look at all rows."""
    yield from _faults(connection, "verify_sources", {"ahead": utc_now() + TOLERANCE})
    yield from _faults(connection, "verify_resolutions", {"since": scope.since})
    yield from _faults(connection, "verify_infinite", {"ids": ids, "since": scope.since})


def _plan(
    connection: psycopg.Connection, scope: Scope, ids: Sequence[int], settled: Settled | None
) -> Plan:
    with database_errors("looking for the keys"):
        (is_unique,) = connection.execute(query("verify_keys")).fetchone() or (False,)
    parts = [part for part, checks in _PARTS.items() if checks & set(scope.checks)]
    if scope.is_whole and {Part.FOLD, Part.VINTAGES} <= set(parts):
        # these look at all rows anyway
        parts = [part for part in parts if part is not Part.COUNTS]
    else:
        settled = None
    return Plan(
        ids,
        parts,
        # without the key, the number of current values does not tell that two versions are open
        suspects_all=not is_unique,
        since=scope.since,
        sample=scope.sample,
        settled=settled,
    )


def _begin(connection: psycopg.Connection, state: Progress) -> None:
    rows = connection.execute(query("verify_recent")).fetchall()
    state.began, last = rows[0][:2]
    runs = [row[2:] for row in rows if row[2] is not None]
    state.settled = Settled(last, [run_id for run_id, *_ in runs if run_id <= last])
    state.recent = {run_id: tuple(recorded) for run_id, *recorded in runs if any(recorded)}


class _RunRow(NamedTuple):
    """What is recorded of a run, or issues of none.

    `is_settled` tells that it ended before all was looked at; the counts of no run are None.
    """

    run_id: int
    is_recorded: bool
    versions: int
    vintages: int
    issues: int
    stored_issues: int
    adds_up: bool
    has_ended: bool
    is_settled: bool

    def row_counts(self) -> RowCounts:
        """How many rows of each kind it wrote, as it says itself."""
        return self.versions, self.vintages, self.issues


_KINDS = ("versions", "vintages", "issues")


def _sums_agree(connection: psycopg.Connection, tally: Tally, settled: Settled) -> bool:
    """Whether the settled runs wrote what is recorded of them, by the sums over all their rows."""
    with database_errors("verifying the runs"):
        row = connection.execute(query("verify_run_sums"), _parameters(settled)).fetchone()
    return row is not None and (int(row[0]), int(row[1])) == (
        tally.settled_versions,
        tally.settled_vintages,
    )


def _parameters(settled: Settled | None) -> dict[str, Any]:
    return {
        "settled": settled.last if settled else None,
        "unsettled": list(settled.but) if settled and settled.but else None,
    }


def _count(plan: Plan, connections: Sequence[psycopg.Connection]) -> Tally:
    """How many rows there are of each run: asked only where a sum tells that one is at fault."""
    tally = Tally()
    for result in Steps(plan, [Range()]).results(connections):
        if isinstance(result, Step):
            tally.add(result.tally)
    return tally


def _run_faults(
    connection: psycopg.Connection, state: Progress, plan: Plan, *, is_whole: bool
) -> Iterator[Fault]:
    """Runs that did not write what is recorded of them, and rows of no run.

    What is recorded of a run changes in the transaction that writes its rows. So its rows can be
    compared that were counted one step after the other, if that stayed as it was meanwhile.
    """
    with database_errors("verifying the runs"):
        cursor = connection.cursor(row_factory=record_row(_RunRow))
        versions, vintages = state.tally.versions, state.tally.vintages
        unknown = versions.keys() | vintages.keys()
        parameters = {"began": state.began, **_parameters(plan.settled)}
        for run in cursor.stream(query("verify_runs"), parameters):
            if not run.is_recorded:
                unknown.add(run.run_id)
                continue
            unknown.discard(run.run_id)
            if not run.adds_up:
                yield _fault({"fault": "counts_do_not_add_up", "run_id": run.run_id})
            if not run.has_ended:
                yield _fault({"fault": "no_outcome", "run_id": run.run_id})
            if not run.is_settled and state.recent.get(run.run_id, (0, 0, 0)) != run.row_counts():
                continue
            stored = (versions[run.run_id], vintages[run.run_id], run.stored_issues)
            if plan.settled and run.is_settled:
                # the sums tell that these agree
                stored = (run.versions, run.vintages, run.stored_issues)
            yield from _miscounts(run, stored, is_whole=is_whole)
    for run_id in sorted(unknown):
        yield _fault({"fault": "no_run", "run_id": run_id})


def _miscounts(run: _RunRow, stored: RowCounts, *, is_whole: bool) -> Iterator[Fault]:
    for kind, wrote, has in zip(_KINDS, run.row_counts(), stored, strict=True):
        if has > wrote:
            yield _fault({"fault": f"{kind}_too_many", "run_id": run.run_id})
        if has < wrote and is_whole:
            yield _fault({"fault": f"{kind}_missing", "run_id": run.run_id})


def _faults(
    connection: psycopg.Connection, name: str, parameters: dict[str, Any]
) -> Iterator[Fault]:
    with (
        database_errors("verifying the history"),
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        for row in cursor.stream(query(name), parameters):
            yield _fault(row)


def _fault(row: dict[str, Any]) -> Fault:
    check, message = _FAULTS[row.pop("fault")]
    times = {name: _text_in_utc(row[name]) for name in _TIMES if row.get(name)}
    return Fault(check, message, **{**row, **times})


_TIMES = ("ts", "valid_from", "published_at")


def _text_in_utc(text: str) -> str:
    """A time in UTC, of which a machine of a cluster says in its own zone; what is none stays."""
    if text.endswith("+00:00"):
        return text
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return text
