"""Writes metrics for the textfile collector of Prometheus' node exporter.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text-based, version 0.0.4).
Times are seconds since 1970 in UTC.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataportal.atomic_files import atomic_file, check_replaceable
from dataportal.errors import FileError
from dataportal.health import judge
from dataportal.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from dataportal.config import Source
    from dataportal.store.read.overview import SourceRow

_SOURCE_PREFIX = "dataportal_source_"
SOURCE_METRICS = {
    "healthy": "1 if healthcheck finds nothing wrong with the source, else 0.",
    "last_attempt_timestamp_seconds": "When the last scheduled run that ended began.",
    "last_success_timestamp_seconds": "When the last scheduled run that succeeded ended.",
    "newest_timestamp_seconds": "The start of the newest observation stored.",
    "stale_after_seconds": "How old the last success may be.",
    "consecutive_failures": "Failed scheduled runs in a row.",
    "missing_values": "Values missing for longer than gaps_stale_after, where the source has one.",
    "last_run_duration_seconds": "How long the newest run took, waits included.",
    "last_run_received_points": "Points that the newest run received.",
    "last_run_new_points": "New observations of the newest run.",
    "last_run_revised_points": "Revised observations of the newest run.",
    "last_run_withdrawn_points": "Withdrawn observations of the newest run.",
    "last_run_outcome": "1 for the outcome of the newest run.",
}
"""The metrics of each source, after `dataportal_source_`, and what they mean."""
COMMAND_METRICS = {
    "dataportal_build_info": "1; the version of the program and of Python as labels.",
    "dataportal_command_exit_code": "How the command ended, see: dataportal help exit-codes.",
    "dataportal_command_finished_timestamp_seconds": "When the command ended.",
    "dataportal_command_duration_seconds": "How long the command took.",
}
"""The metrics of the command."""

Samples = dict[str, list[tuple[dict[str, str], float]]]
"""Labels and values, by the name of their metric."""


@dataclass(frozen=True, slots=True)
class CommandEnd:
    """How a command ended."""

    command: str
    code: int
    finished: datetime
    seconds: float


def source_samples(
    sources: Sequence[Source], rows: Mapping[str, SourceRow], now: datetime
) -> Samples:
    """What the database has of the sources that are to be fetched.

    Args:
        sources: those of the file; disabled ones and those that need a variable are left out.
        rows: what the database has of each, by its name.
        now: the present.
    """
    samples: Samples = {_SOURCE_PREFIX + name: [] for name in SOURCE_METRICS}

    def add(name: str, value: float | datetime | None, **labels: str) -> None:
        if value is not None:
            number = value if isinstance(value, int | float) else value.timestamp()
            samples[_SOURCE_PREFIX + name].append((labels, number))

    for source in sources:
        if not source.enabled or source.missing_env:
            continue
        row, name = rows.get(source.name), source.name
        verdict = judge(source, row, now)
        add("healthy", int(verdict.well), source=name)
        add("stale_after_seconds", source.stale_after.total_seconds(), source=name)
        if row is None:
            continue
        state, run = row.state, row.last_run
        add("last_attempt_timestamp_seconds", state.last_attempt, source=name)
        add("last_success_timestamp_seconds", state.last_success, source=name)
        add("newest_timestamp_seconds", verdict.newest, source=name)
        add("consecutive_failures", state.failures, source=name)
        if source.gaps_stale_after is not None:
            add("missing_values", sum(gaps.missing for gaps in row.gaps), source=name)
        if run is None or run.outcome is None:
            continue
        if run.finished_at is not None:
            seconds = (run.finished_at - run.started_at).total_seconds()
            add("last_run_duration_seconds", seconds, source=name)
        add("last_run_received_points", run.received, source=name)
        add("last_run_new_points", run.inserted, source=name)
        add("last_run_revised_points", run.revised, source=name)
        add("last_run_withdrawn_points", run.retracted, source=name)
        add("last_run_outcome", 1, source=name, outcome=str(run.outcome))
    return samples


def write_metrics(path: Path, end: CommandEnd, samples: Samples | None) -> None:
    """Write the file whole: who reads it sees the old one or the new one, never a part.

    Args:
        path: the file, in a folder that the collector reads; its name must end in `.prom` there.
        end: how the command ended.
        samples: of the sources; None where the database could not be asked: then those that the
            file has stay as they are.

    Raises:
        FileError: the file cannot be written; the old one is untouched.
    """
    try:
        check_replaceable(path)
        lines = _source_lines_of(path) if samples is None else list(_source_lines(samples))
        text = "\n".join([*_command_lines(end), *lines]) + "\n"
        with atomic_file(path) as hidden, hidden.open("x", encoding="utf-8") as file:
            # the collector is another user, and what it reads holds no secret
            os.fchmod(file.fileno(), 0o644)
            file.write(text)
    except FileError as error:
        raise FileError(
            f"the metrics file {error.message}",
            hint="The runs are stored as they are; name a file in a folder that this user may "
            "write to: METRICS_FILE",
        ) from None


def _command_lines(end: CommandEnd) -> Iterator[str]:
    command = {"command": end.command}
    samples: Samples = {
        "dataportal_build_info": [
            ({"version": __version__, "python": platform.python_version()}, 1)
        ],
        "dataportal_command_exit_code": [(command, end.code)],
        "dataportal_command_finished_timestamp_seconds": [(command, end.finished.timestamp())],
        "dataportal_command_duration_seconds": [(command, end.seconds)],
    }
    for name, meaning in COMMAND_METRICS.items():
        yield from _metric_lines(name, meaning, samples[name])


def _source_lines(samples: Samples) -> Iterator[str]:
    for name, meaning in SOURCE_METRICS.items():
        yield from _metric_lines(_SOURCE_PREFIX + name, meaning, samples[_SOURCE_PREFIX + name])


def _metric_lines(
    name: str, meaning: str, samples: Sequence[tuple[Mapping[str, str], float]]
) -> Iterator[str]:
    if not samples:
        return
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples:
        pairs = ",".join(f'{label}="{_escape(text)}"' for label, text in labels.items())
        yield f"{name}{{{pairs}}} {float(value)!r}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _source_lines_of(path: Path) -> list[str]:
    """The lines of sources that the file has by now; none where it is not there."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return []
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from None
    beginnings = (f"# HELP {_SOURCE_PREFIX}", f"# TYPE {_SOURCE_PREFIX}", _SOURCE_PREFIX)
    return [line for line in text.splitlines() if line.startswith(beginnings)]
