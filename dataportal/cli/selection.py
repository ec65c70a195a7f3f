"""Reads sources.yaml for a command, and selects the sources that the command is about."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.completion import complete_patterns, complete_states
from dataportal.errors import ConfigurationError, UsageError
from dataportal.render.console import say
from dataportal.suggestions import suggestion

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation
    from dataportal.config import Configuration, Source
    from dataportal.errors import Problem
    from dataportal.health import Condition
    from dataportal.settings import Settings

OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="GLOB",
        help="Sources whose name or tag matches; repeatable.",
        autocompletion=complete_patterns,
    ),
]
StateOption = Annotated[
    list[str] | None,
    typer.Option(
        "--state",
        metavar="STATE",
        help="Only sources in that state, such as failing or stale; repeatable.",
        autocompletion=complete_states,
    ),
]


def conditions(states: Sequence[str] | None) -> "frozenset[Condition]":
    """The conditions that `--state` names; all of them without it.

    Raises:
        UsageError: there is no such state.
    """
    from dataportal.health import Condition

    wanted = set()
    for state in states or Condition:
        try:
            # a shell takes it for two words otherwise
            wanted.add(Condition(state.replace("-", " ")))
        except ValueError:
            words = [str(condition) for condition in Condition]
            raise UsageError(
                f"--state {state!r}: there is no such state",
                hint=suggestion(state, words, f"The states: {', '.join(words)}"),
            ) from None
    return frozenset(wanted)


def select_by_state(
    sources: "Sequence[Source]", states: Sequence[str] | None, settings: "Settings"
) -> "list[Source]":
    """The sources that stand as `--state` says by now; all without it.

    Raises:
        UsageError: there is no such state.
        DatabaseError: the database is out of reach.
    """
    if not states:
        return list(sources)
    wanted = conditions(states)
    from dataportal.cli.database import source_rows
    from dataportal.health import judge
    from dataportal.times import utc_now

    rows, now = source_rows(settings, "fetch-all"), utc_now()
    return [
        source
        for source in sources
        if judge(source, rows.get(source.name), now).condition in wanted
    ]


def load_configuration(settings: "Settings", invocation: "Invocation") -> "Configuration":
    """The content of sources.yaml; its warnings are shown unless -q.

    Raises:
        ConfigurationError: nothing of it can be used; all problems are listed.
    """
    from dataportal.config import load

    configuration = load(settings.config_path, invocation.env)
    if not invocation.quiet:
        for warning in configuration.warnings:
            say(f"warning: {warning}")
    return configuration


def select_by_name(
    configuration: "Configuration", names: Sequence[str]
) -> "tuple[list[Source], dict[str, Sequence[Problem]]]":
    """The sources of these names, each once, and those that are broken, with their problems.

    The name of a series stands for its source. A glob or a tag stands for the sources that match,
    without those that are disabled or need a variable.

    Raises:
        ConfigurationError: none of them can be used, or one requires a variable that is not set.
        UsageError: there is no such source.
    """
    sources = {source.name: source for source in configuration.sources}
    by_series = {
        series.endpoint_prefix: source
        for source in configuration.sources
        for series in source.series
    }
    selected: dict[str, Source] = {}
    broken: dict[str, Sequence[Problem]] = {}
    for name in names:
        if name in configuration.broken:
            broken[name] = configuration.broken[name]
            continue
        source = sources.get(name) or by_series.get(name)
        if source is None and (matches := _glob_matches(configuration, name)):
            selected |= {s.name: s for s in matches if s.enabled and not s.missing_env}
            broken |= {n: p for n, p in configuration.broken.items() if matches_any(n, [name])}
            continue
        if source is None:
            raise UsageError(
                f"there is no source {name!r} in {configuration.path}",
                hint=suggestion(name, [*sources, *by_series], "See: dataportal list-sources"),
            )
        if source.missing_env:
            raise ConfigurationError(
                f"source {source.name!r} needs {', '.join(source.missing_env)}",
                hint="Set it in the environment, then run this again",
            )
        selected[source.name] = source
    if broken and not selected:
        raise ConfigurationError(
            f"{' and '.join(repr(name) for name in broken)} cannot be used",
            problems=[problem for problems in broken.values() for problem in problems],
        )
    return list(selected.values()), broken


def _glob_matches(configuration: "Configuration", pattern: str) -> "list[Source]":
    from fnmatch import fnmatchcase

    return [
        source
        for source in configuration.sources
        if any(fnmatchcase(word, pattern) for word in (source.name, *source.tags))
    ]


def select_by_pattern(configuration: "Configuration", patterns: Sequence[str]) -> "list[Source]":
    """The sources whose name or one of whose tags matches a pattern; all without a pattern.

    Raises:
        UsageError: a pattern matches nothing, which is a slip of the pen rather than a wish.
    """
    if not patterns:
        return list(configuration.sources)
    names = _matching_names(configuration, patterns)
    return [source for source in configuration.sources if source.name in names]


def broken_by_pattern(
    configuration: "Configuration", patterns: Sequence[str]
) -> "dict[str, Sequence[Problem]]":
    """The entries that cannot be used, with their problems, as `select_by_pattern` selects.

    Raises:
        UsageError: a pattern matches nothing.
    """
    if not patterns:
        return dict(configuration.broken)
    names = _matching_names(configuration, patterns)
    return {name: problems for name, problems in configuration.broken.items() if name in names}


def matches_any(name: str, patterns: Sequence[str]) -> bool:
    """Whether the name of a source matches one of the patterns, or there are none."""
    from fnmatch import fnmatchcase

    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _matching_names(configuration: "Configuration", patterns: Sequence[str]) -> set[str]:
    from fnmatch import fnmatchcase

    words = {source.name: (source.name, *source.tags) for source in configuration.sources}
    words |= {name: (name,) for name in configuration.broken}
    names: set[str] = set()
    for pattern in patterns:
        matches = {n for n, w in words.items() if any(fnmatchcase(word, pattern) for word in w)}
        if not matches:
            everything = {word for group in words.values() for word in group}
            raise UsageError(
                f"--only {pattern!r} matches no source and no tag in {configuration.path}",
                hint=suggestion(pattern, everything, "See: dataportal list-sources"),
            )
        names |= matches
    return names
