"""Opens the database for a command that only reads: it is never made and never migrated."""

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from dataportal.errors import ConfigurationError
from dataportal.render.console import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    import psycopg

    from dataportal.config import Source
    from dataportal.settings import Settings
    from dataportal.store.read.overview import SourceRow


def database_exists(settings: "Settings") -> bool:
    """Whether there is a database to look into: a named one, or an embedded one made before.

    Raises:
        ConfigurationError: no database is named, and the extra `embedded` is missing, or -q wants
            one to be named.
    """
    if settings.for_reading().database_url is not None:
        return True
    settings.check_embedded()
    from dataportal.embedded.files import server_files

    return server_files(settings.embedded_home).is_made()


@contextmanager
def open_to_read(settings: "Settings", command: str) -> "Iterator[psycopg.Connection]":
    """A connection that only reads, to a schema that this program understands.

    Args:
        settings: which database.
        command: what the server shows as the name of the connection.

    Raises:
        ConfigurationError: there is no database yet.
        SchemaError: its schema does not fit; names the way out.
        DatabaseError: it is out of reach.
    """
    with open_existing(settings) as url:
        from dataportal.store.read.overview import open_reader

        with closing(open_reader(url, command=command)) as connection:
            yield connection


@contextmanager
def open_existing(settings: "Settings") -> "Iterator[str]":
    """The URL of a database that is there, and is open until the end.

    Raises:
        ConfigurationError: there is no database yet.
    """
    if not database_exists(settings):
        if settings.embedded_home is not None:
            raise ConfigurationError(
                f"there is no embedded database in {settings.embedded_home} yet",
                hint="Name the folder that was fetched into, or fetch something first: "
                "dataportal fetch-all",
            )
        raise ConfigurationError(
            "there is no database yet: DATABASE_URL is not set, and nothing was fetched "
            "into an embedded one",
            hint="Set DATABASE_URL, or fetch something first: dataportal fetch-all",
        )
    from dataportal.store import open_database

    with open_database(settings.for_reading(), say=say, create=False) as url:
        yield url


def source_rows(settings: "Settings", command: str) -> "Mapping[str, SourceRow]":
    """What the database has of every source, by its name; nothing where there is none yet.

    Raises:
        DatabaseError: it is out of reach.
    """
    if not database_exists(settings):
        return {}
    from dataportal.store.read.overview import overview

    with open_to_read(settings, command) as connection:
        return overview(connection)


def with_gaps(
    connection: "psycopg.Connection",
    rows: "Mapping[str, SourceRow]",
    sources: "Iterable[Source]",
    now: "datetime",
) -> "dict[str, SourceRow]":
    """The rows with the gaps that are unhealthy; only sources that mind them are looked at."""
    from dataclasses import replace

    from dataportal.health import gap_window

    windows = {
        source.name: window
        for source in sources
        if source.name in rows and (window := gap_window(source, now))
    }
    if not windows:
        return dict(rows)
    from dataportal.store.read.gaps import gaps_of_sources

    gaps = gaps_of_sources(connection, windows)
    return {n: replace(row, gaps=gaps[n]) if n in gaps else row for n, row in rows.items()}
