"""Files that a list names: those that it says are unchanged are not asked for again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support.http_server import Reply
from support.program_sources import runs_by_source

if TYPE_CHECKING:
    from conftest import RunCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile

DAY = timedelta(days=1)
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


class Folder:
    """A folder of files on a server, shown with the size of each."""

    def __init__(self, server: LocalServer) -> None:
        self.server = server
        self.files: dict[str, tuple[str, str]] = {}
        self.show()

    def put(self, name: str, *rows: tuple[datetime, float], size: str = "") -> None:
        """A file with these rows; the folder shows this size, or that of the file."""
        day = f"{name[2:6]}-{name[6:8]}-{name[8:10]}T00:00:00Z"
        text = "t,v,p\n" + "".join(f"{ts.isoformat()},{value},{day}\n" for ts, value in rows)
        self.files[name] = (text, size or str(len(text)))
        self.server.answer(f"/{name}", Reply(body=text.encode(), content_type="text/csv"))
        self.show()

    def show(self, *, sizes: bool = True) -> None:
        """The page of the folder."""
        links = [
            f'<a href="{name}">{name}</a>' + (f"   {size}" if sizes else "")
            for name, (_, size) in self.files.items()
        ]
        body = "<html><pre>\n" + "\n".join(links) + "\n</pre></html>"
        self.server.answer("/", Reply(body=body.encode(), content_type="text/html"))

    def asked(self) -> list[str]:
        """The files that were asked for since this was asked last."""
        paths = [request.path[1:] for request in self.server.requests if request.path != "/"]
        self.server.requests.clear()
        return sorted(paths)


@pytest.fixture
def folder(server: LocalServer) -> Folder:
    """An empty folder."""
    return Folder(server)


def describe(sources: SourceFile, folder: Folder, **params: Any) -> None:
    """A source of the files of a folder, by the day in their names."""
    index = {
        "url": f"{folder.server.url}/",
        "pattern": r"_(?P<time>\d{8})\.csv$",
        "time_format": "%Y%m%d",
        "after": "3 days",
    }
    given = {"index": index, "ts": "t", "value": "v", **params}
    sources.add("files", "http_plugin.HttpCsvPlugin", given, {"forecast_horizon": "10 days"})
    sources.write()


def run(run_cli: RunCli, env: dict[str, str]) -> str:
    """How a run ended."""
    outcome: str = runs_by_source(run_cli("fetch", "files", "--json", env=env))["files"]["outcome"]
    return outcome


def name(days_ago: int) -> str:
    """The file of a day."""
    return f"f_{TODAY - days_ago * DAY:%Y%m%d}.csv"


def test_unchanged_files_are_not_asked_for_again(
    sources: SourceFile,
    folder: Folder,
    env: dict[str, str],
    database_url: str,
    run_cli: RunCli,
) -> None:
    """A new file is asked for alone, although older ones have points of the same times.

    One that has changed comes again, and so do all after it: their points come after its own.
    """
    for ago in (4, 3, 2):
        day = TODAY - ago * DAY
        folder.put(name(ago), (day, float(ago)), (day + DAY, 10.0 * ago))
    describe(sources, folder)
    assert run(run_cli, env) == "succeeded"
    assert folder.asked() == [name(4), name(3), name(2)]
    assert run(run_cli, env) == "unchanged"
    assert folder.asked() == []

    folder.put(name(1), (TODAY - DAY, 1.0), (TODAY, 10.0))
    assert run(run_cli, env) == "succeeded"
    assert folder.asked() == [name(1)]

    day = TODAY - 3 * DAY
    folder.put(name(3), (day, 3.5), (day + DAY, 33.0), size="99")
    assert run(run_cli, env) == "succeeded"
    assert folder.asked() == [name(3), name(2), name(1)]
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT value FROM time_series_data ORDER BY ts").fetchall()
    assert [value for (value,) in rows] == [4.0, 3.5, 2.0, 1.0, 10.0]


def test_files_of_which_the_list_says_nothing_are_asked_for_again(
    sources: SourceFile, folder: Folder, env: dict[str, str], run_cli: RunCli
) -> None:
    """A name alone does not tell whether a file has changed."""
    folder.put(name(2), (TODAY - 2 * DAY, 1.0))
    folder.show(sizes=False)
    describe(sources, folder)
    for _ in range(2):
        run(run_cli, env)
        assert folder.asked() == [name(2)]


def test_with_publications_each_file_stands_for_itself(
    sources: SourceFile, folder: Folder, env: dict[str, str], run_cli: RunCli
) -> None:
    """Those after a file that changed need not come again: each has publications of its own.

    But its neighbour does, as nobody knows on which side of a link its size stands.
    """
    for ago in (5, 4, 3, 2):
        folder.put(name(ago), (TODAY - ago * DAY, float(ago)))
    describe(sources, folder, published_at="p")
    assert run(run_cli, env) == "succeeded"
    assert folder.asked() == [name(5), name(4), name(3), name(2)]
    folder.put(name(5), (TODAY - 5 * DAY, 5.5), size="99")
    run(run_cli, env)
    assert folder.asked() == [name(5), name(4)]


def test_files_that_reach_beyond_the_horizon_are_asked_for_again(
    sources: SourceFile, folder: Folder, env: dict[str, str], run_cli: RunCli
) -> None:
    """They have more to tell then; those that end before are not."""
    folder.put(name(3), (TODAY - 3 * DAY, 3.0))
    folder.put(name(1), (TODAY - DAY, 1.0), (TODAY + 20 * DAY, 20.0))
    describe(sources, folder)
    for expected in ([name(3), name(1)], [name(1)]):
        run(run_cli, env)
        assert folder.asked() == expected


def test_what_was_changed_by_hand_comes_back(
    sources: SourceFile, folder: Folder, env: dict[str, str], database_url: str, run_cli: RunCli
) -> None:
    """What the list says of files is not believed of a database that has changed meanwhile."""
    folder.put(name(2), (TODAY - 2 * DAY, 1.0))
    describe(sources, folder)
    run(run_cli, env)
    folder.asked()
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE time_series_data SET value = 7")
    run(run_cli, env)
    assert folder.asked() == [name(2)]
