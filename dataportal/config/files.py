"""Loads sources.yaml, or refuses it with everything that is wrong with it."""

from __future__ import annotations

import gc
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataportal.config.entries import EntryReader
from dataportal.config.sources import Configuration
from dataportal.config.variables import remember_secrets_of
from dataportal.config.yaml_parser import read_document
from dataportal.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


def load(path: Path, env: Mapping[str, str], *, text: str | None = None) -> Configuration:
    """What sources.yaml says. An entry that cannot be used is left out, and reported.

    Args:
        path: the file.
        env: the environment; only asked which variables are set.
        text: what it holds; None reads it.

    Raises:
        ConfigurationError: the file cannot be read as a whole, or none of its entries can be used;
            `problems` lists everything found.
    """
    with _pause_gc():
        reader = EntryReader(read_document(path, text), env)
        sources = reader.sources()
    problems = reader.problems()
    if any(problem.source is None for problem in problems) or (problems and not sources):
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigurationError(f"{path} cannot be used: {count}", problems=problems)
    if not sources:
        raise ConfigurationError(
            f"{path} names no source",
            hint="Add an entry under timeseries: or request_groups:, as README shows, or include: "
            "one of the files that dataportal list-sources --catalogue shows",
        )
    remember_secrets_of(env, (name for source in sources for name in source.requires_env))
    files = [*(() if text is not None else (path,)), *reader.included_files()]
    warnings = [*(w for file in files for w in _warnings_about(file)), *reader.warnings]
    return Configuration(path, tuple(sources), tuple(problems), tuple(warnings))


@contextmanager
def _pause_gc() -> Iterator[None]:
    """Stop the garbage collector meanwhile.

    The nodes grow in number and hold no cycles; to look through them again and again as they grow
    would take longer than to read the file.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _warnings_about(path: Path) -> Iterable[str]:
    if path.stat().st_mode & stat.S_IWOTH and path.is_file():
        yield (
            f"everybody may write {path}, and it names code that is run: take that right away "
            "with chmod o-w"
        )
