"""Writes the commands that messages name, so that they do what they say when they are typed.

A command that was told by an option where its sources or its database are names commands that are
told so too; what the environment says, it says to them as well.
"""

from __future__ import annotations

import re
import shlex

from dataportal.redaction import redact

_READ_SOURCES = frozenset(
    {
        *("fetch", "fetch-all", "preview", "list-sources", "healthcheck", "gaps", "report"),
        "new-source",
    }
)
_NEED_NOTHING = frozenset({"help", "schema"})
_COMMAND = re.compile(
    r"\bdataportal (fetch-all|fetch|preview|list-sources|list-series|read|history|runs|gaps"
    r"|healthcheck|report|verify|dump|restore|maintain|migrate|new-source)\b(?! --help)"
)

_config: str | None = None
_database_url: str | None = None


def repeat_options(*, config: str | None, database_url: str | None) -> None:
    """From now on commands name these options; None is none.

    A secret in the URL is masked: who types the command has to put it in.
    """
    global _config, _database_url  # noqa: PLW0603 - one command line a process
    _config = config
    _database_url = None if database_url is None else redact(database_url)


def hide_database() -> None:
    """From now on commands say nothing of where the database is: a page is read by others."""
    global _database_url  # noqa: PLW0603 - one command line a process
    _database_url = None


def command_line(command: str, *words: str, config: str | None = None, shared: bool = False) -> str:
    """A command as it is typed into a shell.

    Args:
        command: its name.
        words: what follows; quoted where a shell needs it.
        config: the file of sources to name in place of that of the command line.
        shared: whether others read it than whoever typed the command line: then it says nothing
            of where the database is.
    """
    return shlex.join(["dataportal", *_options(command, config, shared=shared), command, *words])


def repeat_in(text: str) -> str:
    """A text of ours, such as a hint, whose commands name the options too."""
    if _config is None and _database_url is None:
        return text
    return _COMMAND.sub(lambda match: command_line(match[1]), text)


def _options(command: str, config: str | None, *, shared: bool) -> list[str]:
    options = []
    path = _config if config is None else config
    if path is not None and command in _READ_SOURCES:
        options += ["--config", path]
    if _database_url is not None and command not in _NEED_NOTHING and not shared:
        options += ["--database-url", _database_url]
    return options
