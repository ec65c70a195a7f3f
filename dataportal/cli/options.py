"""The options that every command takes, before or after its name, and their values."""

# No `from __future__ import annotations` in this package: typer reads the annotations.
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from dataportal.settings import Settings


# The variables that an option overrides are not even read.
_OVERRIDES = {
    "config": ("PLUGIN_CONFIG_PATH",),
    "database_url": ("DATABASE_URL", "DATABASE_URL_FILE", "DATABASE_READ_URL"),
    "log_level": ("LOG_LEVEL",),
    "log_format": ("LOG_FORMAT",),
}


# Options whose value may be left out, and what it is then.
_LEFT_OUT = {"--columnstore": "30 days", "--distribute": "series"}


def _settings_parser(name: str) -> Callable[[str], Any]:
    """A parser for typer: the function of that name in `settings`, which is imported late."""

    def parse(text: str) -> Any:
        from dataportal import settings

        try:
            return getattr(settings, name)(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return parse


ConfigOption = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="The sources [PLUGIN_CONFIG_PATH; sources.yaml]"),
]
DatabaseUrlOption = Annotated[
    str | None,
    typer.Option(
        "--database-url", metavar="URL", help="Where all state is kept [DATABASE_URL; embedded:]"
    ),
]
LogLevelOption = Annotated[
    str | None,
    typer.Option(
        "--log-level",
        metavar="L",
        parser=_settings_parser("log_level"),
        help="debug, info, warning, error, critical [LOG_LEVEL; info]",
    ),
]
LogFormatOption = Annotated[
    str | None,
    typer.Option(
        "--log-format",
        metavar="text|json",
        parser=_settings_parser("log_format"),
        help="How it is logged [LOG_FORMAT; text]",
    ),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say nothing when all is well (for cron).")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout, errors as JSON on stderr.")
]


@dataclass(slots=True)
class Invocation:
    """One command line: the options that all commands share, and the environment.

    It exists before anything is parsed, so that an error of parsing is shown as the options that
    were parsed by then ask for.
    """

    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    config: str | None = None
    database_url: str | None = None
    log_level: str | None = None
    log_format: str | None = None
    quiet: bool = False
    json: bool = False
    answers_in_file: bool = False

    @property
    def has_document(self) -> bool:
        """Whether a JSON document on stdout is the answer."""
        return self.json and not self.answers_in_file

    def take(self, options: Mapping[str, Any]) -> None:
        """Store every option that is neither missing nor an unset flag."""
        for name, value in options.items():
            if value is not None and value is not False:
                setattr(self, name, value)
        if self.config is not None or self.database_url is not None:
            from dataportal.command_lines import repeat_options

            repeat_options(
                config=None if self._names_default_config else self.config,
                database_url=self.database_url,
            )

    def settings(self) -> "Settings":
        """The settings of the options and the environment; an option overrides its variable.

        Raises:
            ConfigurationError: something of it cannot be used.
        """
        from pathlib import Path

        from dataportal.settings import from_environment

        overridden_names = {
            name
            for option, names in _OVERRIDES.items()
            if getattr(self, option) is not None
            for name in names
        }
        settings = from_environment(
            {k: v for k, v in self.env.items() if k not in overridden_names}
        )
        return settings.override(
            config_path=None if self.config is None else Path(self.config),
            database_url=self.database_url,
            log_level=self.log_level,
            log_format=self.log_format,
            quiet=self.quiet or None,
        )

    @property
    def _names_default_config(self) -> bool:
        from pathlib import Path

        default = self.env.get("PLUGIN_CONFIG_PATH") or "sources.yaml"
        return self.config is not None and Path(self.config) == Path(default)

    @property
    def silent(self) -> bool:
        """Whether nothing is shown where all is well: with -q, unless JSON is wanted."""
        return self.quiet and not self.json

    @property
    def shows_progress(self) -> bool:
        """Whether progress may be drawn: with neither -q nor --json."""
        return not (self.quiet or self.json)

    @property
    def debugging(self) -> bool:
        """Whether errors are shown with tracebacks."""
        level = self.log_level or self.env.get("LOG_LEVEL", "")
        return level.strip().lower() == "debug"


def _with_values(args: Sequence[str]) -> Iterator[str]:
    """The arguments, with the value after each option that may do without."""
    for position, argument in enumerate(args):
        following = args[position + 1 : position + 2]
        is_bare = argument in _LEFT_OUT and (not following or following[0].startswith("-"))
        yield f"{argument}={_LEFT_OUT[argument]}" if is_bare else argument


class Command(TyperCommand):
    """A command that takes the shared options of its group too, and shows them in its help."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The command's own options, then the shared ones."""
        *own, help_option = super().get_params(ctx)
        return [*own, *self._shared_params(ctx), help_option]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, and hand the shared options to the invocation."""
        rest = super().parse_args(ctx, [*_with_values(args)])
        shared = {p.name: ctx.params.pop(p.name, None) for p in self._shared_params(ctx)}
        invocation: Invocation = ctx.obj
        invocation.take(shared)
        return rest

    @staticmethod
    def _shared_params(ctx: Any) -> list[Any]:
        group = ctx.parent.command if ctx.parent else None
        names = set(Invocation.__slots__)
        return [p for p in group.params if p.name in names] if group else []
