"""Times in addresses and in answers: windows, periods, formats, starts of intervals."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataportal.plugins.declarative.interval_starts import interval_starts
from dataportal.plugins.declarative.periods import next_period, period_start
from dataportal.plugins.declarative.templates import Template
from dataportal.plugins.readers.times import TimeFormat, Window, nearest_instant

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "year")
FORMS = {
    "unix": timedelta(seconds=1),
    "unix_ms": timedelta(milliseconds=1),
    "%Y-%m-%dT%H:%M:%S%z": timedelta(seconds=1),
    "%Y%m%d%H%M%z": timedelta(minutes=1),
    "%d.%m.%Y": timedelta(days=1),
    "%Y/%j": timedelta(days=1),
    "%Y-%m": timedelta(days=31),
    "%Y": timedelta(days=366),
}
instants = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from(ZONES)


def _read(text: str, form: str, zone: str) -> datetime:
    if form == "unix":
        return datetime.fromtimestamp(int(text), UTC)
    if form == "unix_ms":
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    local = datetime.strptime(text, form)  # noqa: DTZ007 - local, or with its offset
    return local if local.tzinfo else local.replace(tzinfo=ZoneInfo(zone))


@given(
    instants, st.timedeltas(timedelta(), timedelta(days=900)), st.sampled_from(list(FORMS)), zones
)
def test_what_is_asked_for_holds_the_window(
    start: datetime, length: timedelta, form: str, zone: str
) -> None:
    """`{start}` is never after the start, `{end}` never before the end, and neither far off."""
    end = start + length
    filled = Template(f"{{start:{form}@{zone}}}|{{end:{form}@{zone}}}").fill(start, end, {})
    first, last = (_read(text, form, zone) for text in filled.split("|"))
    slack = timedelta(hours=2)  # a local day that begins in a doubled hour
    assert start - FORMS[form] - slack < first <= start
    assert end <= last < end + FORMS[form] + slack


@given(st.text(max_size=30), instants)
def test_a_text_without_fields_stays_as_it_is(text: str, instant: datetime) -> None:
    """Braces too, where they are no field."""
    if not re.search(r"\{[A-Za-z_]\w*(:[^{}]*)?\}", text):
        assert Template(text).fill(instant, instant, {}) == text


@given(instants, zones, st.sampled_from(UNITS))
@example(datetime(2024, 10, 27, 0, 30, tzinfo=UTC), "Europe/Berlin", "hour")
@example(datetime(2024, 10, 27, 1, 30, tzinfo=UTC), "Europe/Berlin", "hour")
@example(datetime(2025, 3, 30, 0, 59, tzinfo=UTC), "Europe/Berlin", "hour")
def test_a_moment_lies_in_its_period(instant: datetime, zone: str, unit: str) -> None:
    """Which begins by the clocks of the zone, and ends where the next one begins."""
    local = instant.astimezone(ZoneInfo(zone))
    floor = period_start(local, unit)
    after = next_period(floor, unit)
    # compared in UTC: two times of one zone are compared by their clocks
    assert floor.astimezone(UTC) <= instant < after.astimezone(UTC)
    assert period_start(after, unit) == after
    if unit == "week":
        assert floor.weekday() == 0


@given(instants, zones)
def test_hours_follow_one_another(instant: datetime, zone: str) -> None:
    """Each an hour long, also in the nights when the clocks change by one."""
    floor = period_start(instant.astimezone(ZoneInfo(zone)), "hour")
    hours = [floor]
    for _ in range(30):
        hours.append(next_period(hours[-1], "hour"))
    steps = {b.astimezone(UTC) - a.astimezone(UTC) for a, b in pairwise(hours)}
    assert steps == {timedelta(hours=1)}


@given(instants, st.sampled_from(["%Y-%m-%d %H:%M:%S", "%d.%m.%y %H:%M", "%Y%m%d%H", "%c"]))
def test_what_strftime_writes_is_read(instant: datetime, form: str) -> None:
    """As precise as the format is."""
    text = instant.strftime(form)
    parsed = TimeFormat(form).read(text)
    assert isinstance(parsed, datetime)
    assert parsed.strftime(form) == text


@given(st.dates(datetime(2000, 1, 1).date(), datetime(2099, 12, 30).date()))  # noqa: DTZ001
def test_hour_24_is_the_midnight_that_ends_the_day(day: object) -> None:
    """Whatever other 24 stands beside it."""
    parsed = TimeFormat("%Y-%m-%d %H:%M").read(f"{day} 24:00")
    assert parsed == datetime.fromisoformat(f"{day}") + timedelta(days=1)
    assert isinstance(TimeFormat("%Y-%m-%d %H:%M").read(f"{day} 24:30"), str)
    assert isinstance(TimeFormat("%Y-%m-%d %H:%M").read(f"{day} 25:00"), str)


@given(
    st.integers(-(2**62), 2**62) | st.floats() | st.text(max_size=20) | st.none() | st.booleans()
)
def test_what_is_no_time_is_a_text(raw: object) -> None:
    """To be refused by the run; nothing is raised, whatever an API answers."""
    for form in ("", "period", "unix", "unix_ms", "%Y-%m-%d"):
        parsed = TimeFormat(form).read(raw)
        assert isinstance(parsed, str | datetime)
        if isinstance(raw, bool) or raw is None:
            assert isinstance(parsed, str)


@pytest.mark.parametrize("form", ["iso", "seconds", "%", "%Q", "%Y-%Y"])
def test_formats_that_cannot_be_are_refused(form: str) -> None:
    """Before anything is asked."""
    with pytest.raises(ValueError, match=re.escape(repr(form))):
        TimeFormat(form)


@given(instants, st.timedeltas(timedelta(), timedelta(days=9)), instants, zones)
def test_a_window_covers_what_lies_in_it(
    start: datetime, length: timedelta, instant: datetime, zone: str
) -> None:
    """An instant exactly, half-open; a local time whenever it may, in whichever zone."""
    window = Window(start.isoformat(), (start + length).isoformat())
    inside = start <= instant < start + length
    assert window.covers(instant) == inside
    if inside:
        assert window.covers(instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None))


@given(instants, st.sampled_from(["Europe/Berlin", "America/New_York", "UTC"]), st.booleans())
@example(datetime(2024, 10, 26, 20, tzinfo=UTC), "Europe/Berlin", False)
@example(datetime(2024, 10, 26, 20, tzinfo=UTC), "Europe/Berlin", True)
@example(datetime(2025, 3, 29, 20, tzinfo=UTC), "Europe/Berlin", False)
def test_ends_become_starts(first: datetime, zone: str, newest_first: bool) -> None:  # noqa: FBT001
    """Hours of a day that are named by their local ends are the hours that they end."""
    first = first.replace(minute=0, second=0, microsecond=0)
    starts = [first + timedelta(hours=n) for n in range(12)]
    ends = [
        (start + timedelta(hours=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
        for start in starts
    ]
    # a doubled hour of which only one is there cannot be told
    if len(set(ends)) < len(ends) or ends == sorted(set(ends)):
        known = interval_starts(
            ends[::-1] if newest_first else ends, timedelta(hours=1), ZoneInfo(zone)
        )
        computed = known[::-1] if newest_first else known
        for start, computed_start, end in zip(starts, computed, ends, strict=True):
            if computed_start != end:  # left to the run
                assert computed_start == start


@given(instants, st.timedeltas(timedelta(), timedelta(minutes=25)), zones)
@example(datetime(2024, 10, 27, 0, 10, tzinfo=UTC), timedelta(minutes=5), "Europe/Berlin")
@example(datetime(2024, 10, 27, 1, 10, tzinfo=UTC), timedelta(minutes=5), "Europe/Berlin")
def test_a_local_time_of_this_moment_is_not_ambiguous(
    instant: datetime, age: timedelta, zone: str
) -> None:
    """Told a little later, it is the instant that it was, in the doubled hour too."""
    wall = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if zone != "Australia/Lord_Howe":  # where half an hour is doubled, 25 minutes are too long
        assert nearest_instant(wall, ZoneInfo(zone), instant + age) == instant
    assert nearest_instant(instant, ZoneInfo(zone), instant + age) == instant
    assert nearest_instant("nonsense", ZoneInfo(zone), instant) == "nonsense"


def test_a_local_time_that_does_not_exist_stays_local() -> None:
    """For the run to refuse it."""
    wall = datetime(2025, 3, 30, 2, 30)  # noqa: DTZ001 - local
    assert (
        nearest_instant(wall, ZoneInfo("Europe/Berlin"), datetime(2025, 3, 30, tzinfo=UTC)) == wall
    )


@given(st.integers(-(10**15), 4 * 10**15))
def test_counts_since_1970_are_the_same_instant_in_every_unit(microseconds: int) -> None:
    """As numbers and as texts, also before 1970; what is finer than a microsecond is cut off."""
    ts = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    for count in (microseconds, str(microseconds)):
        assert TimeFormat("unix_us").read(count) == ts
    assert TimeFormat("unix_ns").read(microseconds * 1000 + 999) == ts
    whole = ts.replace(microsecond=ts.microsecond // 1000 * 1000)
    stamp = microseconds // 1000
    for cell in (stamp, str(stamp), f"/Date({stamp})/", f"\\/Date({stamp}+0530)\\/"):
        assert TimeFormat("unix_ms").read(cell) == whole


@given(st.datetimes(datetime(1900, 3, 1), datetime(9999, 12, 31)))  # noqa: DTZ001 - local
def test_days_of_excel_are_the_local_times_that_they_stand_for(ts: datetime) -> None:
    """To the millisecond, from the day on that Excel and OLE call alike."""
    ts = ts.replace(microsecond=ts.microsecond // 1000 * 1000)
    days = (ts - datetime(1899, 12, 30)) / timedelta(days=1)  # noqa: DTZ001 - local
    for cell in (days, repr(days)):
        assert TimeFormat("excel").read(cell) == ts


@pytest.mark.parametrize("cell", [2, 60.5, -1, 2_958_466, "nan", "inf", "text", True, None])
def test_what_is_no_day_of_excel_is_refused(cell: object) -> None:
    """So is one that Excel takes for another than OLE does."""
    assert isinstance(TimeFormat("excel").read(cell), str)


@pytest.mark.parametrize(
    ("text", "ts"),
    [
        ("2024-10-27 24:00", "2024-10-28"),
        ("2024-12-31T24:00:00", "2025-01-01"),
        ("20241231T24", "2025-01-01"),
        ("2024-10-27T24:00:00.000Z", "2024-10-28T00:00+00:00"),
        ("2024-10-27T24:00+02:00", "2024-10-28T00:00+02:00"),
    ],
)
def test_an_hour_of_24_ends_its_day(text: str, ts: str) -> None:
    """As ISO 8601 has it; the day that it ends is known."""
    times = TimeFormat()
    assert times.read(text) == datetime.fromisoformat(ts)
    assert times.day_of_hour_24(text) == datetime.fromisoformat(ts).date() - timedelta(days=1)


@pytest.mark.parametrize("text", ["2024-10-27 24:01", "2024-10-27 24:00:01", "2024-02-30 24:00"])
def test_another_time_of_an_hour_24_is_refused(text: str) -> None:
    """As no clock shows it."""
    assert isinstance(TimeFormat().read(text), str)


SPANISH = ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic")


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_months_are_read_in_another_language(day: date) -> None:
    """In any case, and where one name begins like another."""
    times = TimeFormat("%d-%b-%Y", SPANISH)
    text = f"{day.day:02}-{SPANISH[day.month - 1]}-{day.year}"
    for label in (text, text.upper()):
        assert times.read(label) == datetime.combine(day, datetime.min.time())
    finnish = [f"{'kuu' * (n > 6)}{chr(ord('a') + n)}" for n in range(12)]
    label = f"{finnish[day.month - 1]} {day.year}"
    assert TimeFormat("%B %Y", finnish).read(label) == datetime(day.year, day.month, 1)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("pattern", "names", "reason"),
    [
        ("%d %b %Y", SPANISH[1:], "twelve names"),
        ("%d %b %Y", ("ene", *SPANISH[:11]), "twelve names"),
        ("%d %m %Y", SPANISH, "%b or %B"),
        ("period", SPANISH, "%b or %B"),
    ],
)
def test_names_of_months_that_nothing_reads_are_refused(
    pattern: str, names: tuple[str, ...], reason: str
) -> None:
    """When the source is read."""
    with pytest.raises(ValueError, match=reason):
        TimeFormat(pattern, names)
    assert isinstance(TimeFormat("%d %b %Y", SPANISH).read("27 dez 2024"), str)
