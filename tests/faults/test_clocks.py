"""A clock that ran ahead: nothing is written under it, what was is told; and the way back."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.http_server import LocalServer
from support.program_sources import SourceFile, runs_by_source, table
from support.store_feed import open_feed, open_observer, state_of, tuples

import dataportal
from dataportal.errors import ClockError, ExitCode
from dataportal.store import runs
from dataportal.store import session as under_test
from dataportal.store.records import Outcome
from dataportal.store.session import SourceSession
from dataportal.store.write import transaction
from dataportal.times import utc_now

if TYPE_CHECKING:
    from datetime import datetime

    from conftest import RunCli

AHEAD = """
UPDATE time_series_data_scd2 SET valid_to = valid_to + interval '1 year'
WHERE valid_to < 'infinity';
UPDATE time_series_data_scd2 SET valid_from = valid_from + interval '1 year'
WHERE valid_from = (SELECT max(valid_from) FROM time_series_data_scd2);
UPDATE time_series_data SET updated_at = updated_at + interval '1 year'
WHERE updated_at = (SELECT max(updated_at) FROM time_series_data);
UPDATE source_state SET last_knowledge_time = last_knowledge_time + interval '1 year',
    known_through = known_through + interval '1 year',
    last_success_at = last_success_at + interval '1 year';
"""


@pytest.mark.parametrize("minutes", [-6, 6])
def test_clocks_that_differ(
    database_url: str, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """More than five minutes: the lock is not kept, and it may pass."""
    with open_feed(database_url) as feed:
        feed({0: 1.0})
    monkeypatch.setattr(under_test, "utc_now", lambda: utc_now() + timedelta(minutes=minutes))
    session = SourceSession.open(database_url, "grid")
    try:
        with pytest.raises(ClockError, match="nothing is written") as caught:
            session.try_lock()
    finally:
        session.close()
    assert caught.value.exit_code is ExitCode.DATABASE
    monkeypatch.setattr(under_test, "utc_now", lambda: utc_now() + timedelta(minutes=4))
    with open_feed(database_url) as feed:
        feed({0: 2.0})


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_clock_that_jumps_while_the_provider_is_asked(
    database_url: str, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """What comes then is not stored, and nothing is made final at the end."""

    def jumped() -> datetime:
        return utc_now() + timedelta(minutes=minutes)

    with open_feed(database_url) as feed, open_observer(database_url) as look:
        feed({0: 1.0})
        feed.finish()
        feed.start()
        before = tuples(look), state_of(feed.session)
        with monkeypatch.context() as patch:
            patch.setattr(transaction, "utc_now", jumped)
            with pytest.raises(ClockError, match="nothing is written"):
                feed({0: 2.0, 1: 3.0})
            assert (tuples(look), state_of(feed.session)) == before
            # what is the same needs no time
            assert feed({0: 1.0}).counts.unchanged == 1
        with monkeypatch.context() as patch:
            patch.setattr(runs, "utc_now", jumped)
            with pytest.raises(ClockError, match="nothing is written"):
                feed.session.finish_run(feed.run, Outcome.UNCHANGED)
            state = state_of(feed.session)
            assert state.known_through == before[1].known_through
            assert state.last_success
            assert state.last_success <= utc_now()
            # recorded as what it is
            feed.session.finish_run(feed.run, Outcome.FAILED, error="the clocks differ")
            assert state_of(feed.session).known_through == before[1].known_through
        feed.start()
        feed({0: 2.0})
        feed.finish()
        after = state_of(feed.session).known_through
        assert before[1].known_through
        assert after
        assert after > before[1].known_through


@pytest.mark.slow
def test_what_was_written_under_a_clock_that_ran_ahead(
    tmp_path: Path, database_url: str, run_cli: RunCli
) -> None:
    """Told by every command that looks; the statement in the manual brings the times back."""
    env = {"DATABASE_URL": database_url}
    sources = SourceFile(tmp_path)
    with LocalServer() as server:
        good = server.answer("/good.csv", table([1.0]))
        sources.csv("load", server.answer("/load.csv", *(table([v, 9.0]) for v in (1.5, 2.5, 3.5))))
        sources.csv("other", good)
        sources.write()
        for _ in range(2):
            assert run_cli("fetch", "load", env=env).returncode == 0
        with open_observer(database_url) as owner:
            owner.execute(AHEAD.encode())
        refused = run_cli("fetch-all", "--json", env=env)
        assert refused.returncode == 78, refused.stderr
        runs = runs_by_source(refused)
        assert "which is yet to come" in runs["load"]["error"]
        assert runs["other"]["outcome"] == "succeeded"
        for command in ("healthcheck", "verify"):
            ill = run_cli(command, env=env)
            assert ill.returncode == 4, ill.stdout
            assert "yet to come" in ill.stdout
        assert ",1.5," in run_cli(*AS_OF_NOW, env=env).stdout
        with open_observer(database_url) as owner:
            owner.execute(statement().encode())
        # what was verified stays ill until it is again
        for command in ("verify", "healthcheck"):
            well = run_cli(command, env=env)
            assert well.returncode == 0, well.stdout
        assert ",2.5," in run_cli(*AS_OF_NOW, env=env).stdout
        assert run_cli("fetch-all", env=env).returncode == 0
        assert ",3.5," in run_cli(*AS_OF_NOW, env=env).stdout
        assert run_cli("verify", env=env).returncode == 0


AS_OF_NOW = ("history", "load", "--as-of", "now", "--format", "csv")


def statement() -> str:
    """What the manual tells the owner of the tables to run."""
    page = Path(dataportal.__file__).parent / "manual" / "troubleshooting.md"
    found = re.search(
        r"```sql\n(BEGIN;.*?COMMIT;)\n```", page.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found
    return found[1]
