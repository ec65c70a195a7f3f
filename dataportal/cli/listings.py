"""Puts the sources of the file beside what the database has of them."""

from typing import TYPE_CHECKING

from dataportal.cli.selection import broken_by_pattern, matches_any
from dataportal.health import broken_entry, gone_source, judge, unknown_state
from dataportal.render.list_sources import Listing, SourcesView

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, tzinfo

    from dataportal.config import Configuration, Source
    from dataportal.store.read.overview import SourceRow


def sources_view(
    configuration: "Configuration",
    sources: "Sequence[Source]",
    only: "Sequence[str]",
    rows: "Mapping[str, SourceRow] | None",
    now: "datetime",
    zone: "tzinfo",
) -> SourcesView:
    """All sources with their verdicts: of the file, broken ones, and those that only are stored.

    Args:
        configuration: the content of the file.
        sources: those of it that were selected.
        only: the patterns by which they were.
        rows: what the database has of each, by its name; None where it cannot be asked.
        now: the present.
        zone: the time zone in which times are shown.
    """
    known = rows or {}
    named = {source.name for source in configuration.sources} | set(configuration.broken)
    named |= {source.renamed_from for source in configuration.sources if source.renamed_from}
    return SourcesView(
        [
            Listing(
                source,
                known.get(source.name),
                unknown_state(source)
                if rows is None
                else judge(source, known.get(source.name), now),
            )
            for source in sources
        ],
        {
            name: broken_entry(name, [str(problem) for problem in problems])
            for name, problems in broken_by_pattern(configuration, only).items()
        },
        now,
        zone,
        gone=[
            (gone_source(row), row)
            for name, row in known.items()
            if row.series and name not in named and matches_any(name, only)
        ],
    )
