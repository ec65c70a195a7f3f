"""The command `dataportal`: its commands, the options they share, and its exit code."""

# No `from __future__ import annotations` in this package: typer reads the annotations.
import os
from collections.abc import Sequence
from importlib import import_module
from itertools import takewhile
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dataportal.cli.options import (
    Command,
    ConfigOption,
    DatabaseUrlOption,
    Invocation,
    JsonOption,
    LogFormatOption,
    LogLevelOption,
    QuietOption,
)
from dataportal.cli.signals import SignalExit, unwind_on_signal
from dataportal.errors import ExitCode, UsageError
from dataportal.render.console import close_streams, has_results, open_streams
from dataportal.version import __version__

# Their lines in the help. A command's module is imported when it is used: start-up is a feature.
GROUPS = {
    "Collect": {
        "fetch": "Run these sources now.",
        "fetch-all": "Run every enabled source, side by side.",
    },
    "Look": {
        "preview": "Ask a provider, store nothing, and show what came.",
        "list-sources": "Every source with its series, schedule and state.",
        "list-series": "The series that the database holds.",
        "read": "Values of series, as they are or were known at points in time.",
        "history": "What is known about a series, and what was known when.",
        "runs": "What happened, when, and why.",
        "gaps": "What should be there of series and is not.",
        "healthcheck": "Check configuration, database, schema and freshness.",
        "report": "One page that shows how every source stands.",
    },
    "Keep": {
        "verify": "Check that the history keeps its promises.",
        "dump": "Write the whole history of series to a file.",
        "restore": "Bring series back from a file that dataportal dump wrote.",
        "maintain": "Keep the tables small and quick: for cron, every night.",
    },
    "Set up": {
        "migrate": "Bring the database schema up to date.",
        "new-source": "Draft an entry of sources.yaml from a real answer.",
        "schema": "Print the JSON Schema of sources.yaml, for editors.",
        "help": "Show a page of the manual, or the list of its topics.",
    },
}
_COMPLETES = "_DATAPORTAL_COMPLETE"
_TEACH_A_SHELL = ("--install-completion", "--show-completion")
COMMANDS = {name: line for commands in GROUPS.values() for name, line in commands.items()}


def run(arguments: Sequence[str]) -> int:
    """Run one command line, and return its exit code."""
    open_streams()
    unwind_on_signal()
    # Known before anything is parsed, for the errors of parsing.
    invocation = Invocation(json="--json" in arguments)
    fails = False
    try:
        program = _program()
        words = [*arguments] or ["--help"]
        code = program.main(words, "dataportal", standalone_mode=False, obj=invocation)
    except SignalExit:
        raise
    except BaseException as error:
        if isinstance(error, SystemExit) and _is_for_a_shell(arguments):
            raise  # what a shell asked for is written
        # also what some code meant to end the program with: its work is not done
        code = _report(error, invocation)
        fails = True
    fault = close_streams()
    # an error takes the place of the document
    is_empty = invocation.has_document and not fails and not has_results()
    if fault or is_empty:
        from dataportal.cli.error_report import output_error

        code = _report(output_error(fault), invocation)
    return int(code or 0)


def _is_for_a_shell(arguments: Sequence[str]) -> bool:
    """Whether typer itself answers, and ends the program: no command is run, and no plugin."""
    before_command = takewhile(lambda argument: argument not in COMMANDS, arguments)
    return _COMPLETES in os.environ or any(
        argument.partition("=")[0] in _TEACH_A_SHELL for argument in before_command
    )


def _report(error: BaseException, invocation: Invocation) -> ExitCode:
    from dataportal.cli.error_report import report_error

    return report_error(error, json=invocation.json, debug=invocation.debugging)


class Group(TyperGroup):
    """The commands of `COMMANDS`, each loaded when it is used."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, in the order of the help."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None."""
        del ctx
        return load_command(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments begin with; an error suggests names that resemble it."""
        name = args[0]
        if name in COMMANDS or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        from dataportal.suggestions import suggestion

        hint = suggestion(name, COMMANDS, "See: dataportal --help")
        raise UsageError(f"there is no command {name!r}", hint=hint)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write their lines of the help, for which nothing need be imported."""
        del ctx
        # one column for all groups
        width = max(map(len, COMMANDS))
        for group, commands in GROUPS.items():
            with formatter.section(group):
                formatter.write_dl([(f"{name:<{width}}", line) for name, line in commands.items()])


def load_command(name: str) -> Any:
    """Import a command, and put its examples and the exit codes into its help."""
    module = import_module(f"dataportal.cli.{name.replace('-', '_')}")
    # the other modes of markup import rich, which takes as long as everything else together
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    epilog = f"{examples(module.EXAMPLES)}\n\nMore: dataportal help {name}\n\n{exit_codes()}"
    app.command(name, cls=Command, epilog=epilog)(module.command)
    return typer.main.get_command(app)


def _program() -> Any:
    app = typer.Typer(
        cls=Group,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(epilog=f"The manual: dataportal help\n\n{exit_codes()}")(_take_shared_options)
    return typer.main.get_command(app)


def examples(lines: Sequence[str]) -> str:
    """The examples of a command, as its help shows them."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def exit_codes() -> str:
    """The table of exit codes, as every help shows it."""
    rows = (f"  {code.value:>3}  {code.meaning}" for code in ExitCode)
    return "\b\nExit codes:\n" + "\n".join(rows)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
    if wanted:
        typer.echo(f"dataportal {__version__}")
        raise typer.Exit


def _take_shared_options(
    ctx: typer.Context,
    *,
    config: ConfigOption = None,
    database_url: DatabaseUrlOption = None,
    log_level: LogLevelOption = None,
    log_format: LogFormatOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Fetch public time series, keep every version of every value, answer what was known when.

    The options below may stand before the command or after it.
    """
    invocation: Invocation = ctx.obj
    invocation.take(
        {
            "config": config,
            "database_url": database_url,
            "log_level": log_level,
            "log_format": log_format,
            "quiet": quiet,
            "json": json,
        }
    )
