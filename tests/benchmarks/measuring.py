"""Ratios of benchmarks: both sides measured in turns in one run, and the verdict over them.

Example:
    verdicts = Verdicts()
    ours, theirs = best(lambda: ours(), lambda: theirs(), rounds=5)
    verdicts.at_most("healthcheck", ours, "connect and select 1", theirs, 2.5)
    sys.exit(verdicts.exit_code)
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.append(str(Path(__file__).parents[1]))

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PROGRAM = str(Path(sys.executable).with_name("dataportal"))


@dataclass(slots=True)
class Verdicts:
    """Prints each ratio with its goal; `failed` are the goals that were missed."""

    failed: list[str] = field(default_factory=list)

    def at_most(
        self, what: str, ours: float, against: str, theirs: float, goal: float, unit: str = "s"
    ) -> None:
        """A ratio of seconds, or of what `unit` says, which may be this large."""
        sides = (f"{ours:.3f} {unit}", against, f"{theirs:.3f} {unit}")
        self._report(what, *sides, ours / theirs, "≤", goal)

    def at_least(
        self, what: str, ours: float, against: str, theirs: float, goal: float, unit: str
    ) -> None:
        """A ratio of rates, which must be this large."""
        sides = (f"{ours:,.0f} {unit}", against, f"{theirs:,.0f} {unit}")
        self._report(what, *sides, ours / theirs, "≥", goal)

    def below(self, what: str, ours: float, limit: float, unit: str) -> None:
        """A figure that must not be larger."""
        self._judge(ours <= limit, what, f"{ours:,.1f} {unit}", f"goal ≤ {limit:g} {unit}")

    @property
    def exit_code(self) -> int:
        """0 if every goal was reached."""
        return int(bool(self.failed))

    def _report(
        self, what: str, ours: str, against: str, theirs: str, ratio: float, sign: str, goal: float
    ) -> None:
        good = ratio <= goal if sign == "≤" else ratio >= goal
        self._judge(
            good, what, ours, f"{against} {theirs}", f"ratio {ratio:.2f}", f"goal {sign} {goal:g}"
        )

    def _judge(self, good: bool, what: str, *texts: str) -> None:  # noqa: FBT001 - private
        if not good:
            self.failed.append(what)
        print(f"{'reached' if good else 'MISSED '}  {what}: {', '.join(texts)}", flush=True)


def best(*works: Callable[[], object], rounds: int) -> list[float]:
    """The seconds of the quickest of several rounds of each work, done in turns."""
    seconds = [float("inf")] * len(works)
    for _ in range(rounds):
        for number, work in enumerate(works):
            gc.collect()
            start = time.perf_counter()
            work()
            seconds[number] = min(seconds[number], time.perf_counter() - start)
    return seconds


def process(*command: str, env: dict[str, str] | None = None) -> Callable[[], object]:
    """A work: this command, to its end, which is a good one."""
    environment = {**os.environ, **(env or {})}
    # an installed program has its modules compiled: without, most of a start is the compiler
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def work() -> None:
        finished = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr.decode()

    return work


def python(code: str, *arguments: str, env: dict[str, str] | None = None) -> Callable[[], object]:
    """A work: this code, by the Python that runs the program."""
    return process(sys.executable, "-c", code, *arguments, env=env)


@contextmanager
def fresh_database(prepare: Sequence[str] = ()) -> Iterator[str]:
    """The URL of a database with the schema, on the server that the tests would use."""
    with fresh_databases(prepare) as (url,):
        yield url


@contextmanager
def fresh_databases(*prepared: Sequence[str]) -> Iterator[list[str]]:
    """The URLs of as many databases on one server, each after its own statements."""
    import psycopg
    from support.databases import Databases, SharedServer, admin_connection, with_schema

    server = SharedServer.from_environment(os.environ)
    print(f"database server: {server}", flush=True)
    try:
        with ExitStack() as stack:
            url = stack.enter_context(server.serve())
            databases = Databases(stack.enter_context(admin_connection(url)), server)
            fresh = [
                stack.enter_context(databases.fresh(url, "migrated", with_schema)) for _ in prepared
            ]
            for database, statements in zip(fresh, prepared, strict=True):
                with psycopg.connect(database, autocommit=True) as connection:
                    for statement in statements:
                        connection.execute(statement.encode())
            yield fresh
    finally:
        server.end()
