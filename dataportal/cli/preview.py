"""`dataportal preview`: asks a provider as a run would, stores nothing, shows what came."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.completion import complete_sources_or_series
from dataportal.cli.options import Invocation
from dataportal.cli.run_sources import EndOption, StartOption
from dataportal.cli.selection import load_configuration, select_by_name
from dataportal.cli.times import option_window
from dataportal.errors import ConfigurationError, DatabaseError, ExitCode, UsageError
from dataportal.render.console import foreign_output_on_stderr, say
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from dataportal.collect.preview import StoredAnswers
    from dataportal.config import Configuration
    from dataportal.observations import Batch
    from dataportal.settings import Settings

EXAMPLES = (
    "dataportal preview smard-1223-de-hour",
    "dataportal preview my-source --start 2025-10-25 --end 2025-10-28",
    "dataportal preview - < draft.yaml",
)


def command(
    ctx: typer.Context,
    *,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="Its name, or that of a series; - reads YAML from stdin.",
            autocompletion=complete_sources_or_series,
        ),
    ],
    start: StartOption = None,
    end: EndOption = None,
) -> ExitCode:
    """Ask a provider, store nothing, and show what came.

    It is asked as in a run. What is shown: the requests, the first and last points of each series,
    what was left out and why, and what looks wrong. Without --start it is asked as far back as a
    scheduled run asks; of a long range the first slice is fetched. No database is needed; where
    there is one, values are compared with it.
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    first, last = option_window(start, end, settings, now=utc_now())
    if last is not None and first is None:
        raise UsageError("--end needs --start")
    configuration, name = _configuration(settings, invocation, source)
    (selected, *others), _ = select_by_name(configuration, [name])
    if others:
        raise UsageError(f"{name!r} matches several sources", hint="Look at one of them at a time")
    from dataportal.collect.preview import preview
    from dataportal.render.preview import PreviewView
    from dataportal.render.view import show_view

    with foreign_output_on_stderr():
        result = asyncio.run(
            preview(
                selected,
                start=first,
                end=last,
                env=invocation.env,
                root=configuration.root,
                stored=_reader(settings),
                on_slow=say,
            )
        )
    show_view(PreviewView(result, settings.zone), json=invocation.json)
    return ExitCode.DONE if result.ok else ExitCode.INCOMPLETE


def _configuration(
    settings: "Settings", invocation: Invocation, source: str
) -> "tuple[Configuration, str]":
    """The sources, and the name of the one to look at."""
    if source != "-":
        return load_configuration(settings, invocation), source
    from dataportal.config import load

    configuration = load(Path("-"), invocation.env, text=sys.stdin.read())
    names = [entry.name for entry in configuration.sources] or [*configuration.broken]
    if len(names) != 1:
        raise UsageError(
            f"there are {len(names)} sources on stdin", hint="Look at one of them at a time"
        )
    return configuration, names[0]


def _reader(settings: "Settings") -> "Callable[[Batch], StoredAnswers]":
    """What reads what is stored of the series of an answer; nothing without a database."""
    from dataportal.collect.preview import StoredAnswers

    def read(batch: "Batch") -> "StoredAnswers":
        try:
            return _stored_answers(settings, batch)
        except (DatabaseError, ConfigurationError) as error:
            if settings.database_url is not None:
                say(f"nothing is compared with what is stored: {error}")
            return StoredAnswers()

    return read


def _stored_answers(settings: "Settings", batch: "Batch") -> "StoredAnswers":
    from dataportal.cli.database import database_exists, open_to_read
    from dataportal.collect.preview import StoredAnswers

    if not database_exists(settings):
        return StoredAnswers()
    from dataportal.store.read.history import find_series, observations

    values: dict[str, dict[datetime, float]] = {}
    units: dict[str, str] = {}
    with open_to_read(settings, "preview") as connection:
        for name, series in batch.series.items():
            stored = find_series(connection, name) if series.ts else None
            if stored is not None:
                rows = observations(connection, stored.series_id, start=series.ts[0])
                last = series.ts[-1]
                values[name] = {row.ts: row.value for row in rows if row.ts <= last}
                if stored.answer_unit is not None:
                    units[name] = stored.answer_unit
    return StoredAnswers(values, units)
