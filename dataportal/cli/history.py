"""`dataportal history`: what is known about series, and what was known when."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.atomic_files import check_replaceable
from dataportal.cli.answer_options import (
    FormatOption,
    FromOption,
    OutputOption,
    RecordedOption,
    UntilOption,
    choose_format,
)
from dataportal.cli.database import open_to_read
from dataportal.cli.history_answers import Question, answer, answers
from dataportal.cli.stored_series import SeriesArgument, WhereOption, parse_selection
from dataportal.cli.times import By, option_day, option_instant, option_window
from dataportal.errors import ExitCode, UsageError
from dataportal.render.console import show
from dataportal.render.pager import show_paged
from dataportal.render.table_formats import AnswerFormat
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import psycopg

    from dataportal.cli.options import Invocation
    from dataportal.settings import Settings
    from dataportal.store.read.history import StoredSeries

_DRAWN = (None, "--as-of", "--diff")
_TABLES = (None, "--as-of", "--versions")
_ASSUMED = ("--as-of", "--versions")
_UNLIMITED = {
    "--versions": "several for each observation: choose with --start and --end",
    "--revisions-by": "one for each age",
    "--availability": "one for each quantile",
}
EXAMPLES = (
    "dataportal history smard-1223-de-hour",
    "dataportal history smard-1223-de-hour --as-of 2025-03-03T06:00",
    "dataportal history smard-1223-de-hour --ts 2025-03-01T12:00Z",
    "dataportal history smard-1223-de-hour --diff 2025-03-01 now",
    "dataportal history smard-1223-de-hour --start 7d --format csv > week.csv",
    "dataportal history smard-1223-de-hour --diff 1d now --start 2d --plot",
    "dataportal history 'smard-*' --where unit=MW --revisions-by age",
    "dataportal history smard-1223-de-hour --availability",
    "dataportal history 'smard-*' --versions --format parquet -o versions",
)


class RevisionsBy(StrEnum):
    """What revisions are told apart by."""

    AGE = "age"


def command(
    ctx: typer.Context,
    *,
    series: SeriesArgument = None,
    where: WhereOption = None,
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
            help="With every other question: what was known here, or what the provider had "
            "published, where it says when.",
        ),
    ] = By.KNOWN,
    recorded: RecordedOption = None,
    versions: Annotated[
        bool,
        typer.Option(
            "--versions",
            help="Every version of every observation, with the times from and to which it was "
            "known; with --by published every publication.",
        ),
    ] = False,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option("--diff", metavar="K1 K2", help="What changed from K1 to K2."),
    ] = None,
    matrix: Annotated[
        bool,
        typer.Option("--matrix", help="All vintages: each observation at each time of a change."),
    ] = False,
    issues: Annotated[
        bool, typer.Option("--issues", help="The runs of a forecast: when, from when to when.")
    ] = False,
    revisions_by: Annotated[
        RevisionsBy | None,
        typer.Option(
            "--revisions-by",
            help="How much values are revised, by their age then: count, bias, mean and largest "
            "change.",
        ),
    ] = None,
    availability: Annotated[
        bool,
        typer.Option(
            "--availability",
            help="How long after their ts values came; what was back-filled is left out.",
        ),
    ] = False,
    assume: Annotated[
        bool,
        typer.Option(
            "--assume",
            help="With --as-of or --versions: let what was back-filled count as known when values "
            "of its series usually are: its availability.",
        ),
    ] = False,
    plot: Annotated[
        bool,
        typer.Option(
            "--plot", help="Draw the values; with --as-of as known then, with --diff at both times."
        ),
    ] = False,
    start: FromOption = None,
    end: UntilOption = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="The newest N rows of each series only."),
    ] = None,
    count: Annotated[
        bool,
        typer.Option(
            "--count", help="Count and look at everything, also beyond 100,000: takes its time."
        ),
    ] = False,
    output_format: FormatOption = None,
    output: OutputOption = None,
) -> ExitCode:
    """What is known about a series, and what was known when.

    Without an option: a summary and the latest revisions. With --start, --end or --format csv: the
    observations as known now. Times are ISO 8601, or "7d" for seven days ago, or "now"; without an
    offset they are read in SCHEDULER_TIMEZONE (UTC).

    An answer as of K is final once a run has finished after K: it never changes again. Before that
    it is provisional, which a note on stderr and "final": false say.
    """
    invocation: Invocation = ctx.obj
    form = choose_format(invocation, output_format, output)
    settings = invocation.settings()
    now = utc_now()
    published = by is By.PUBLISHED
    asked = {
        "--ts": ts is not None,
        "--as-of": as_of is not None,
        "--versions": versions,
        "--diff": diff is not None,
        "--matrix": matrix,
        "--issues": issues,
        "--revisions-by": revisions_by is not None,
        "--availability": availability,
    }
    wanted = _one_question(asked)
    _check_together(
        wanted,
        questions=list(asked),
        form=form,
        plot=plot,
        assume=assume,
        published=published,
        is_cut=recorded is not None,
        has_window=(start, end) != (None, None),
        limit=limit,
    )
    names, conditions = parse_selection(series, where)
    if not (names or conditions):
        raise UsageError("name a series, or say --where", hint="See: dataportal list-series")
    first, last = option_window(start, end, settings, now=now)
    question = Question(
        ts=option_instant("--ts", ts, settings, now=now),
        as_of=option_instant("--as-of", as_of, settings, now=now),
        versions=versions,
        diff=_diff_instants(diff, settings, now),
        days=tuple(map(option_day, diff or (as_of,))) if published else (),
        matrix=matrix,
        issues=issues,
        revisions_by_age=revisions_by is RevisionsBy.AGE,
        availability=availability,
        assume=assume,
        plot=plot,
        by_publication=published,
        recorded=option_instant("--recorded", recorded, settings, now=now),
        start=first,
        end=last,
        limit=limit,
        count_all=count,
        output_format=form,
        zone=settings.zone,
        now=now,
    )
    from dataportal.store.read.selection import select_series

    output = _check_output(output, form, wanted)
    with open_to_read(settings, "history") as connection:
        selected = select_series(connection, names, conditions)
        if not selected:
            raise UsageError("no series is stored yet", hint="See: dataportal help own-source")
        is_named = series == [s.endpoint_prefix for s in selected[:1]] and not conditions
        _write(connection, question, selected, output, is_list=not is_named)
    return ExitCode.DONE


def _check_together(
    wanted: str | None,
    *,
    questions: "Sequence[str]",
    form: AnswerFormat,
    plot: bool,
    assume: bool,
    published: bool,
    is_cut: bool,
    has_window: bool,
    limit: int | None,
) -> None:
    """Look whether the options go together with the question.

    Raises:
        UsageError: some do not.
    """
    if plot and (wanted not in _DRAWN or form is not AnswerFormat.TABLE):
        raise UsageError(
            "--plot draws for people: leave --json and --format out"
            if wanted in _DRAWN
            else f"--plot draws values, and {wanted} asks for none"
        )
    if limit is not None and wanted in _UNLIMITED:
        raise UsageError(f"--limit counts rows, and {wanted} has {_UNLIMITED[wanted]}")
    if assume and (wanted not in _ASSUMED or plot):
        raise UsageError(
            f"--assume goes with {' or '.join(_ASSUMED)}, and without --plot",
            hint="A lead or a cutoff asks for it with: dataportal read",
        )
    if assume and published and wanted == "--versions":
        raise UsageError("--versions --by published has the provider's times: leave --assume out")
    if wanted == "--ts" and has_window:
        raise UsageError("--ts names one observation: leave --start and --end out")
    if published and wanted is None:
        raise UsageError(f"--by published goes with {', '.join(questions)}")
    if is_cut and not published:
        raise UsageError(
            "--recorded goes with --by published",
            hint="What was known here by a time is what --as-of asks for",
        )


def _check_output(output: Path | None, form: AnswerFormat, wanted: str | None) -> Path | None:
    """Where the answer goes, before the work that is for it.

    Raises:
        UsageError: the question has no answer in columns, or needs a file and none is named.
        FileError: the file cannot be written.
        MissingExtraError: the extra for such files is not installed.
    """
    table_format = form.table_format
    if table_format is not None:
        from dataportal.cli.table_output import check_table_output

        if wanted not in _TABLES:
            raise UsageError(
                f"--format {form} goes with {' or '.join(_ASSUMED)}, or with the values now",
                hint="Ask for csv or json",
            )
        return check_table_output(output, table_format)
    if output is not None:
        check_replaceable(output)
    return output


def _one_question(asked: "Mapping[str, bool]") -> str | None:
    """The option that asks the question; None for none.

    Raises:
        UsageError: there are several.
    """
    wanted = [option for option, is_asked in asked.items() if is_asked]
    if len(wanted) > 1:
        raise UsageError(f"{' and '.join(wanted)} exclude each other: ask one question at a time")
    return wanted[0] if wanted else None


def _write(
    connection: "psycopg.Connection",
    question: Question,
    selected: "Sequence[StoredSeries]",
    output: Path | None,
    *,
    is_list: bool,
) -> None:
    """Write the answers; a single series gets a document of its own, unless a list was asked for.

    Raises:
        UsageError: the answers cannot be written as one file.
        FileError: the file cannot be written.
    """
    table_format = question.output_format.table_format
    if table_format is not None and output is not None:
        from dataportal.cli.history_tables import write_history

        write_history(connection, question, selected, output, table_format)
        return
    if question.matrix and question.output_format is AnswerFormat.CSV and len(selected) > 1:
        raise UsageError(
            "matrices of several series have different columns: one at a time with --format csv"
        )
    if is_list:
        lines = answers(connection, question, selected)
    else:
        lines = answer(connection, question, selected[0])
    if output is None:
        (show if question.output_format is AnswerFormat.JSON else show_paged)(lines)
        return
    from dataportal.render.output_file import write_lines

    write_lines(output, lines)


def _diff_instants(
    texts: tuple[str, str] | None, settings: "Settings", now: "datetime"
) -> "tuple[datetime, datetime] | None":
    if texts is None:
        return None
    first, second = (option_instant("--diff", text, settings, now=now) for text in texts)
    if first is None or second is None or first > second:
        raise UsageError(
            f"--diff {texts[0]} {texts[1]}: the first lies after the second; swap them"
        )
    return first, second
