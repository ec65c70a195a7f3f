"""Tells how a column of texts or numbers is written if it holds times: ISO 8601, strptime, unix."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dataportal.plugins.readers.times import TimeFormat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIRST_YEAR, LAST_YEAR = 1500, 2150
_SAMPLE = 40
_STRAYS = 0.34
"""So large a part of the cells may be remarks, sums and units among the times."""
_MISSING = {"", "-", "na", "n/a", "nan", "null", "none", "."}

_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d.*)?|\d{8}T\d\d.*")
_PERIOD = re.compile(
    r"\d{4}[-\s]?(?:[QMSTBWDHKUA]|KW|MM|JJ)[-\s]?\d{1,3}|\d{4}-\d\d|[QMSTBWDH]\d{1,3}[-\s/]?\d{4}"
    r"|\d{4}-\d\d-\d\d(?:T[\d:]+(?:Z|[+-]\d\d:?\d\d)?)?/P\w+",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d|2100")
_DIGITS = re.compile(r"\d+(?:\.0+)?")
_DATES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"\d{4}([-/.])\d{1,2}\1\d{1,2}"), ("%Y{0}%m{0}%d", "%Y{0}%d{0}%m")),
    (re.compile(r"\d{1,2}([-/.])\d{1,2}\1\d{4}"), ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y")),
    (re.compile(r"\d{1,2}([-/. ]?)[A-Za-z]{3}\1\d{4}"), ("%d{0}%b{0}%Y",)),
    (re.compile(r"\d{1,2}([-/. ])[A-Za-z]{3,9}\1\d{4}"), ("%d{0}%B{0}%Y",)),
    (re.compile(r"\d{1,2}([-/. ]?)[A-Za-z]{3}\1\d{2}"), ("%d{0}%b{0}%y",)),
    (re.compile(r"[A-Za-z]{3,9}( )\d{1,2},? \d{4}"), ("%b %d, %Y", "%B %d, %Y", "%b %d %Y")),
    (re.compile(r"\d{1,2}([-/.])\d{1,2}\1\d{2}"), ("%d{0}%m{0}%y", "%m{0}%d{0}%y", "%y{0}%m{0}%d")),
    (re.compile(r"\d{4}([-/. ])[A-Za-z]{3}\1\d{1,2}"), ("%Y{0}%b{0}%d",)),
    (re.compile(r"()\d{8}"), ("%Y%m%d", "%d%m%Y")),
    (re.compile(r"[A-Za-z]{3,9}([-/. ])\d{4}"), ("%b{0}%Y", "%B{0}%Y")),
    (re.compile(r"[A-Za-z]{3,9}([-/. ])\d{2}"), ("%b{0}%y",)),
    (re.compile(r"\d{4}([-/. ]?)[A-Za-z]{3,9}"), ("%Y{0}%b", "%Y{0}%B")),
    (re.compile(r"\d{1,2}([-/.])\d{4}"), ("%m{0}%Y",)),
    (re.compile(r"\d{4}([/.])\d{1,2}"), ("%Y{0}%m",)),
)
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?:(?P<colon>[:.hH])(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<part>[.,]\d+)?)?)?"
    r"(?P<blank>\s?)(?P<half>[AaPp]\.?[Mm]\.?)?"
)
_COMPACT_CLOCK = re.compile(r"\d{4}(?:\d\d)?")
_OFFSET = re.compile(r"\s?(?:Z|[+-]\d\d:?\d\d)")
_WEEKDAY = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? ?")
_TAIL = re.compile(r"[^%\d]{1,8}")
_ZONES_OF_TAILS = {
    "UTC": "UTC",
    "GMT": "UTC",
    "UT": "UTC",
    "EST": "Etc/GMT+5",
    "MST": "Etc/GMT+7",
    "JST": "Asia/Tokyo",
    "AEST": "Etc/GMT-10",
    "IST": "Asia/Kolkata",
}


@dataclass(frozen=True, slots=True)
class TimeGuess:
    """How a column of times is written.

    Attributes:
        pattern: as `time_format` says it; empty for ISO 8601 and for times as such.
        times: of each cell; None where there is none.
        strays: texts that are no times, and no mark for nothing.
        is_day: whether it names days without a time of day.
        zone: that the texts themselves name; empty for none.
        note: what else the texts could mean; empty where they are clear.
    """

    pattern: str
    times: Sequence[datetime | None]
    strays: frozenset[str]
    is_day: bool
    zone: str = ""
    note: str = ""

    @property
    def has_offset(self) -> bool:
        """Whether the times are instants, so that no zone need be known."""
        return all(ts.tzinfo is not None for ts in self.times if ts is not None)

    @property
    def distinct(self) -> int:
        """How many different times there are."""
        return len({ts for ts in self.times if ts is not None})


def text_of(cell: object) -> str:
    """What stands in a cell, without blanks around it; empty for nothing."""
    if cell is None or isinstance(cell, bool | list | dict):
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return str(cell).strip() if not isinstance(cell, datetime) else cell.isoformat(" ")


def is_nothing(text: str) -> bool:
    """Whether a text is one of the usual marks for nothing."""
    return text.casefold() in _MISSING


def guess_times(cells: Sequence[Any], *, named_so: bool = False) -> TimeGuess | None:
    """How the cells are written, if they are times.

    Args:
        cells: of one column.
        named_so: whether the name of the column says that it is of times; bare numbers, such as
            years, are times only then, or if they rise in even steps.
    """
    if any(isinstance(cell, date) for cell in cells):
        return _guess_by_type(cells)
    texts = [text_of(cell) for cell in cells]
    sample = _sample(texts)
    if not sample:
        return None
    if all(_DIGITS.fullmatch(text) for text in sample[: _SAMPLE // 2]):
        return _of_digits(cells, texts, named_so=named_so)
    best: TimeGuess | None = None
    for pattern, zone, note in _formats(sample):
        guess = _read(cells, texts, pattern, zone=zone, note=note)
        if guess is not None and (best is None or len(guess.strays) < len(best.strays)):
            best = guess
            if not guess.strays:
                break
    return best if best is None else _with_other_order(best, cells)


def read_clock(cells: Sequence[Any]) -> str | None:
    """How times of day are written, such as `%H:%M`; None if the cells are none."""
    texts = [text for cell in cells if not is_nothing(text := text_of(cell))]
    sample = [*dict.fromkeys(texts)][:_SAMPLE]
    if not sample:
        return None
    matches = [_CLOCK.fullmatch(text) for text in sample]
    if all(match is not None and (match["colon"] or match["half"]) for match in matches):
        match = matches[0]
        assert match is not None  # noqa: S101 - all of them fit
        pattern = _clock_format(match)
        same = all(m is not None and _clock_format(m) == pattern for m in matches)
        return pattern if same and _fits_clock(pattern, sample) else None
    if len({len(text) for text in sample}) == 1 and all(map(_COMPACT_CLOCK.fullmatch, sample)):
        pattern = "%H%M" if len(sample[0]) == len("0030") else "%H%M%S"
        if len(sample) > 1 and _fits_clock(pattern, sample):
            return pattern
    return None


def is_offset(cells: Sequence[Any]) -> bool:
    """Whether each cell is an offset from UTC, such as +02:00."""
    texts = {text_of(cell) for cell in cells}
    return bool(texts) and all(re.fullmatch(r"[+-]\d\d:?\d\d|Z", text) for text in texts)


def step_of(times: Iterable[datetime | None]) -> timedelta | None:
    """The most usual distance of neighbouring times; None for less than two."""
    ordered = sorted({ts for ts in times if ts is not None})
    counts: dict[timedelta, int] = {}
    for before, after in itertools.pairwise(ordered):
        counts[after - before] = counts.get(after - before, 0) + 1
    return max(counts, key=lambda step: (counts[step], -step), default=None)


def granularity_of(times: Iterable[datetime | None]) -> str | None:
    """How long intervals are, by the distances of times, as `granularity` says it."""
    ordered = sorted({ts for ts in times if ts is not None})
    step = step_of(ordered)
    if step is None:
        return None
    days = step / DAY
    gaps = {after - before for before, after in itertools.pairwise(ordered)}
    on_one_day = len({ts.day for ts in ordered}) == 1 or all((ts + DAY).day == 1 for ts in ordered)
    if days >= 28 and on_one_day:  # noqa: PLR2004 - the shortest month
        months = round(min(gaps) / DAY / 30.44)
        return {1: "1 month", 3: "3 months", 6: "6 months", 12: "1 year"}.get(
            months, f"{months} months" if months % 12 else f"{months // 12} years"
        )
    from dataportal.times import format_duration

    return format_duration(step)


def _guess_by_type(cells: Sequence[Any]) -> TimeGuess | None:
    times: list[datetime | None] = []
    strays = set()
    for cell in cells:
        if isinstance(cell, date):
            read = TimeFormat().read(cell)
            times.append(read if isinstance(read, datetime) else None)
        else:
            times.append(None)
            if not is_nothing(text := text_of(cell)):
                strays.add(text)
    known = [ts for ts in times if ts is not None]
    if len(known) < (1 - _STRAYS) * len([c for c in cells if c not in (None, "")]):
        return None
    is_day = all(ts.hour == ts.minute == ts.second == 0 for ts in known)
    return TimeGuess("", times, frozenset(strays), is_day)


def _sample(texts: Sequence[str]) -> list[str]:
    """Different texts of the column: of its beginning, and of all of it."""
    known = [*dict.fromkeys(text for text in texts if not is_nothing(text))]
    if len(known) <= _SAMPLE:
        return known
    stride = len(known) // _SAMPLE
    return known[: _SAMPLE // 2] + known[:: stride or 1][: _SAMPLE // 2]


def _of_digits(cells: Sequence[Any], texts: Sequence[str], *, named_so: bool) -> TimeGuess | None:  # noqa: C901, PLR0912 - a branch for each way
    """Numbers: a year, a compact date, seconds or milliseconds."""
    known = [text.partition(".")[0] for text in texts if not is_nothing(text)]
    lengths = {len(text) for text in known}
    if not known or any(not text.isdecimal() for text in known):
        # a remark at the end must not hide a column of years or dates
        known = [text for text in known if text.isdecimal()]
        lengths = {len(text) for text in known}
    candidates: list[str] = []
    if lengths == {4}:
        candidates = ["period"]
    elif lengths == {6}:
        candidates = ["%Y%m"]
    elif lengths == {8}:
        candidates = ["%Y%m%d", "%d%m%Y"]
    elif lengths == {10}:
        candidates = ["%Y%m%d%H", "unix"]
    elif lengths == {12}:
        candidates = ["%Y%m%d%H%M", "unix_ms"]
    elif lengths == {13}:
        candidates = ["unix_ms"]
    elif lengths == {14}:
        candidates = ["%Y%m%d%H%M%S"]
    elif lengths <= {9, 10}:
        candidates = ["unix"]
    elif lengths <= {12, 13}:
        candidates = ["unix_ms"]
    elif lengths <= {15, 16}:
        candidates = ["unix_us"]
    elif lengths <= {18, 19}:
        candidates = ["unix_ns"]
    for pattern in candidates:
        guess = _read(cells, texts, pattern)
        if guess is None or not guess.distinct:
            continue
        is_sure = pattern.startswith("%Y%m%d") or named_so
        if is_sure or _rises_evenly(guess.times):
            return guess
    return None


def _rises_evenly(times: Sequence[datetime | None]) -> bool:
    """Whether the times are those of an axis: few distances, and no value that wanders."""
    known = [ts for ts in times if ts is not None]
    distinct = sorted(set(known))
    if len(distinct) < 3:  # noqa: PLR2004 - two make no step
        return False
    gaps = [after - before for before, after in itertools.pairwise(distinct)]
    usual = max(set(gaps), key=gaps.count)
    turns = sum(
        (after - before).total_seconds() * (ahead - after).total_seconds() < 0
        for before, after, ahead in zip(known, known[1:], known[2:], strict=False)
    )
    return gaps.count(usual) >= 0.7 * len(gaps) and turns <= 0.2 * len(known) + 1


def _formats(sample: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Formats that the sample may be written in, the likeliest first: format, zone, note."""
    ordinary = _most_usual_shape(sample)
    if ordinary.startswith("/Date("):
        yield "unix_ms", "", ""
        return
    if _PERIOD.fullmatch(ordinary):
        yield "period", "", ""
    if _ISO.fullmatch(ordinary):
        yield "", "", ""
    if _YEAR.fullmatch(ordinary):
        yield "period", "", ""
    weekday = _WEEKDAY.match(ordinary)
    head = ""
    if weekday:
        name = weekday[0].strip(" ,")
        head = ("%a" if len(name) == 3 else "%A") + weekday[0][len(name) :]  # noqa: PLR2004
    rest = ordinary[weekday.end() :] if weekday else ordinary
    for shape, patterns in _DATES:
        match = shape.match(rest)
        if match is None:
            continue
        behind = rest[match.end() :]
        separator = match[1] if match.groups() else ""
        for end, zone in _ends(behind):
            for pattern in patterns:
                yield head + pattern.format(separator) + end, zone, ""


def _most_usual_shape(sample: Sequence[str]) -> str:
    """A text of the shape that most have."""
    shapes: dict[str, list[str]] = {}
    for text in sample:
        shape = re.sub("[A-Za-z]+", "a", re.sub(r"\d+", "9", text))
        shapes.setdefault(shape, []).append(text)
    # a remark may come as often as the only time of a short table
    return max(shapes.values(), key=lambda own: (any(c.isdigit() for c in own[0]), len(own)))[0]


def _ends(text: str) -> Iterator[tuple[str, str]]:
    """What a format may say of what stands behind a date, and the zone that it names."""
    if not text:
        yield "", ""
        return
    for separator in (" - ", ", ", " ", "T", ":", "-", "_", ""):
        if not text.startswith(separator):
            continue
        rest = text[len(separator) :]
        clock = _CLOCK.match(rest)
        clocks = [] if clock is None else [(_clock_format(clock), rest[clock.end() :])]
        if compact := re.match(r"\d{4}(?:\d\d)?(?!\d)", rest):
            pattern = "%H%M" if len(compact[0]) == 4 else "%H%M%S"  # noqa: PLR2004
            clocks.insert(0, (pattern, rest[compact.end() :]))
        for pattern, tail in clocks:
            if not tail:
                yield separator + pattern, ""
            elif offset := _OFFSET.fullmatch(tail):
                blank = " " if offset[0][0].isspace() else ""
                yield f"{separator}{pattern}{blank}%z", ""
            elif _TAIL.fullmatch(tail):
                yield separator + pattern + tail, _ZONES_OF_TAILS.get(tail.strip(" ()"), "")
        break
    if _OFFSET.fullmatch(text):
        yield "%z", ""


def _clock_format(match: re.Match[str]) -> str:
    """As strptime reads a time of day."""
    hour = "%I" if match["half"] else "%H"
    parts = hour
    if match["colon"]:
        parts += f"{match['colon']}%M"
    if match["second"]:
        parts += ":%S"
    if match["part"]:
        parts += f"{match['part'][0]}%f"
    return parts + (f"{match['blank']}%p" if match["half"] else "")


def _fits_clock(pattern: str, sample: Sequence[str]) -> bool:
    time_format = TimeFormat(f"%Y-%m-%d {pattern}")
    return all(not isinstance(time_format.read(f"2024-01-05 {text}"), str) for text in sample)


def _read(
    cells: Sequence[Any], texts: Sequence[str], pattern: str, *, zone: str = "", note: str = ""
) -> TimeGuess | None:
    """The cells in a format; None where too many are no times in it."""
    try:
        time_format = TimeFormat(pattern)
    except ValueError:
        return None
    memo: dict[str, datetime | None] = {}
    times: list[datetime | None] = []
    strays: set[str] = set()
    bad = known = 0
    for cell, text in zip(cells, texts, strict=True):
        if is_nothing(text):
            times.append(None)
            continue
        if text not in memo:
            raw: object = text if isinstance(cell, str) or pattern in {"period", ""} else cell
            read = time_format.read(raw)
            is_time = isinstance(read, datetime) and FIRST_YEAR < read.year < LAST_YEAR
            memo[text] = read if isinstance(read, datetime) and is_time else None
        ts = memo[text]
        times.append(ts)
        if ts is None:
            bad += 1
            strays.add(text)
        else:
            known += 1
    if not known or bad > _STRAYS * (known + bad):
        return None
    if len({ts.tzinfo is None for ts in times if ts is not None}) > 1:
        return None
    whole = [text for text, ts in zip(texts, times, strict=True) if ts is not None]
    is_day = _names_days(pattern, whole)
    return TimeGuess(pattern, times, frozenset(strays), is_day, zone, note)


def _names_days(pattern: str, texts: Sequence[str]) -> bool:
    if pattern == "":
        return all(len(text) == len("2024-06-03") for text in texts) or all(
            re.fullmatch(r"\d{4}-\d\d-\d\d[T ]00:00(:00(\.0+)?)?", text) for text in texts
        )
    return "%" in pattern and "%d" in pattern and "%H" not in pattern and "%I" not in pattern


def _with_other_order(guess: TimeGuess, cells: Sequence[Any]) -> TimeGuess:
    """Of day and month the order in which the times follow each other more evenly."""
    other = in_other_order(guess, cells)
    if other is None or len(other.strays) > len(guess.strays):
        return guess
    spans = []
    for reading in (guess, other):
        known = [ts for ts in reading.times if ts is not None]
        gaps = {abs(b - a) for a, b in itertools.pairwise(known)} or {timedelta()}
        spans.append((len(gaps), max(known) - min(known)))
    if spans[0] == spans[1]:
        note = f"or {other.pattern}: nothing in this answer tells day and month apart"
        return TimeGuess(guess.pattern, guess.times, guess.strays, guess.is_day, guess.zone, note)
    return guess if spans[0] < spans[1] else other


def in_other_order(guess: TimeGuess, cells: Sequence[Any]) -> TimeGuess | None:
    """The same with day and month the other way round; None where that cannot be."""
    match = re.search(r"%d(.)%m|%m(.)%d", guess.pattern)
    if match is None:
        return None
    separator = match[1] or match[2]
    day_first, month_first = f"%d{separator}%m", f"%m{separator}%d"
    old, new = (day_first, month_first) if day_first in guess.pattern else (month_first, day_first)
    texts = [text_of(cell) for cell in cells]
    return _read(cells, texts, guess.pattern.replace(old, new), zone=guess.zone)
