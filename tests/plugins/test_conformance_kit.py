"""The conformance kit itself: each of its checks finds the fault that it is for."""

from __future__ import annotations

import asyncio
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dataportal.errors import BadDataError, FetchError, PermanentError, TransientError
from dataportal.plugins.base_plugin import BasePlugin, MultiSeriesPlugin, TimeSeriesDefinition
from dataportal.plugins.http.errors import NotFoundError
from dataportal.testing import BrokenRuleError, Conformance, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataportal.testing import Check, Point, Request

Rows = list[dict[str, Any]]
TWO = [TimeSeriesDefinition("wind"), TimeSeriesDefinition("sun")]


def pages(request: Request, points: Sequence[Point]) -> Reply:
    """Days on pages of their own; page 0 names them."""
    days = sorted({p.ts.date().isoformat() for p in points})
    day = request.query["day"][0]
    if day == "all":
        return Reply.json(days)
    rows = [
        {"series": p.series, "ts": p.ts.isoformat(), "value": p.value}
        for p in points
        if p.ts.date().isoformat() == day
    ]
    return Reply.json(rows)


class Good(BasePlugin):
    """Does everything right; the broken ones differ in one thing each."""

    async def get_historical_data(
        self,
        start_date: str,
        end_date: str | None = None,
        metrics: Sequence[str] | None = None,
    ) -> Rows:
        """All rows of the days that the window touches."""
        days = await self.page("all")
        wanted = [d for d in days if start_date[:10] <= d and (end_date is None or d <= end_date)]
        return self.points([row for day in wanted for row in await self.page(day)])

    async def page(self, day: str) -> Any:
        """A page's rows."""
        headers = {"X-Api-Key": self._defaults["key"]}
        url = f"{self._defaults['url']}/?day={day}"
        answer = await self.http.get(url, headers=headers)
        rows = answer.json()
        if not isinstance(rows, list):
            raise answer.bad("is no list")
        return rows

    def points(self, rows: Rows) -> Rows:
        """Rows as points."""
        return [{"ts": row["ts"], "value": row["value"]} for row in rows]


class GoodInThreads(Good):
    """Asks from threads, each of which has an event loop of its own, and blocks meanwhile."""

    async def page(self, day: str) -> Any:
        """A page's rows."""
        with ThreadPoolExecutor(1) as threads:
            return threads.submit(asyncio.run, super().page(day)).result()


class GoodGroup(MultiSeriesPlugin):
    """The same for several series."""

    async def get_historical_data_multi(
        self, start_date: str, end_date: str | None = None
    ) -> Mapping[str, Rows]:
        """All rows of the days that the window touches."""
        url = self._request_params["url"]
        days = (await self.http.get(f"{url}/?day=all")).json(list[str])
        rows: dict[str, Rows] = {s.endpoint_prefix: [] for s in self._series_definitions}
        for day in days:
            if start_date[:10] <= day and (end_date is None or day <= end_date):
                for row in (await self.http.get(f"{url}/?day={day}")).json(list[dict[str, Any]]):
                    rows[self.series_of(row)].append({"ts": row["ts"], "value": row["value"]})
        return rows

    def series_of(self, row: dict[str, Any]) -> str:
        """The series of a row."""
        return str(row["series"])


def kit(plugin: type[BasePlugin | MultiSeriesPlugin], **more: Any) -> Conformance:
    """The plugin, tried on the pages above."""
    series = TWO if issubclass(plugin, MultiSeriesPlugin) else ()
    return Conformance(
        plugin=plugin,
        params=lambda provider: {"url": provider.url, "key": provider.secret},
        provider=more.pop("provider", pages),
        series=series,
        **more,
    )


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(check, id=f"{name}: {check}")
        for name, plugin in {
            "single": kit(Good),
            "threads": kit(GoodInThreads),
            "group": kit(GoodGroup),
            "quarter-hours": kit(Good, step=timedelta(minutes=15)),
            "days": kit(Good, step=timedelta(days=1)),
            "zone without such days": kit(Good, timezone="Asia/Tokyo"),
        }.items()
        for check in plugin.checks()
    ],
)
def test_a_good_plugin_keeps_every_rule(check: Check) -> None:
    """No check complains where there is nothing to complain about."""
    check()


class LosesZeros(Good):
    """Takes 0 for "no value"."""

    def points(self, rows: Rows) -> Rows:
        """Without the zeros."""
        return [row for row in rows if row["value"] != 0]


class MixesSeriesUp(GoodGroup):
    """Gives one series the points of the other."""

    def series_of(self, row: dict[str, Any]) -> str:
        """The wrong one."""
        return "sun" if row["series"] == "wind" else "wind"


class ForgetsOffsets(Good):
    """Cuts the offset off."""

    def points(self, rows: Rows) -> Rows:
        """With naive times."""
        return [{**row, "ts": row["ts"][:19]} for row in rows]


class Counts24Hours(Good):
    """Stamps a day's hours by adding them to local midnight, 24 of them."""

    def points(self, rows: Rows) -> Rows:
        """Of the longest and the shortest day: the first 24 hours, or 24 hours made of 23."""
        instants = [datetime.fromisoformat(row["ts"]) for row in rows]
        before = [m for m, row in zip(instants, rows, strict=True) if m.date().month in {3, 10}]
        if not before or before[0].month not in {3, 10}:
            return rows
        spring = before[0].month == 3
        change = (
            datetime(2025, 3, 30, 1, tzinfo=UTC) if spring else datetime(2025, 10, 26, tzinfo=UTC)
        )
        hour = timedelta(hours=1)
        moved = [m + hour if spring and m >= change else m for m in instants]
        return [
            {**row, "ts": m.isoformat()}
            for m, row in zip(moved, rows, strict=True)
            if spring or m != change
        ]


class LosesTheFirst(Good):
    """Takes the window as open at its start."""

    async def get_historical_data(
        self, start_date: str, end_date: str | None = None, metrics: Sequence[str] | None = None
    ) -> Rows:
        """What is later than the start."""
        rows = await super().get_historical_data(start_date, end_date)
        start = datetime.fromisoformat(start_date)
        return [row for row in rows if datetime.fromisoformat(row["ts"]) != start]


class EndsToday(Good):
    """Takes an open end for one day."""

    async def get_historical_data(
        self, start_date: str, end_date: str | None = None, metrics: Sequence[str] | None = None
    ) -> Rows:
        """The start's day alone if no end is given."""
        return await super().get_historical_data(start_date, end_date or start_date[:10] + "T99")


class StopsAtTheFirstLate(Good):
    """Believes that rows come in order."""

    def points(self, rows: Rows) -> Rows:
        """Up to the first one that goes back in time."""
        kept: Rows = []
        for row in rows:
            if kept and row["ts"] < kept[-1]["ts"]:
                break
            kept.append(row)
        return kept


class NeedsData(Good):
    """Fails where there is nothing."""

    def points(self, rows: Rows) -> Rows:
        """At least one."""
        if not rows:
            raise BadDataError("there is nothing")
        return rows


class ZeroForNull(Good):
    """Writes 0 where there is no value."""

    def points(self, rows: Rows) -> Rows:
        """Without None."""
        return [{**row, "value": row["value"] or 0} for row in rows]


class Remembers(Good):
    """Keeps what it once got."""

    kept: dict[str, Any]

    async def page(self, day: str) -> Any:
        """From memory where possible."""
        self.kept = getattr(self, "kept", {})
        if day not in self.kept:
            self.kept[day] = await super().page(day)
        return self.kept[day]


class KeepsInSilence(Good):
    """Leaves out what is unchanged, and does not say so."""

    async def page(self, day: str) -> Any:
        """Nothing where the server says that nothing has changed."""
        answer = await self.http.get(f"{self._defaults['url']}/?day={day}")
        if day != "all":
            answer.keep()
        return [] if answer.unchanged else answer.json()


class ForgetsRetryAfter(Good):
    """Makes an error of its own without what the provider asked for."""

    async def page(self, day: str) -> Any:
        """Or an error."""
        try:
            return await super().page(day)
        except TransientError:
            raise TransientError("busy") from None


class TriesAgain(Good):
    """Does the run's work."""

    async def page(self, day: str) -> Any:
        """At the second attempt at the latest."""
        try:
            return await super().page(day)
        except TransientError:
            return await super().page(day)


class StaysBroken(Good):
    """Never asks again after a failure."""

    broken = False

    async def page(self, day: str) -> Any:
        """Unless there was a failure."""
        if self.broken:
            raise TransientError("still broken")
        try:
            return await super().page(day)
        except FetchError:
            self.broken = True
            raise


class AllMayPass(Good):
    """Takes every failure for one that passes."""

    async def page(self, day: str) -> Any:
        """Or an error that makes the run try again."""
        try:
            return await super().page(day)
        except FetchError as error:
            raise TransientError(
                error.message, retry_after=getattr(error, "retry_after", None)
            ) from None


class NotFoundIsEmpty(Good):
    """Takes 404 for "no data"."""

    async def page(self, day: str) -> Any:
        """Nothing where there is no page."""
        try:
            return await super().page(day)
        except NotFoundError:
            return []


class PagesAreEmpty(Good):
    """Takes what it cannot read for nothing."""

    async def page(self, day: str) -> Any:
        """Nothing where there is no JSON."""
        answer = await self.http.get(f"{self._defaults['url']}/?day={day}")
        return [] if answer.is_page else answer.json()


class ErrorsAreEmpty(Good):
    """Takes a document of another shape for nothing."""

    async def page(self, day: str) -> Any:
        """Nothing where there is no list."""
        answer = await self.http.get(f"{self._defaults['url']}/?day={day}")
        content = answer.json()
        return content if isinstance(content, list) else []


class MendsCuts(Good):
    """Takes what it can read of a document that was cut."""

    async def page(self, day: str) -> Any:
        """The rows before the cut."""
        answer = await self.http.get(f"{self._defaults['url']}/?day={day}")
        text = answer.text()
        try:
            return json.loads(text)
        except ValueError:
            if "}" not in text:
                return []
            return json.loads(text[: text.rindex("}") + 1] + "]")


class LeavesAPageOut(Good):
    """Takes the pages that come, and leaves out the others."""

    async def page(self, day: str) -> Any:
        """Nothing where a page fails."""
        try:
            return await super().page(day)
        except TransientError:
            if day == "all":
                raise
            return []


class TellsTheKey(Good):
    """Names the key in a message."""

    async def page(self, day: str) -> Any:
        """Or an error with too much in it."""
        try:
            return await super().page(day)
        except PermanentError:
            raise PermanentError(f"the key {self._defaults['key']} was refused") from None


class LogsTheKey(Good):
    """Writes the key into the log."""

    async def page(self, day: str) -> Any:
        """And what is asked into the log."""
        logging.getLogger("rates").debug("asking with %s", self._defaults)
        return await super().page(day)


class ChainsTheKey(Good):
    """Keeps the library's error, which names the key, behind its own."""

    async def page(self, day: str) -> Any:
        """Or an error with a cause."""
        try:
            return await super().page(day)
        except PermanentError as error:
            error.__cause__ = ValueError(f"GET /?key={self._defaults['key']}")
            raise


class Breaks(Good):
    """Lets errors of its own code out."""

    async def page(self, day: str) -> Any:
        """Or a KeyError."""
        answer = await self.http.get(f"{self._defaults['url']}/?day={day}")
        content = answer.json()
        return content if isinstance(content, list) else content["rows"]


FAULTS: list[tuple[str, type[BasePlugin | MultiSeriesPlugin], str]] = [
    ("takes_what_there_is", LosesZeros, "missing"),
    ("takes_what_there_is", MixesSeriesUp, "wrong"),
    ("takes_what_there_is", ForgetsOffsets, "no offset"),
    ("times_carry_an_offset", ForgetsOffsets, "2025-06-02T00:00:00'"),
    ("a_day_of_23_hours", Counts24Hours, "missing: 2025-03-30T01:00:00Z"),
    ("a_day_of_25_hours", Counts24Hours, "missing: 2025-10-26T00:00:00Z"),
    ("windows_are_half_open", LosesTheFirst, "1 missing: 2025-06-02T00:00:00Z"),
    ("an_open_end_reaches_the_newest", EndsToday, "missing: 2025-06-03T00:00:00Z"),
    ("any_order_will_do", StopsAtTheFirstLate, "missing"),
    ("nothing_is_no_failure", NeedsData, "BadDataError: there is nothing"),
    ("no_value_is_none", ZeroForNull, "is 0.0 and not None"),
    ("no_value_is_none", LosesZeros, "missing"),
    ("revisions_are_seen", Remembers, "wrong"),
    ("what_is_unchanged_is_told", KeepsInSilence, "it is not said that they are unchanged"),
    ("too_many_requests_may_pass", ForgetsRetryAfter, "Retry-After says 7 seconds"),
    ("too_many_requests_may_pass", TriesAgain, "Retry-After says 7 seconds"),
    ("a_broken_server_may_pass", TriesAgain, "asked 2 times"),
    ("a_broken_server_may_pass", StaysBroken, "still broken"),
    ("a_refused_key_stays_refused", AllMayPass, "TransientError and not PermanentError"),
    ("not_found_is_no_answer", NotFoundIsEmpty, "as if all were well"),
    ("a_page_is_no_data", PagesAreEmpty, "as if all were well"),
    ("an_error_document_is_no_data", ErrorsAreEmpty, "as if all were well"),
    ("an_error_document_is_no_data", Breaks, "KeyError and not FetchError"),
    ("a_cut_answer_is_no_answer", MendsCuts, "as if all were well"),
    ("all_or_nothing", LeavesAPageOut, "as if all were well"),
    ("no_secret_is_told", TellsTheKey, "after 400: "),
    ("no_secret_is_told", LogsTheKey, "after a good answer: "),
    ("no_secret_is_told", ChainsTheKey, "after 400: "),
]


@pytest.mark.parametrize(("rule", "plugin", "expected"), FAULTS)
def test_a_fault_is_found(
    rule: str, plugin: type[BasePlugin | MultiSeriesPlugin], expected: str
) -> None:
    """By the rule it breaks, with the reason for the rule and what was found."""
    (check,) = (candidate for candidate in kit(plugin).checks() if str(candidate) == rule)
    with pytest.raises(BrokenRuleError) as broken:
        check()
    message = str(broken.value)
    assert message.startswith(f"{plugin.__name__}: {rule}: ")
    assert expected in message.partition("Found: ")[2]
    assert "c4n4ry" not in message


def test_every_rule_is_seen_to_fail() -> None:
    """Each has a plugin above that breaks it."""
    assert {rule for rule, _, _ in FAULTS} == {str(check) for check in kit(Good).checks()}


class Snapshot(BasePlugin):
    """Stamps what it gets with the present."""

    lost = False

    async def get_historical_data(
        self, start_date: str, end_date: str | None = None, metrics: Sequence[str] | None = None
    ) -> Rows:
        """One point, if there is one."""
        headers = {"X-Api-Key": self._defaults["key"]}
        answer = await self.http.get(f"{self._defaults['url']}/now", headers=headers)
        rows = answer.json(list[dict[str, float | None]])
        now = datetime.now(UTC).isoformat()
        return [{"ts": now, "value": 0 if self.lost else row["value"]} for row in rows]


class LostSnapshot(Snapshot):
    """Forgets the value."""

    lost = True


def present(request: Request, points: Sequence[Point]) -> Reply:
    """Values without a time."""
    return Reply.json([{"value": p.value} for p in points])


@pytest.mark.parametrize("check", kit(Snapshot, provider=present, snapshot=True).checks(), ids=str)
def test_a_snapshot_has_no_windows(check: Check) -> None:
    """Where there is nothing but the present, all other rules hold."""
    assert "window" not in str(check)
    check()


def test_a_snapshot_without_its_values_is_found() -> None:
    """Values count where times do not."""
    check = kit(LostSnapshot, provider=present, snapshot=True).checks()[0]
    with pytest.raises(BrokenRuleError, match="1 wrong"):
        check()


@pytest.mark.parametrize("check", kit(NotFoundIsEmpty, not_found_is_empty=True).checks(), ids=str)
def test_not_found_may_mean_empty(check: Check) -> None:
    """If its author says so."""
    check()


def test_a_broken_provider_is_no_fault_of_the_plugin() -> None:
    """What goes wrong in the test's own provider is raised as it is."""

    def broken(request: Request, points: Sequence[Point]) -> Reply:
        raise LookupError("in the test")

    for check in kit(Good, provider=broken).checks():
        if str(check) in {"takes_what_there_is", "all_or_nothing", "no_secret_is_told"}:
            with pytest.raises(LookupError, match="in the test"):
                check()


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"step": timedelta(minutes=25)}, "step"),
        ({"step": timedelta()}, "step"),
        ({"values": (1.0, 1.0)}, "two different values"),
    ],
)
def test_a_kit_that_proves_nothing_is_refused(more: dict[str, Any], fault: str) -> None:
    """At once, with the reason."""
    with pytest.raises(ValueError, match=fault):
        kit(Good, **more)
