"""SIGKILL at every failpoint, in every kind of run, with different data: a matrix of trials.

After each the invariants hold, every slice is there whole or not at all, and the next run succeeds
without help. Each parameter set is one trial; `DATAPORTAL_TEST_SEEDS` says how many of each.
"""

from __future__ import annotations

import os
import signal
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from support.compression import compress_all, rows_outside
from support.http_server import LocalServer
from support.invariants import Finals, broken_invariants
from support.program_sources import SourceFile, await_unlocked, table
from support.store_feed import current, hour, open_observer, tuples, values
from support.stored_runs import store_run

from dataportal.store import migrations
from dataportal.store.connection import connect
from dataportal.store.upkeep.columnstore import enable_columnstore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCli

SEEDS = range(int(os.environ.get("DATAPORTAL_TEST_SEEDS", "3")))
FAILPOINTS = ("after_start", "after_fetch", "mid_copy", "between_tables", "before_commit")
KINDS = ("first load", "revision", "retraction", "backfill slice", "migration")
COMPRESSED_KINDS = ("revision", "retraction", "backfill slice")
SLICE = 24
Points = dict[int, float | None]
State = dict[int, float]


@dataclass
class Trial:
    """One run that is killed: what is stored before, what it is answered, how it is called."""

    before: Points
    answer: Points
    arguments: tuple[str, ...] = ("fetch", "load")
    again: tuple[str, ...] = ("fetch", "load")
    keys: dict[str, Any] = field(default_factory=dict)
    times: int = 1
    """At the how manieth pass of the failpoint it is killed."""

    @classmethod
    def of(cls, kind: str, failpoint: str, seed: int) -> Trial:
        """The same for the same seed."""
        chance = Random(f"{kind} {failpoint} {seed}")  # noqa: S311 - to be repeated, not to be secret
        # only many new points are copied, and in several blocks
        known = chance.randrange(8, 200)
        size = known + chance.randrange(8_500, 9_000) if failpoint == "mid_copy" else known
        full: Points = {h: chance.uniform(-9, 9) for h in range(size)}
        if kind == "first load":
            return cls({}, full)
        if kind == "migration":
            return cls({}, {h: full[h] for h in range(chance.randrange(size // 2, size))} | full)
        if kind == "backfill slice":
            days = 1 if failpoint == "mid_copy" else chance.randrange(2, 5)
            return cls(
                {h: full[h] for h in range(0, known, 3)},
                full
                if failpoint == "mid_copy"
                else {h: chance.random() for h in range(days * SLICE)},
                arguments=(
                    *("fetch", "load", "--start", hour(0).isoformat()),
                    *("--end", hour(size if failpoint == "mid_copy" else days * SLICE).isoformat()),
                ),
                again=("fetch", "load", "--resume"),
                keys={"max_window": "500 days" if failpoint == "mid_copy" else "1 day"},
                times=1
                if failpoint in {"mid_copy", "after_start"}
                else chance.randrange(1, days + 1),
            )
        changed = chance.sample(range(known), chance.randrange(1, known // 3))
        new = {h: None if kind == "retraction" else chance.uniform(10, 20) for h in changed}
        # an answer may leave out what is stored, and bring what is not
        omitted = set() if failpoint == "mid_copy" else {h for h in full if chance.random() < 0.1}
        answer = {h: v for h, v in {**full, **new}.items() if h not in omitted - set(new)}
        return cls({h: full[h] for h in range(known)}, {**answer, size + 3: 1.0})

    def slices(self) -> list[Points]:
        """The answer as it is committed: in one piece, or in slices of a backfill."""
        if self.keys.get("max_window") != "1 day":
            return [self.answer]
        last = max(self.answer)
        return [
            {h: v for h, v in self.answer.items() if start <= h < start + SLICE}
            for start in range(0, last + 1, SLICE)
        ]


class Expected:
    """The history of each hour, and the current values, as plain Python has them."""

    def __init__(self, before: Points) -> None:
        self.versions: dict[int, list[float]] = {}
        self.current: State = {}
        self.take(before)

    def take(self, points: Points) -> None:
        """One more answer."""
        for h, value in points.items():
            if value is None:
                self.current.pop(h, None)
            elif self.current.get(h) != value:
                self.versions.setdefault(h, []).append(value)
                self.current[h] = value


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A provider."""
    with LocalServer() as local:
        yield local


def trials() -> Iterator[tuple[str, str, int]]:
    """The matrix: no run but a migration passes the failpoint within one, and none a dump's."""
    for seed in SEEDS:
        for kind in KINDS:
            for failpoint in (*FAILPOINTS, "after_commit"):
                yield kind, failpoint, seed
        yield "migration", "migration_before_commit", seed


def compressed_trials() -> Iterator[Any]:
    """The same of runs that meet compressed chunks."""
    for kind, failpoint, seed in trials():
        if kind in COMPRESSED_KINDS:
            yield pytest.param(f"{kind} compressed", failpoint, seed, marks=pytest.mark.columnstore)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "failpoint", "seed"), [*trials(), *compressed_trials()])
def test_a_kill_leaves_the_old_state_or_the_new(
    kind: str,
    failpoint: str,
    seed: int,
    tmp_path: Path,
    server: LocalServer,
    empty_database_url: str,
    run_cli: RunCli,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Never a mixture; the next run makes it whole, and the one after that writes no tuple."""
    url, env = empty_database_url, {"DATABASE_URL": empty_database_url}
    kind, is_compressed, _ = kind.partition(" compressed")
    trial = Trial.of(kind, failpoint, seed)
    migrate_to(url, seed if kind == "migration" else None, monkeypatch)
    if trial.before:
        store_run(url, [trial.before.get(h) for h in range(max(trial.before) + 1)])
    if is_compressed:
        with closing(connect(url, application_name="test")) as connection:
            # a policy that has nothing old enough to do
            enable_columnstore(connection, timedelta(days=36_500))
        compress_all(url)
    sources = SourceFile(tmp_path)
    sources.csv("load", server.answer("/load.csv", table(trial.answer)), **trial.keys)
    sources.write()
    states = [Expected(trial.before)]
    for part in trial.slices():
        next_state = Expected(trial.before)
        next_state.versions = {h: [*v] for h, v in states[-1].versions.items()}
        next_state.current = {**states[-1].current}
        next_state.take(part)
        states.append(next_state)
    with open_observer(url) as look:
        finals = Finals(look) if trial.before else None

    armed = {"DATAPORTAL_FAILPOINT": f"{failpoint}@{trial.times}:kill"}
    first_run = run_cli(*trial.arguments, env={**env, **armed})

    assert first_run.returncode == -signal.SIGKILL, first_run.stderr
    await_unlocked(url)
    committed = trial.times - (failpoint != "after_commit")
    with open_observer(url) as look:
        if failpoint != "migration_before_commit":
            assert broken_invariants(look) == []
            assert values(look) == states[committed].versions
            assert current(look) == states[committed].current
        assert finals is None or finals.changed_sources(look) == []

    second_run = run_cli(*trial.again, env=env)

    # the backfill was whole when it was killed after its last commit: nothing is left to resume
    is_complete = kind == "backfill slice" and committed == len(states) - 1
    assert second_run.returncode == (2 if is_complete else 0), second_run.stderr
    with open_observer(url) as look:
        assert broken_invariants(look) == []
        assert finals is None or finals.changed_sources(look) == []
        assert values(look) == states[-1].versions
        assert current(look) == states[-1].current
        if seed == SEEDS[0] and is_compressed:
            before_rows = rows_outside(look)
            assert run_cli(*trial.arguments, env=env).returncode == 0
            assert rows_outside(look) == before_rows
        elif seed == SEEDS[0]:
            before = tuples(look)
            assert run_cli(*trial.arguments, env=env).returncode == 0
            assert tuples(look) == before


def migrate_to(url: str, seed: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bring the schema to the present version, or to one that depends on the seed."""
    every = migrations.migrations()
    upto = len(every) if seed is None else seed % len(every)
    with monkeypatch.context() as patch, connect(url, application_name="test") as connection:
        patch.setattr(migrations, "migrations", lambda: every[:upto])
        if upto:
            migrations.migrate(connection)
