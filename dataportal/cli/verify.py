"""`dataportal verify`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.database import reader
from dataportal.cli.times import instant
from dataportal.errors import ExitCode
from dataportal.render.console import note, show
from dataportal.times import utc_now

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation

EXAMPLES = (
    "dataportal verify",
    "dataportal -q verify --since 30d   # for cron: silent when all is well",
    "dataportal verify --json > verified.json",
)
_KEYS = 20


def command(
    ctx: typer.Context,
    *,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="T", help="Observations from T on only: quicker."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="Name N keys for each check.")
    ] = _KEYS,
) -> ExitCode:
    """Check that the history keeps its promises.

    That every version is known for some time and none overlaps another, that the current values are
    the open versions, that nothing is known later than the last that its source knew, that every
    version is of a series and of a run, and every run wrote what is recorded of it. What breaks a
    promise is named by its key, and the exit code is 4. It reads only, and may be run at any time,
    also while sources are fetched.
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    start = instant("--since", since, settings, at=utc_now())
    from dataportal.render.progress_bar import stepping
    from dataportal.render.verify import Findings
    from dataportal.store.read.verify import verify

    findings = Findings(start, limit)
    with (
        reader(settings, "verify") as connection,
        stepping("verifying", wanted=not (invocation.quiet or invocation.json)) as progress,
    ):
        for fault in verify(connection, since=start, progress=progress):
            findings.add(fault)
    if invocation.json:
        show(findings.document())
    elif not invocation.quiet:
        show(findings.table())
        show(findings.keys())
    elif not findings.ok:
        note("\n".join([*findings.table(sys.stderr), *findings.keys()]))
    return ExitCode.DONE if findings.ok else ExitCode.UNHEALTHY
