"""`dataportal fetch`."""

from enum import StrEnum
from typing import Annotated

import typer

from dataportal.cli.options import (
    AcceptRetractionsOption,
    DryRunOption,
    EndOption,
    Invocation,
    StartOption,
)
from dataportal.errors import ExitCode

EXAMPLES = (
    "dataportal fetch smard-1223-de-hour",
    "dataportal fetch smard-1223-de-hour --start 2015-01-01 --end 2025-01-01",
    "dataportal fetch smard-1223-de-hour --start 2015-01-01 --plan",
    "dataportal fetch smard-1223-de-hour --resume",
)


def command(
    ctx: typer.Context,
    *,
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="Names of sources or of their series.")
    ],
    start: StartOption = None,
) -> ExitCode:
    """Run these sources now."""
    return ExitCode.DONE
