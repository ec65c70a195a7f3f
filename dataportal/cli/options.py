"""The options that every command takes, before or after its name, declared once."""

# No `from __future__ import annotations` in this package: typer reads the annotations.
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from dataportal.on_locked import OnLocked

if TYPE_CHECKING:
    from dataportal.settings import Settings


# Which variables an option makes irrelevant: what they say is not even read.
_OVERRIDES = {
    "config": ("PLUGIN_CONFIG_PATH",),
    "database_url": ("DATABASE_URL", "DATABASE_URL_FILE"),
    "log_level": ("LOG_LEVEL",),
    "log_format": ("LOG_FORMAT",),
}


def _read_as(what: str) -> Callable[[str], Any]:
    """A parser for typer: `settings.<what>`, imported late, with the words of its ValueError."""

    def parser(text: str) -> Any:
        from dataportal import settings

        try:
            return getattr(settings, what)(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return parser


ConfigOption = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="The sources [PLUGIN_CONFIG_PATH; sources.yaml]"),
]
DatabaseUrlOption = Annotated[
    str | None,
    typer.Option(
        "--database-url", metavar="URL", help="Where all state is kept [DATABASE_URL; embedded]"
    ),
]
LogLevelOption = Annotated[
    str | None,
    typer.Option(
        "--log-level",
        metavar="L",
        parser=_read_as("log_level"),
        help="debug, info, warning, error, critical [LOG_LEVEL; info]",
    ),
]
LogFormatOption = Annotated[
    str | None,
    typer.Option(
        "--log-format",
        metavar="text|json",
        parser=_read_as("log_format"),
        help="How it is logged [LOG_FORMAT; text]",
    ),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say nothing when all is well (for cron).")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout, errors as JSON on stderr.")
]


# Not shared by all, but by several.
OnLockedOption = Annotated[
    OnLocked | None,
    typer.Option(
        "--on-locked",
        help="If another run holds a source: skip it (default), wait (default for a backfill), "
        "or fail with 11.",
    ),
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="GLOB", help="Sources whose name or tag matches; repeatable."),
]
StartOption = Annotated[
    str | None,
    typer.Option("--start", metavar="T", help="Fetch from T on: ISO 8601, or 7d for 7 days ago."),
]
EndOption = Annotated[
    str | None, typer.Option("--end", metavar="T", help="Fetch before T (default: now and beyond).")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Fetch and compare, but write nothing.")
]
AcceptRetractionsOption = Annotated[
    bool,
    typer.Option(
        "--accept-retractions", help="Let nulls withdraw even most of a series' stored values."
    ),
]


@dataclass(slots=True)
class Invocation:
    """One command line: the options that all commands share, and the environment.

    It exists before anything is parsed, so that an error found while parsing knows how to show
    itself as far as that was said by then.
    """

    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    config: str | None = None
    database_url: str | None = None
    log_level: str | None = None
    log_format: str | None = None
    quiet: bool = False
    json: bool = False

    def take(self, options: Mapping[str, Any]) -> None:
        """Note every option that was given."""
        for name, value in options.items():
            if value is not None and value is not False:
                setattr(self, name, value)

    def settings(self) -> "Settings":
        """What the options and the environment say together; an option beats its variable.

        Raises:
            ConfigurationError: something of it cannot be used.
        """
        from pathlib import Path

        from dataportal.settings import from_environment

        beaten = {
            name
            for option, names in _OVERRIDES.items()
            if getattr(self, option) is not None
            for name in names
        }
        settings = from_environment({k: v for k, v in self.env.items() if k not in beaten})
        return settings.overridden(
            config_path=None if self.config is None else Path(self.config),
            database_url=self.database_url,
            log_level=self.log_level,
            log_format=self.log_format,
            quiet=self.quiet or None,
        )

    @property
    def debugging(self) -> bool:
        """Whether tracebacks are wanted."""
        level = self.log_level or self.env.get("LOG_LEVEL", "")
        return level.strip().lower() == "debug"


class Command(TyperCommand):
    """A command that takes the shared options of its group too, and shows them in its help."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The command's own options, then the shared ones."""
        *own, help_option = super().get_params(ctx)
        return [*own, *self._shared(ctx), help_option]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, then hand what is shared to the invocation."""
        rest = super().parse_args(ctx, args)
        shared = {p.name: ctx.params.pop(p.name, None) for p in self._shared(ctx)}
        invocation: Invocation = ctx.obj
        invocation.take(shared)
        return rest

    @staticmethod
    def _shared(ctx: Any) -> list[Any]:
        group = ctx.parent.command if ctx.parent else None
        names = set(Invocation.__slots__)
        return [p for p in group.params if p.name in names] if group else []
