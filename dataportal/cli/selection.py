"""Which sources a command is about."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dataportal.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from dataportal.config import Configuration, Source
    from dataportal.errors import Problem


def suggestion(name: str, known: Iterable[str], otherwise: str) -> str:
    """`Did you mean …?` with the names that resemble it, or what else helps."""
    from difflib import get_close_matches

    names = list(dict.fromkeys(known))
    close = get_close_matches(name, names) or [n for n in names if name and name in n][:3]
    if not close:
        return otherwise
    return f"Did you mean {' or '.join(repr(n) for n in close)}?"


def named(
    configuration: "Configuration", names: Sequence[str]
) -> "tuple[list[Source], dict[str, Sequence[Problem]]]":
    """The sources of these names, each once, and those that are broken, with their problems.

    The name of a series stands for its source.

    Raises:
        ConfigurationError: none of them can be used, or one requires a variable that is not set.
        UsageError: there is no such source.
    """
    sources = {source.name: source for source in configuration.sources}
    of_series = {
        s.endpoint_prefix: source for source in configuration.sources for s in source.series
    }
    chosen: dict[str, Source] = {}
    broken: dict[str, Sequence[Problem]] = {}
    for name in names:
        if name in configuration.broken:
            broken[name] = configuration.broken[name]
            continue
        source = sources.get(name) or of_series.get(name)
        if source is None:
            raise UsageError(
                f"there is no source {name!r} in {configuration.path}",
                hint=suggestion(name, [*sources, *of_series], "See: dataportal list-sources"),
            )
        if source.missing_env:
            raise ConfigurationError(
                f"source {source.name!r} needs {', '.join(source.missing_env)}",
                hint="Set it in the environment, then run this again",
            )
        chosen[source.name] = source
    if broken and not chosen:
        raise ConfigurationError(
            f"{' and '.join(repr(name) for name in broken)} cannot be used",
            problems=[problem for problems in broken.values() for problem in problems],
        )
    return list(chosen.values()), broken


def matching(configuration: "Configuration", patterns: Sequence[str]) -> "list[Source]":
    """The sources whose name or one of whose tags matches a pattern; all without a pattern.

    Raises:
        UsageError: a pattern matches nothing, which is a slip of the pen rather than a wish.
    """
    if not patterns:
        return list(configuration.sources)
    matched = _matched(configuration, patterns)
    return [source for source in configuration.sources if source.name in matched]


def matching_broken(
    configuration: "Configuration", patterns: Sequence[str]
) -> "dict[str, Sequence[Problem]]":
    """The entries that cannot be used, with their problems, chosen as `matching` does."""
    if not patterns:
        return dict(configuration.broken)
    matched = _matched(configuration, patterns)
    return {name: found for name, found in configuration.broken.items() if name in matched}


def _matched(configuration: "Configuration", patterns: Sequence[str]) -> set[str]:
    from fnmatch import fnmatchcase

    words = {source.name: (source.name, *source.tags) for source in configuration.sources}
    words |= {name: (name,) for name in configuration.broken}
    matched: set[str] = set()
    for pattern in patterns:
        hits = {n for n, w in words.items() if any(fnmatchcase(word, pattern) for word in w)}
        if not hits:
            everything = {word for group in words.values() for word in group}
            raise UsageError(
                f"--only {pattern!r} matches no source and no tag in {configuration.path}",
                hint=suggestion(pattern, everything, "See: dataportal list-sources"),
            )
        matched |= hits
    return matched
