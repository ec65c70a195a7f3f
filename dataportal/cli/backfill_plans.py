"""Plans backfills for `--plan` of `fetch` and `fetch-all`: new ones, and what is left of one."""

from typing import TYPE_CHECKING, NamedTuple

from dataportal.errors import UsageError
from dataportal.render.console import foreign_output_on_stderr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import psycopg

    from dataportal.cli.options import Invocation
    from dataportal.collect import RunRequest
    from dataportal.config import Configuration, Source
    from dataportal.render.runs import Plan, Standing
    from dataportal.settings import Settings
    from dataportal.store.backfills import SourcesBackfill


class BackfillRange(NamedTuple):
    """What of a source is still to be fetched.

    Attributes:
        source: the source.
        start: the first time; None where nothing is left.
        end: the time before which it ends; None for the newest there is.
        standing: how far it has come; None for a backfill that is new.
    """

    source: "Source"
    start: "datetime | None"
    end: "datetime | None"
    standing: "Standing | None" = None


def plan_backfills(
    configuration: "Configuration",
    ranges: "Sequence[BackfillRange]",
    invocation: "Invocation",
    *,
    now: "datetime",
) -> "list[Plan]":
    """The slices of each source, and the requests that they take."""
    from dataportal.collect import count_requests, plan_backfill
    from dataportal.config import build_plugin
    from dataportal.render.runs import Plan

    plans = []
    with foreign_output_on_stderr():
        for source, start, end, standing in ranges:
            if start is None:
                plans.append(Plan(source.name, (), (), standing=standing))
                continue
            built = build_plugin(source, env=invocation.env, root=configuration.root)
            _, slices = plan_backfill(source, start, end, limits=built.limits, now=now)
            plans.append(
                Plan(source.name, slices, *count_requests(built, slices), standing=standing)
            )
    return plans


def ranges_left(
    requests: "Sequence[RunRequest]", settings: "Settings", command: str, *, together: bool
) -> "tuple[list[BackfillRange], SourcesBackfill | None]":
    """What `--resume` would fetch of each source, and the backfill of several that it is part of.

    Args:
        requests: of the sources that may take part.
        settings: which database.
        command: what the server shows as the name of the connection.
        together: whether they may be parts of one backfill.

    Raises:
        UsageError: there is no backfill to resume.
        ConfigurationError: there is no database yet.
        DatabaseError: it is out of reach.
    """
    from dataportal.cli.database import open_to_read
    from dataportal.cli.run_sources import requests_left
    from dataportal.store.backfills import unfinished_backfill

    with open_to_read(settings, command) as connection:
        unfinished = unfinished_backfill(connection) if together else None
        left = requests_left(requests, unfinished) if together else requests
        is_part = any(request.backfill is not None for request in left)
        if unfinished is None or not is_part:
            return [*_ranges(connection, left, ())], None
        done = set(unfinished.done)
        finished = [request.source for request in requests if request.source.name in done]
        return [*_ranges(connection, left, finished)], unfinished


def _ranges(
    connection: "psycopg.Connection",
    left: "Sequence[RunRequest]",
    finished: "Sequence[Source]",
) -> "Iterator[BackfillRange]":
    from dataportal.render.runs import Standing
    from dataportal.store.runs import unfinished_backfill

    for source in finished:
        yield BackfillRange(source, None, None, Standing.DONE)
    for request in left:
        source = request.source
        if not request.resume:
            yield BackfillRange(source, request.start, request.end, Standing.NOT_BEGUN)
        else:
            backfill = unfinished_backfill(connection, source.name, request.backfill)
            if backfill is None:
                raise UsageError(
                    f"source {source.name!r} has no unfinished backfill to resume",
                    hint="Start one with --start and --end",
                )
            start = backfill.done_until or backfill.start
            yield BackfillRange(source, start, backfill.end, Standing.BEGUN)
