"""`dataportal history`: what is known about a series, and what was known when."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from dataportal.cli.database import open_to_read
from dataportal.cli.times import option_day, option_instant, option_window
from dataportal.errors import ExitCode, UsageError
from dataportal.local_times import end_of_day
from dataportal.render.console import say, show
from dataportal.render.history import Format, history_renderer
from dataportal.times import iso, time_zone, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from dataportal.cli.options import Invocation
    from dataportal.render.history import HistoryRenderer
    from dataportal.settings import Settings
    from dataportal.store.read.history import Observation, StoredSeries

EXAMPLES = (
    "dataportal history smard-1223-de-hour",
    "dataportal history smard-1223-de-hour --as-of 2025-03-03T06:00",
    "dataportal history smard-1223-de-hour --ts 2025-03-01T12:00Z",
    "dataportal history smard-1223-de-hour --diff 2025-03-01 now",
    "dataportal history smard-1223-de-hour --start 7d --format csv > week.csv",
)
_REVISIONS = 10
Row = TypeVar("Row")
Series = TypeVar("Series", bound="StoredSeries")


class By(StrEnum):
    """Whose times `--as-of` goes by."""

    KNOWN = "known"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a series; at most one of `ts`, `as_of` and `diff`.

    Attributes:
        ts: every version of the observation at this time.
        as_of: the observations as known at this time.
        by: whose times `as_of` goes by.
        diff: what changed between these two times.
        start: the first ts.
        end: the ts before which to end.
        limit: how many of the newest rows; None for all.
    """

    ts: datetime | None
    as_of: datetime | None
    by: By
    diff: tuple[datetime, datetime] | None
    start: datetime | None
    end: datetime | None
    limit: int | None


def command(
    ctx: typer.Context,
    *,
    series: Annotated[str, typer.Argument(metavar="SERIES", help="Its endpoint_prefix.")],
    ts: Annotated[
        str | None,
        typer.Option("--ts", metavar="T", help="Every version of the observation at T."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="K", help="The series as known at K.")
    ] = None,
    by: Annotated[
        By,
        typer.Option(
            "--by",
            help="With --as-of: what was known here, or what the provider had published, where it "
            "says when.",
        ),
    ] = By.KNOWN,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option("--diff", metavar="K1 K2", help="What changed from K1 to K2."),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--start", metavar="T", help="Observations from T on.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--end", metavar="T", help="Observations before T.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="The newest N rows only.")
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="csv and json give times in UTC.")
    ] = Format.TABLE,
) -> ExitCode:
    """What is known about a series, and what was known when.

    Without an option: a summary and the latest revisions. With --start, --end or --format csv: the
    observations as known now. Times are ISO 8601, or "7d" for seven days ago, or "now"; without an
    offset they are read in SCHEDULER_TIMEZONE (UTC).

    An answer as of K is final once a run has finished after K: it never changes again. Before that
    it is provisional, which a note on stderr and "final": false say.
    """
    invocation: Invocation = ctx.obj
    invocation.json = invocation.json or output_format is Format.JSON
    settings = invocation.settings()
    now = utc_now()
    if sum(option is not None for option in (ts, as_of, diff)) > 1:
        raise UsageError("--ts, --as-of and --diff exclude each other")
    if ts is not None and (start, end) != (None, None):
        raise UsageError("--ts names one observation: leave --start and --end out")
    if by is By.PUBLISHED and as_of is None:
        raise UsageError("--by published goes with --as-of")
    question = Question(
        option_instant("--ts", ts, settings, now=now),
        option_instant("--as-of", as_of, settings, now=now),
        by,
        _diff_instants(diff, settings, now),
        *option_window(start, end, settings, now=now),
        limit,
    )
    from dataportal.store.read.history import find_series, series_summary

    with open_to_read(settings, "history") as connection:
        renderer = history_renderer(
            Format.JSON if invocation.json else output_format,
            stored_series=lambda: _find(find_series, connection, series),
            series_summary=lambda: _find(series_summary, connection, series),
            zone=settings.zone,
            now=now,
        )
        if by is By.PUBLISHED and (day := option_day(as_of)) is not None:
            # publications of a day are out by its end, in the zone of who published them
            name = renderer.series.ts_timezone
            zone = settings.zone if name is None else time_zone(name)
            question = replace(question, as_of=end_of_day(day, zone))
        _show_answer(connection, question, renderer)
    return ExitCode.DONE


def _show_answer(
    connection: "psycopg.Connection", question: Question, renderer: "HistoryRenderer"
) -> None:
    """Ask the store what the question asks, and show what the renderer makes of it."""
    from dataportal.store.read import history

    series, q = renderer.series, question
    series_id = series.series_id
    if q.ts is not None:
        versions = history.versions(connection, series_id, q.ts)
        show(renderer.versions(_newest(versions, q.limit), q.ts))
    elif q.diff is not None:
        first, second = q.diff
        final = _is_final(series, second)
        changes = history.differences(
            connection, series_id, first, second, start=q.start, end=q.end
        )
        show(renderer.changes(_newest(changes, q.limit), q.diff, final=final))
    elif q.as_of is not None and q.by is By.PUBLISHED:
        if (unpublished := history.publication_gap(connection, series_id, q.as_of)) is not None:
            say(_explain_unpublished(unpublished.until))
        publications = history.publications(
            connection, series_id, at=q.as_of, start=q.start, end=q.end
        )
        show(renderer.publications(_newest(publications, q.limit), q.as_of))
    elif q.as_of is not None or q.start or q.end or renderer.observations_by_default:
        final = q.as_of is not None and _is_final(series, q.as_of)
        if q.as_of is not None and (
            since := history.first_knowledge_time(connection, series_id, q.as_of)
        ):
            say(f"nothing was known of the series before {iso(since)}")
        observations = history.observations(
            connection, series_id, at=q.as_of, start=q.start, end=q.end
        )
        show(renderer.observations(_newest(observations, q.limit), q.as_of, final=final))
    else:
        revisions = history.latest_revisions(connection, series_id, limit=q.limit or _REVISIONS)
        show(renderer.summary(revisions, lambda count: _last_values(connection, series, count)))


def _diff_instants(
    texts: tuple[str, str] | None, settings: "Settings", now: datetime
) -> tuple[datetime, datetime] | None:
    if texts is None:
        return None
    first, second = (option_instant("--diff", text, settings, now=now) for text in texts)
    if first is None or second is None or first > second:
        raise UsageError(
            f"--diff {texts[0]} {texts[1]}: the first lies after the second; swap them"
        )
    return first, second


def _find(
    query: "Callable[[psycopg.Connection, str], Series | None]",
    connection: "psycopg.Connection",
    name: str,
) -> "Series":
    from dataportal.store.read.history import series_names
    from dataportal.store.read.selection import unknown_series

    series = query(connection, name)
    if series is None:
        raise unknown_series(name, series_names(connection))
    return series


def _newest(rows: Iterable[Row], limit: int | None) -> Iterable[Row]:
    """The last rows, at most `limit`, without holding more of them."""
    return rows if limit is None else deque(rows, maxlen=limit)


def _explain_unpublished(first_published: datetime | None) -> str:
    if first_published is not None:
        return f"nothing of the series was published before {iso(first_published)}"
    return "the provider does not say when it published the series; leave --by published out"


def _is_final(series: "StoredSeries", at: datetime) -> bool:
    """Whether the answer as of `at` is final; tells the user where it is not."""
    if series.is_final(at):
        return True
    known_through = series.known_through
    until = f"is final up to {iso(known_through)}" if known_through else "is not final yet"
    say(f"this answer is provisional: what is known of the series {until}")
    return False


def _last_values(
    connection: "psycopg.Connection", series: "StoredSeries", count: int
) -> "Iterator[Observation]":
    """The newest observations, at most `count`, read from not much further back."""
    from dataportal.store.read.history import SeriesSummary, observations

    start = None
    if isinstance(series, SeriesSummary) and series.observations > count:
        first, last = series.first_ts, series.last_ts
        if first is not None and last is not None:
            # twice as far back as evenly spaced observations would need
            start = last - (last - first) / series.observations * count * 2
    yield from deque(observations(connection, series.series_id, start=start), maxlen=count)
