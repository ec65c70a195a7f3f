"""Which sources a command is about."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dataportal.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from dataportal.config import Configuration, Source


def suggestion(name: str, known: Iterable[str], otherwise: str) -> str:
    """`Did you mean …?` with the names that resemble it, or what else helps."""
    from difflib import get_close_matches

    names = list(known)
    close = get_close_matches(name, names) or [n for n in names if name and name in n][:3]
    if not close:
        return otherwise[:1].upper() + otherwise[1:]
    return f"Did you mean {' or '.join(repr(n) for n in close)}?"


def named(configuration: "Configuration", names: Sequence[str]) -> "list[Source]":
    """The sources of these names, each once; the name of a series stands for its source.

    Raises:
        ConfigurationError: the entry of one of them is broken, or requires a variable that is
            not set.
        UsageError: there is no such source.
    """
    sources = {source.name: source for source in configuration.sources}
    of_series = {
        s.endpoint_prefix: source for source in configuration.sources for s in source.series
    }
    chosen: dict[str, Source] = {}
    for name in names:
        if problems := configuration.broken.get(name):
            raise ConfigurationError(f"source {name!r} cannot be used", problems=problems)
        source = sources.get(name) or of_series.get(name)
        if source is None:
            raise UsageError(
                f"there is no source {name!r} in {configuration.path}",
                hint=suggestion(
                    name, [*sources, *of_series], "dataportal list-sources shows what there is"
                ),
            )
        if source.missing_env:
            raise ConfigurationError(
                f"source {source.name!r} needs {', '.join(source.missing_env)}",
                hint="Set it in the environment, then run this again",
            )
        chosen[source.name] = source
    return list(chosen.values())


def matching(configuration: "Configuration", patterns: Sequence[str]) -> "list[Source]":
    """The sources whose name or one of whose tags matches a pattern; all without a pattern.

    Raises:
        UsageError: a pattern matches nothing, which is a slip of the pen rather than a wish.
    """
    from fnmatch import fnmatchcase

    if not patterns:
        return list(configuration.sources)
    words = {source.name: (source.name, *source.tags) for source in configuration.sources}
    words |= {name: (name,) for name in configuration.broken}
    matched: set[str] = set()
    for pattern in patterns:
        hits = {n for n, w in words.items() if any(fnmatchcase(word, pattern) for word in w)}
        if not hits:
            everything = {word for group in words.values() for word in group}
            raise UsageError(
                f"--only {pattern!r} matches no source and no tag in {configuration.path}",
                hint=suggestion(pattern, everything, "dataportal list-sources shows what there is"),
            )
        matched |= hits
    return [source for source in configuration.sources if source.name in matched]
