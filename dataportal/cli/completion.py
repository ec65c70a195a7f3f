"""What a shell may complete: names of sources, series, tags, states and pages.

Somebody waits with a finger on the key: whatever goes wrong is silent, nothing takes longer than
two seconds, and no server is started.
"""

import re
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation
    from dataportal.settings import Settings

_PATIENCE = 2.0
_HARMLESS = re.compile(r"[\w.:/@%+,=-]+")
_SHARED = ("config", "database_url")


def complete_patterns(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of sources of the file, and tags."""
    return _matches(incomplete, lambda: _names_of_file(ctx, sources=True, tags=True))


def complete_sources_or_series(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of sources of the file, of their series, and tags."""
    return _matches(incomplete, lambda: _names_of_file(ctx, sources=True, tags=True, series=True))


def complete_series(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of series of the database where one is named and answers, else of the file."""
    return _matches(incomplete, lambda: _names_of_database(ctx)) or _matches(
        incomplete, lambda: _names_of_file(ctx, series=True)
    )


def complete_states(incomplete: str) -> list[str]:
    """The states in which a source can be, each as one word."""

    def names() -> Iterable[str]:
        from dataportal.health import Condition

        return (str(condition).replace(" ", "-") for condition in Condition)

    return _matches(incomplete, names)


def complete_topics(incomplete: str) -> list[str]:
    """The pages of the manual."""

    def names() -> Iterable[str]:
        from dataportal.render.manual import topics

        return (topic.name for topic in topics())

    return _matches(incomplete, names)


def _matches(incomplete: str, names: Callable[[], Iterable[str]]) -> list[str]:
    """The names that begin so, in the order of the alphabet; none where they cannot be had in time.

    A name with a space or a sign that means something to a shell is left out.
    """
    answer: list[str] = []

    def work() -> None:
        try:
            answer.extend(n for n in names() if n.startswith(incomplete) and _HARMLESS.fullmatch(n))
        except Exception:  # noqa: BLE001 - a message would land in the line that is being typed
            answer.clear()

    # a name server or a database that does not answer is left behind
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return [] if thread.is_alive() else sorted(set(answer))


def _settings(ctx: typer.Context) -> "Settings":
    invocation: Invocation = ctx.obj
    # nothing was called that would have taken the options before the command
    root = ctx.find_root().params
    invocation.take({name: root.get(name) for name in _SHARED})
    return invocation.settings()


def _names_of_file(
    ctx: typer.Context, *, sources: bool = False, tags: bool = False, series: bool = False
) -> list[str]:
    from dataportal.config import load

    invocation: Invocation = ctx.obj
    names: list[str] = []
    for source in load(_settings(ctx).config_path, invocation.env).sources:
        if sources:
            names.append(source.name)
        if tags:
            names += source.tags
        if series:
            names += [definition.endpoint_prefix for definition in source.series]
    return names


def _names_of_database(ctx: typer.Context) -> list[str]:
    url = _settings(ctx).for_reading().database_url
    if url is None:
        return []
    from contextlib import closing

    from dataportal.store.read.history import series_names
    from dataportal.store.read.overview import open_reader

    with closing(open_reader(url, command="completion")) as connection:
        return list(series_names(connection))
