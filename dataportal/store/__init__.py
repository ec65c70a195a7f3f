"""PostgreSQL: connections, lock, migrations, merge, runs, history. Known only here."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dataportal.settings import Settings


@contextmanager
def open_database(
    settings: Settings, *, say: Callable[[str], None], create: bool = True
) -> Iterator[str]:
    """The URL of the database to use, for as long as the block lasts.

    Args:
        settings: names the database; or none, and then the embedded server is started.
        say: called with one line of text when an embedded database has been created.
        create: whether it may be created; never under -q.

    Raises:
        ConfigurationError: there is no DATABASE_URL, and no embedded server can be had; or it
            would be used under -q without having been named.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    settings.check_embedded()
    from dataportal.embedded.server import embedded_server

    with embedded_server(say=say, create=create, data_home=settings.embedded_home) as url:
        yield url
