"""Sessions that runs hand on to each other, and what those of one process share."""

from __future__ import annotations

import asyncio
from contextlib import closing
from functools import partial
from threading import BoundedSemaphore, Event
from typing import TYPE_CHECKING, Any

import pytest
from support.config_files import Folder
from support.store_feed import (
    AtWork,
    current,
    hour,
    hour_of,
    open_feed,
    open_observer,
    progress_of,
)

from dataportal.collect.lease import Lease
from dataportal.collect.run_context import RunContext
from dataportal.collect.session_pool import SessionPool
from dataportal.collect.workers import WorkerPool
from dataportal.errors import Interrupted, LockLostError
from dataportal.on_locked import OnLocked
from dataportal.plugins.http import HttpClient
from dataportal.settings import Settings
from dataportal.store.session import SourceSession
from dataportal.store.write import transaction as storing
from dataportal.store.write.diff import Sizes
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg

    from dataportal.collect.session_pool import ThreadedSession


@pytest.fixture
def look(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Sees who is connected, and what is stored."""
    with open_observer(database_url) as connection:
        yield connection


@pytest.fixture
def sessions(database_url: str) -> Iterator[SessionPool]:
    """Closed in the end."""
    made = SessionPool(database_url)
    yield made
    made.close()


def pid(session: ThreadedSession) -> int:
    """The server process that serves a session."""
    return session.session._connection.info.backend_pid


def application_names(look: psycopg.Connection[Any], number: int) -> str:
    """What the server calls a process."""
    query = "SELECT application_name FROM pg_stat_activity WHERE pid = %s"
    row = look.execute(query, [number]).fetchone()
    return row[0] if row else ""


def test_the_next_source_gets_the_same_connection(
    sessions: SessionPool, database_url: str, look: psycopg.Connection[Any]
) -> None:
    """Under its own name and with its own lock; that of the one before is free."""

    async def runs() -> None:
        first = await sessions.open("wind")
        assert await first.thread.call(first.session.try_lock)
        sessions.hand_back(first)
        second = await sessions.open("load")
        assert pid(second) == pid(first)
        assert application_names(look, pid(second)) == "dataportal load"
        assert await second.thread.call(second.session.try_lock)
        with (
            closing(SourceSession.open(database_url, "wind")) as wind,
            closing(SourceSession.open(database_url, "load")) as load,
        ):
            assert wind.try_lock()
            assert not load.try_lock()
        second.close()

    asyncio.run(runs())


def test_who_runs_beside_it_gets_another(sessions: SessionPool) -> None:
    """A connection belongs to one source at a time."""

    async def runs() -> None:
        first, second = await sessions.open("wind"), await sessions.open("load")
        assert pid(first) != pid(second)
        for session in (first, second):
            sessions.hand_back(session)
        again = [await sessions.open("wind"), await sessions.open("load")]
        assert {pid(session) for session in again} == {pid(first), pid(second)}
        for session in again:
            session.close()

    asyncio.run(runs())


def test_a_connection_that_was_lost_meanwhile_is_replaced(
    sessions: SessionPool, look: psycopg.Connection[Any]
) -> None:
    """Without a word: the next source is no worse off than if it had been the first."""

    async def runs() -> None:
        first = await sessions.open("wind")
        sessions.hand_back(first)
        look.execute("SELECT pg_terminate_backend(%s, 10000)", [pid(first)])
        second = await sessions.open("load")
        assert pid(second) != pid(first)
        assert await second.thread.call(second.session.try_lock)
        second.close()

    asyncio.run(runs())


def test_a_source_takes_over_in_one_call(
    sessions: SessionPool, look: psycopg.Connection[Any]
) -> None:
    """The lock is had under the source's own name, by whichever connection is there."""

    async def runs() -> None:
        first = await sessions.open("wind")
        sessions.hand_back(first)
        second = sessions.take_over("load")
        assert second is not None
        assert await second.thread.call(second.session.try_lock)
        assert pid(second) == pid(first)
        assert application_names(look, pid(second)) == "dataportal load"
        assert sessions.take_over("solar") is None
        second.close()

    asyncio.run(runs())


def test_a_lease_replaces_a_connection_that_was_lost_meanwhile(
    sessions: SessionPool, look: psycopg.Connection[Any], tmp_path: Path
) -> None:
    """The source is locked and registered by a new one, and nobody is told."""
    lease, events = lease_of("load", sessions, tmp_path)

    async def runs() -> None:
        first = await sessions.open("wind")
        sessions.hand_back(first)
        look.execute("SELECT pg_terminate_backend(%s, 10000)", [pid(first)])
        registration = await lease.acquire()
        assert registration is not None
        assert list(registration.progress) == ["load"]
        lease.release()

    asyncio.run(runs())
    assert events == []


def lease_of(source: str, sessions: SessionPool, folder: Path) -> tuple[Lease, list[object]]:
    """The lease of a source of one series, and the events that it emits."""
    events: list[object] = []
    context = RunContext(
        settings=Settings(),
        root=folder,
        env={},
        emit=events.append,
        on_failure=lambda *_: None,
        slots=asyncio.Semaphore(1),
        workers=WorkerPool(),
        sessions=sessions,
        http=HttpClient(),
    )
    entry = Folder(folder).source(
        f"""
        timeseries:
          {source}:
            module: dataportal.plugins.data_sources.http_plugin
            class: HttpJsonPlugin
            metadata: {{name: {source}}}
        """
    )
    return (
        Lease(
            entry,
            context,
            OnLocked.FAIL,
            reads_state=False,
            reads_validators=True,
            register=lambda session, snapshot: session.register(entry.series, snapshot=snapshot),
        ),
        events,
    )


@pytest.mark.parametrize("kept", [False, True])
def test_what_is_kept_of_answers_is_read_with_the_lock(kept: bool, database_url: str) -> None:  # noqa: FBT001 - a parameter
    """Then it is known without asking that nothing is; a slice that is stored makes it unknown."""
    with open_feed(database_url) as feed:
        feed({0: 1.0})
        if kept:
            feed.session._connection.execute("UPDATE source_state SET http_validators = '{}'")
        feed.session.unlock()
        assert not feed.session.keeps_no_validators
        assert feed.session.try_lock(["load"], with_validators=True)
        assert feed.session.keeps_no_validators is not kept
        requests = feed.session.conditional_requests("me", hour(0), utc_now())
        assert requests.any_stored is kept
        assert not feed.session.keeps_no_validators


class Slots(BoundedSemaphore):
    """One slot; tells when it is asked for."""

    def __init__(self) -> None:
        super().__init__(1)
        self.asked = Event()

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:  # noqa: FBT001, FBT002 - the library's
        """As the library's."""
        self.asked.set()
        return super().acquire(blocking, timeout)


def test_a_large_slice_waits_for_a_slot(
    database_url: str, look: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are few in a process; a stop ends the waiting, and a small slice needs none."""
    slots = Slots()
    monkeypatch.setattr(storing, "_SLOTS", slots)
    for stop in (True, False):
        with open_feed(database_url, sizes=Sizes(looked_up=1)) as feed:
            with slots:
                feed({0: 1.0})
                slots.asked.clear()
                work = AtWork(partial(feed, {0: 2.0, 1: 2.0}))
                assert slots.asked.wait(30)
                if stop:
                    feed.session.stop()
                    assert isinstance(work.end(), Interrupted)
                assert current(look) == {0: 1.0}
            assert stop or work.end() is None
    assert current(look) == {0: 2.0, 1: 2.0}


def test_a_source_whose_row_was_deleted_is_told_what_to_do(
    database_url: str, look: psycopg.Connection[Any]
) -> None:
    """Nothing is stored for it until a run has made the row anew."""
    with open_feed(database_url) as feed:
        feed({0: 1.0})
        look.execute("DELETE FROM source_state")
        with pytest.raises(LockLostError, match="no row in source_state any more") as refused:
            feed({0: 2.0})
        assert "Run again" in str(refused.value.hint)
        assert current(look) == {0: 1.0}
    with open_feed(database_url) as feed:
        feed({0: 2.0})
    assert current(look) == {0: 2.0}


@pytest.mark.parametrize("days", [-400, 1, 89, 91, 400, 30_000])
def test_how_far_a_series_has_come_whenever_that_was(days: int, database_url: str) -> None:
    """Its newest observation, be it ahead, recent or old; of one without any there is none.

    Also when the newest was taken back, so that an old one is the newest again.
    """
    newest = hour_of(utc_now()) - days * 24
    with open_feed(database_url, "load", "wind") as feed:
        feed({newest: 1.0, newest - 5_000: 2.0})
        progress = progress_of(feed.session)
        assert (progress["load"].newest, progress["wind"].newest) == (hour(newest), None)
        assert progress["load"].advanced_at is not None
        feed({newest: None}, accept_retractions=True)
        assert progress_of(feed.session)["load"].newest == hour(newest - 5_000)
