"""What `fetch` and `fetch-all` tell a monitoring system as they begin, and however they end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.bounded_files import read_beginning
from dataportal.errors import ConfigurationError, DataportalError, ExitCode, Interrupted
from dataportal.render.console import say
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg

    from dataportal.cli.options import Invocation
    from dataportal.config import Source
    from dataportal.monitoring.metrics_file import Samples
    from dataportal.monitoring.ping import Ping

MetricsFileOption = Annotated[
    str | None,
    typer.Option(
        "--metrics-file",
        metavar="FILE",
        help="Write metrics for Prometheus' node exporter there [METRICS_FILE]",
    ),
]
PingUrlFileOption = Annotated[
    str | None,
    typer.Option(
        "--ping-url-file",
        metavar="FILE",
        help="A file with the address that is told of start and end [DATAPORTAL_PING_URL]",
    ),
]
_STOP_PATIENCE = 2.0  # seconds for the last ping after a signal, which has ten in all
_LONGEST_ADDRESS = 8192  # bytes
_PIPE_PATIENCE = 5.0  # seconds for whoever writes the address into a pipe


@dataclass(slots=True)
class Monitoring:
    """What is to be told at the end of a command.

    Attributes:
        command: its name.
        metrics_file: where the metrics go; None for nowhere.
        code: how the command ended, once it has.
        lines: what it said of its runs.
    """

    command: str
    metrics_file: Path | None = None
    code: ExitCode | None = None
    lines: list[str] = field(default_factory=list)
    _samples: "Samples | None" = None

    def question(
        self, sources: "Sequence[Source]"
    ) -> "Callable[[psycopg.Connection], None] | None":
        """What the metrics ask the database, for a connection that is open; None for nothing."""
        if self.metrics_file is None:
            return None
        return lambda connection: self._ask(connection, sources)

    def read_sources(self, url: str, sources: "Sequence[Source]") -> None:
        """Read what the metrics say of the sources, unless that was done; never raises."""
        if self.metrics_file is None or self._samples is not None:
            return
        from contextlib import closing

        from dataportal.store.read.overview import open_reader

        try:
            with closing(open_reader(url, command="metrics")) as connection:
                self._ask(connection, sources)
        except DataportalError as error:
            say(f"the metrics file keeps what it says of sources: {error}")

    def _ask(self, connection: "psycopg.Connection", sources: "Sequence[Source]") -> None:
        from dataportal.cli.database import with_gaps
        from dataportal.monitoring.metrics_file import source_samples
        from dataportal.store.read.overview import overview

        now = utc_now()
        # gaps that are unhealthy too, as healthcheck counts them
        rows = with_gaps(connection, overview(connection), sources, now)
        self._samples = source_samples(sources, rows, now)

    def write_metrics(self, seconds: float) -> None:
        """Write the file; a fault is told, and harms nothing."""
        if self.metrics_file is None:
            return
        from dataportal.monitoring.metrics_file import CommandEnd, write_metrics

        code = ExitCode.BUG if self.code is None else self.code
        end = CommandEnd(self.command, int(code), utc_now(), seconds)
        try:
            write_metrics(self.metrics_file, end, self._samples)
        except DataportalError as error:
            say(str(error))


@contextmanager
def monitoring(
    invocation: "Invocation",
    command: str,
    metrics_file: str | None,
    ping_url_file: str | None,
    *,
    wanted: bool,
) -> Iterator[Monitoring]:
    """While the block runs, the command is under way; whoever watches is told of both ends.

    Args:
        invocation: the command line, and the environment.
        command: the name of the command.
        metrics_file: what `--metrics-file` says.
        ping_url_file: what `--ping-url-file` says.
        wanted: False for a trial, of which nobody is told.

    Raises:
        ConfigurationError: the address to ping cannot be used.
    """
    if not wanted:
        yield Monitoring(command)
        return
    started = time.monotonic()
    name = metrics_file or invocation.env.get("METRICS_FILE") or None
    state = Monitoring(command, Path(name) if name else None)
    ping = _new_ping(invocation, ping_url_file)
    if ping is not None:
        ping.start()
    try:
        yield state
    except DataportalError as error:
        state.code = error.signal_code if isinstance(error, Interrupted) else error.exit_code
        state.lines.append(str(error))
        raise
    except SystemExit as error:
        state.code = ExitCode(int(error.code or 0))
        raise
    finally:
        state.write_metrics(time.monotonic() - started)
        if ping is not None:
            _finish(ping, state)


def _new_ping(invocation: "Invocation", file: str | None) -> "Ping | None":
    url = invocation.env.get("DATAPORTAL_PING_URL")
    if file is not None:
        try:
            content = read_beginning(file, _LONGEST_ADDRESS, patience=_PIPE_PATIENCE)
            url = content[:_LONGEST_ADDRESS].decode("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigurationError(f"--ping-url-file {file} cannot be read: {reason}") from None
        if not url:
            raise ConfigurationError(
                f"--ping-url-file {file} is empty", hint="Write the address of the check into it"
            )
    if not url:
        return None
    from dataportal.monitoring.ping import Ping

    return Ping(url)


def _finish(ping: "Ping", state: Monitoring) -> None:
    from dataportal.redaction import redact

    lines = [redact(line) for line in state.lines]
    if state.code in {ExitCode.SIGINT, ExitCode.SIGTERM}:
        fault = ping.finish(state.code, lines, patience=_STOP_PATIENCE)
    else:
        fault = ping.finish(state.code, lines)
    if fault is not None:
        say(f"the ping did not arrive: {redact(fault)}")
