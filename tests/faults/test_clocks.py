"""A clock that ran ahead: nothing is written under it, what was is told; and the way back."""

from __future__ import annotations

import re
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.http_server import LocalServer
from support.program_sources import SourceFile, runs_by_source, table
from support.store_feed import open_feed, open_observer, state_of, tuples

import dataportal
from dataportal.errors import ClockError, ExitCode, KnowledgeAheadError
from dataportal.store import runs
from dataportal.store import session as under_test
from dataportal.store.clock import check_knowledge, latest_knowledge
from dataportal.store.read import verify as verification
from dataportal.store.records import Outcome
from dataportal.store.session import SourceSession
from dataportal.store.write import transaction
from dataportal.times import utc_now

if TYPE_CHECKING:
    from datetime import datetime

    from conftest import RunCli

# one time after the other, as Citus has it
AHEAD = """
DO $$
DECLARE
    newest timestamptz := (SELECT max(valid_from) FROM time_series_data_scd2);
    written timestamptz := (SELECT max(updated_at) FROM time_series_data);
    closed timestamptz[] := ARRAY(
        SELECT DISTINCT valid_to FROM time_series_data_scd2 WHERE valid_to < 'infinity');
    was timestamptz;
    ahead timestamptz;
BEGIN
    FOREACH was IN ARRAY closed LOOP
        ahead := was + interval '1 year';
        UPDATE time_series_data_scd2 SET valid_to = ahead WHERE valid_to = was;
    END LOOP;
    ahead := newest + interval '1 year';
    UPDATE time_series_data_scd2 SET valid_from = ahead WHERE valid_from = newest;
    ahead := written + interval '1 year';
    UPDATE time_series_data SET updated_at = ahead WHERE updated_at = written;
END
$$;
UPDATE source_state SET last_knowledge_time = last_knowledge_time + interval '1 year',
    known_through = known_through + interval '1 year',
    last_success_at = last_success_at + interval '1 year';
"""


@pytest.mark.parametrize(("seconds", "passes"), [(299, True), (301, False)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_five_minutes_to_the_second(
    database_url: str, monkeypatch: pytest.MonkeyPatch, seconds: int, sign: int, *, passes: bool
) -> None:
    """Four minutes and 59 seconds of difference pass, in each step of a run; two more do not."""

    def other_clock() -> datetime:
        return utc_now() + timedelta(seconds=sign * seconds)

    for module in (under_test, transaction, runs):
        with open_feed(database_url) as feed, monkeypatch.context() as patch:
            if module is under_test:
                feed({0: 1.0})
                patch.setattr(module, "utc_now", other_clock)
                session = SourceSession.open(database_url, "another")
                try:
                    with nullcontext() if passes else pytest.raises(ClockError):
                        session.try_lock()
                finally:
                    session.close()
                continue
            patch.setattr(module, "utc_now", other_clock)
            with nullcontext() if passes else pytest.raises(ClockError):
                if module is transaction:
                    feed({0: 1.0 + seconds + sign})
                else:
                    feed.session.finish_run(feed.run, Outcome.UNCHANGED)


@pytest.mark.parametrize(("seconds", "is_well"), [(299, True), (301, False)])
@pytest.mark.parametrize("field", ["last_knowledge_time", "known_through"])
def test_knowledge_that_lies_five_minutes_ahead(
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    field: str,
    seconds: int,
    *,
    is_well: bool,
) -> None:
    """To the second, for whoever fetches and for whoever verifies, by the program's clock."""
    ahead = utc_now() + timedelta(days=1)
    now = ahead - timedelta(seconds=seconds)
    with open_feed(database_url) as feed:
        feed({0: 1.0})
        feed.finish()
    with open_observer(database_url) as owner:
        owner.execute(f"UPDATE source_state SET {field} = %s".encode(), (ahead,))  # noqa: S608 - ours
        with nullcontext() if is_well else pytest.raises(KnowledgeAheadError):
            check_knowledge(latest_knowledge(owner, "grid"), "grid", now=now)
        monkeypatch.setattr(verification, "utc_now", lambda: now)
        faults = [fault for fault in verification.verify(owner) if "yet to come" in str(fault)]
        assert bool(faults) is not is_well


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
@pytest.mark.database
@pytest.mark.parametrize(
    ("page", "tables"),
    [
        ("troubleshooting", "database_url"),
        ("citus", "database_url"),
        pytest.param("citus", "citus_url", marks=pytest.mark.citus),
    ],
)
def test_what_was_written_under_a_clock_that_ran_ahead(
    tmp_path: Path, request: pytest.FixtureRequest, run_cli: RunCli, page: str, tables: str
) -> None:
    """Told by every command that looks; the statement in the manual brings the times back."""
    database_url: str = request.getfixturevalue(tables)
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
            owner.execute(statement(page).encode())
        # what was verified stays ill until it is again
        for command in ("verify", "healthcheck"):
            well = run_cli(command, env=env)
            assert well.returncode == 0, well.stdout
        assert ",2.5," in run_cli(*AS_OF_NOW, env=env).stdout
        assert run_cli("fetch-all", env=env).returncode == 0
        assert ",3.5," in run_cli(*AS_OF_NOW, env=env).stdout
        assert run_cli("verify", env=env).returncode == 0


AS_OF_NOW = ("history", "load", "--as-of", "now", "--format", "csv")


def statement(topic: str) -> str:
    """What a page of the manual tells the owner of the tables to run."""
    page = Path(dataportal.__file__).parent / "manual" / f"{topic}.md"
    block = re.search(
        r"```sql\n(BEGIN;.*?COMMIT;)\n```", page.read_text(encoding="utf-8"), re.DOTALL
    )
    assert block
    return block[1]
