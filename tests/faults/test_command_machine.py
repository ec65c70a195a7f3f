"""A state machine on the command line: two processes fetch one source, and agree with a model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from support.http_server import LocalServer
from support.invariants import Finals, broken_invariants
from support.program_sources import SourceFile, await_ends, runs_by_source, table
from support.store_feed import current, open_observer, values
from support.store_model import Model

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import StartCli
    from support.store_feed import Points

ANSWERS = st.dictionaries(
    st.integers(0, 9), st.sampled_from([None, 1.0, 2.0, 3.0]), min_size=1, max_size=10
)


class CommandMachine(RuleBasedStateMachine):
    """One database and one source for all examples, which only ever add to its history."""

    server: ClassVar[LocalServer]
    start: ClassVar[StartCli]
    url: ClassVar[str]
    model: ClassVar[Model]
    passed: ClassVar[list[Finals]]

    @rule(
        first=ANSWERS,
        second=ANSWERS,
        on_locked=st.sampled_from(["wait", "skip"]),
        accept=st.booleans(),
    )
    def fetch_twice_at_once(
        self, first: Points, second: Points, *, on_locked: str, accept: bool
    ) -> None:
        """As many answers as were asked for are stored, one after the other."""
        self.server.answer("/load.csv", table(first), table(second))
        before = self.server.asked("/load.csv")
        options = ["--accept-retractions"] if accept else []
        processes = [
            type(self).start(
                *("fetch", "load", "--json", "--on-locked", on_locked, *options),
                env={"DATABASE_URL": self.url},
            )
            for _ in range(2)
        ]
        outputs = await_ends(processes)
        runs = [runs_by_source(out)["load"] for out, _ in outputs]
        requests = self.server.asked("/load.csv") - before
        assert requests == sum(run["outcome"] != "skipped" for run in runs)
        assert requests == 2 or (requests == 1 and on_locked == "skip")
        changed = 0
        for answer in (first, second)[:requests]:
            merged = self.model.merge(
                {"load": answer}, datetime.now(UTC), accept=accept, write=True
            )
            changed += merged.counts.changed
        assert changed == sum(
            run[what] for run in runs for what in ("inserted", "revised", "retracted")
        )
        self.look()

    def look(self) -> None:
        """Both tables are those of the model, and what was final before is what it was."""
        with open_observer(self.url) as look:
            assert broken_invariants(look) == []
            assert current(look) == self.model.stored("load")
            assert values(look) == {
                h: [span.value for span in spans]
                for (_, h), spans in self.model.versions.items()
                if spans
            }
            assert [finals.changed_sources(look) for finals in self.passed] == [[]] * len(
                self.passed
            )
            self.passed.append(Finals(look))


@pytest.mark.slow
def test_two_processes_agree_with_the_model(
    tmp_path: Path, database_url: str, start_cli: StartCli
) -> None:
    """Whichever of them comes first, waits or is turned away."""
    with LocalServer() as its_server:
        sources = SourceFile(tmp_path)
        sources.csv("load", its_server.url + "/load.csv")
        sources.write()

        class Machine(CommandMachine):
            server, url, model = its_server, database_url, Model(("load",))
            passed: ClassVar[list[Finals]] = []

        Machine.start = staticmethod(start_cli)
        run_state_machine_as_test(Machine, settings=settings(max_examples=2, stateful_step_count=5))
    assert len(Machine.passed) > 4
