"""`dataportal verify`: checks that the history keeps its promises."""

import time
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.database import open_existing
from dataportal.cli.times import option_instant
from dataportal.command_lines import command_line
from dataportal.errors import DatabaseError, ExitCode, UsageError
from dataportal.suggestions import suggestion
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import psycopg

    from dataportal.cli.options import Invocation
    from dataportal.render.verify import VerifyView
    from dataportal.store.read.verify import Check, Progress, Scope
    from dataportal.store.verifications import VerificationRecord

EXAMPLES = (
    "dataportal verify",
    "dataportal -q verify --since 30d   # for cron: silent when all is well",
    "dataportal verify --only current --only runs",
    "dataportal verify --sample 1%      # another hundredth of the time each time",
    "dataportal verify --resume         # go on where it was broken off",
    "dataportal verify --json > verified.json",
)
_NAMED_KEYS = 20
_KEPT_EVERY = 5.0  # seconds, of how far it has come


def command(
    ctx: typer.Context,
    *,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="T", help="Observations from T on only: quicker."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CHECK", help="Only this check; may be repeated."),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option("--sample", metavar="P%", help="Only this share of the time, at random."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest that was broken off.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="Name N keys for each check.")
    ] = _NAMED_KEYS,
) -> ExitCode:
    """Check that the history keeps its promises.

    That every version is known for some time and none overlaps another, that the current values are
    the open versions, that nothing is known later than the last that its source knew, that every
    version is of a series and of a run, and every run wrote what is recorded of it. What breaks a
    promise is named by its key, and the exit code is 4. The history is only read, in short steps,
    and it may be run at any time, also while sources are fetched. What was verified is kept, and
    shown by healthcheck.
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    start = option_instant("--since", since, settings, now=utc_now())
    if resume and (since or only or sample):
        raise UsageError("--resume takes what is looked at from the one that it goes on with")
    from dataportal.render.view import look_at_view, note_view
    from dataportal.store.read.verify import Scope

    scope = Scope(_checks(only or ()), start, _share(sample))
    view = _verify(invocation, scope, resume=resume, limit=limit)
    if not invocation.silent:
        look_at_view(view, json=invocation.json)
    elif not view.ok:
        note_view(view)
    return ExitCode.DONE if view.ok else ExitCode.UNHEALTHY


def _verify(invocation: "Invocation", scope: "Scope", *, resume: bool, limit: int) -> "VerifyView":
    """What is found; what was verified is recorded, if the role may do that."""
    from dataportal.render.console import say
    from dataportal.render.progress_bar import progress_bar
    from dataportal.render.verify import VerifyView
    from dataportal.store.pooling import is_pooled
    from dataportal.store.read.verify import Progress, verify
    from dataportal.store.verifications import VerificationRecord, unfinished_verification

    begin, number = Progress(), None
    with ExitStack() as stack:
        url = stack.enter_context(open_existing(invocation.settings()))
        connections = _connections(url, stack)
        if resume:
            if unfinished := unfinished_verification(connections[0]):
                number, _, scope, begin = unfinished
            elif not invocation.silent:
                say("none was broken off: begins anew")
        shared = connections[0] if is_pooled(connections[0]) else None
        record = VerificationRecord.open(url, number, shared=shared)
        if record is not None:
            stack.enter_context(closing(record))
            record.begin(scope)
        elif not invocation.silent:
            say("what is verified is not kept: this role may not write to the table verification")
        view = VerifyView(scope, limit)
        view.take(begin.found, begin.faults)
        progress = stack.enter_context(progress_bar("verifying", wanted=invocation.shows_progress))
        with _keeper(record, begin) as step_done:
            for fault in verify(
                *connections, scope=scope, begin=begin, progress=progress, step_done=step_done
            ):
                view.add(fault)
        if record is not None:
            record.finish(sum(view.counts.values()))
    return view


def _checks(names: "Sequence[str]") -> "Sequence[Check]":
    """The checks of these names; all of them if none is named."""
    from dataportal.store.read.verify import Check

    known = {str(check): check for check in Check}
    for name in names:
        if name not in known:
            raise UsageError(
                f"--only: there is no check {name!r}",
                hint=suggestion(name, known, f"Checks are: {', '.join(known)}"),
            )
    return tuple(check for check in Check if not names or check in names)


def _share(text: str | None) -> float | None:
    """The share that a percentage names; None for all of it."""
    if text is None:
        return None
    number = text.strip().removesuffix("%")
    try:
        share = float(number) / 100
    except ValueError:
        share = 0.0
    if not text.strip().endswith("%") or not 0 < share <= 1:
        raise UsageError(
            f"--sample: {text!r} is no percentage between 0% and 100%", hint="Such as: --sample 1%"
        )
    return None if share == 1 else share


def _connections(url: str, stack: ExitStack) -> "list[psycopg.Connection]":
    """Two, if the server grants a second one; one through a pooler, which may have no other."""
    from dataportal.store.pooling import is_pooled
    from dataportal.store.read.overview import open_reader

    connections = [stack.enter_context(closing(open_reader(url, command="verify")))]
    if is_pooled(connections[0]):
        return connections
    with suppress(DatabaseError):
        connections.append(stack.enter_context(closing(open_reader(url, command="verify"))))
    return connections


@contextmanager
def _keeper(
    record: "VerificationRecord | None", begin: "Progress"
) -> "Iterator[Callable[[Progress], None]]":
    """What keeps how far a verification has come, now and then, and where it is broken off."""
    from dataportal.render.console import say

    kept_at = time.monotonic()

    def keep(progress: "Progress") -> None:
        nonlocal kept_at
        if record is not None and time.monotonic() - kept_at > _KEPT_EVERY:
            record.keep(progress)
            kept_at = time.monotonic()

    try:
        yield keep
    except BaseException:
        if record is not None and begin.began is not None:
            # the reason is told; a database that is gone keeps nothing
            with suppress(DatabaseError):
                record.keep(begin)
                say(f"broken off; {command_line('verify', '--resume')} goes on with it")
        raise
