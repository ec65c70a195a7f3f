"""Databases that are not in UTF-8: what the program stores works there, or is refused once."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from psycopg.sql import SQL, Identifier, Literal
from support.databases import admin_connection, with_schema
from support.http_server import LocalServer
from support.program_sources import SourceFile, recorded_runs, runs_by_source, table
from support.store_feed import open_observer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import RunCli

SQL_FILES = sorted((Path(__file__).parents[2] / "sql").rglob("*.sql"))


@pytest.fixture
def encoded_url(server_url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database with the encoding that the test asks for."""
    name = f"dataportal_test_{token_hex(6)}"
    with admin_connection(server_url) as admin:
        admin.execute(
            SQL(
                "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LOCALE_PROVIDER libc LOCALE 'C'"
            ).format(Identifier(name), Literal(request.param))
        )
        url = urlsplit(server_url)._replace(path=f"/{name}").geturl()
        try:
            with_schema(url)
            yield url
        finally:
            admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def described(sources: SourceFile, url: str, name: str, text: str, **keys: str) -> None:
    """A source whose every text has this one in it."""
    sources.csv(name, url, **keys)
    further = {"name": text, "description": text, "unit": text, "owner": {text: [text]}}
    sources.entries[name]["metadata"] |= further


@pytest.mark.parametrize("encoded_url", ["SQL_ASCII", "LATIN1", "UTF8"], indirect=True)
def test_what_the_encoding_can_hold(tmp_path: Path, encoded_url: str, run_cli: RunCli) -> None:
    """Comes back as the text that it was, and is not written again; names, too."""
    env = {"DATABASE_URL": encoded_url}
    text = "Énergie à Zürich"
    sources = SourceFile(tmp_path)
    with LocalServer() as server:
        described(sources, server.answer("/a.csv", table([1.0])), "zürich", text)
        sources.write()
        for expected in (1, 0):
            done = run_cli("fetch-all", "--json", env=env)
            assert done.returncode == 0, done.stderr
            assert runs_by_source(done)["zürich"]["inserted"] == expected
            assert not runs_by_source(done)["zürich"]["warnings"]
    shown = run_cli("history", "zürich", env=env)
    assert shown.returncode == 0, shown.stderr
    assert text in shown.stdout
    assert run_cli("healthcheck", env=env).returncode == 0
    assert run_cli("verify", env=env).returncode == 0
    path = tmp_path / "a.jsonl"
    assert run_cli("dump", "zürich", str(path), env=env).returncode == 0
    assert text in path.read_text(encoding="utf-8")
    assert run_cli("restore", str(path), env=env).returncode == 0


@pytest.mark.parametrize("encoded_url", ["SQL_ASCII", "UTF8"], indirect=True)
def test_what_every_encoding_but_one_lacks(
    tmp_path: Path, encoded_url: str, run_cli: RunCli
) -> None:
    """A database without an encoding keeps it as one in UTF-8 does."""
    text = "€ 電力 🔌"
    sources = SourceFile(tmp_path)
    with LocalServer() as server:
        described(sources, server.answer("/a.csv", table([1.0])), "load", text)
        sources.write()
        done = run_cli("fetch", "load", env={"DATABASE_URL": encoded_url})
    assert done.returncode == 0, done.stderr
    with open_observer(encoded_url) as look:
        look.execute("SET client_encoding = 'UTF8'")
        rows = look.execute("SELECT name, unit, metadata FROM time_series").fetchall()
    assert rows == [(text, text, {"owner": {text: [text]}})]


@pytest.mark.parametrize("encoded_url", ["LATIN1", "WIN1252"], indirect=True)
def test_what_the_encoding_cannot_hold(tmp_path: Path, encoded_url: str, run_cli: RunCli) -> None:
    """Is refused once, with its character, 78, and by healthcheck; the others are stored."""
    env = {"DATABASE_URL": encoded_url, "RETRY_DELAY_SECONDS": "0"}
    sources = SourceFile(tmp_path)
    with LocalServer() as server:
        good = server.answer("/a.csv", table([1.0]))
        described(sources, good, "tokyo", "電力")
        sources.csv("good", good)
        sources.write()
        done = run_cli("fetch-all", "--json", env=env)
    assert done.returncode == 78, done.stderr
    runs = runs_by_source(done)
    assert runs["good"]["outcome"] == "succeeded"
    assert "電" in runs["tokyo"]["error"]
    assert "UTF8" in runs["tokyo"]["error"]
    assert "next attempt" not in done.stderr
    ill = run_cli("healthcheck", env=env)
    assert ill.returncode == 78, ill.stdout
    assert "tokyo" in ill.stdout
    assert "電" in ill.stdout


@pytest.mark.parametrize("encoded_url", ["LATIN1"], indirect=True)
def test_an_error_that_the_encoding_cannot_hold(
    tmp_path: Path, encoded_url: str, run_cli: RunCli
) -> None:
    """Is recorded all the same: the run is closed, and the characters are escaped."""
    sources = SourceFile(tmp_path)
    sources.python("bad", "def get_historical_data(self, *w): raise ValueError('電力 é')")
    sources.write()
    env = {"DATABASE_URL": encoded_url}
    done = run_cli("fetch", "bad", env=env)
    assert done.returncode == 3
    assert "電力 é" in done.stderr
    (run,) = recorded_runs(encoded_url)
    assert run.outcome == "failed"
    assert r"\u96fb\u529b" in (run.error or "")
    assert run_cli("healthcheck", env=env).returncode == 4


@pytest.mark.parametrize("encoded_url", ["SQL_ASCII"], indirect=True)
def test_bytes_that_somebody_else_put_there(
    tmp_path: Path, encoded_url: str, run_cli: RunCli
) -> None:
    """Are no bug of ours: 78, with the bytes."""
    sources = SourceFile(tmp_path)
    with LocalServer() as server:
        sources.csv("load", server.answer("/a.csv", table([1.0])))
        sources.write()
        env = {"DATABASE_URL": encoded_url}
        assert run_cli("fetch", "load", env=env).returncode == 0
        with open_observer(encoded_url) as look:
            look.execute("SET client_encoding = 'SQL_ASCII'")
            look.execute(rb"UPDATE time_series SET name = E'\351'")
        for command in (("fetch", "load"), ("history", "load")):
            done = run_cli(*command, env=env)
            assert done.returncode == 78, done.stderr
            assert "0xe9" in done.stderr


def test_a_name_in_another_encoding(tmp_path: Path, database_url: str, run_cli: RunCli) -> None:
    """On the command line, is no bug of ours."""
    sources = SourceFile(tmp_path)
    sources.csv("load", "a.csv")
    sources.write()
    for command in ("history", "dump", "fetch"):
        further = ["a.jsonl"] if command == "dump" else []
        done = run_cli(command, "caf\udce9", *further, env={"DATABASE_URL": database_url})
        assert done.returncode in {2, 78}, done.stderr


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda path: path.name)
def test_our_own_statements_are_ascii(path: Path) -> None:
    """So that every database can hold the comments that they make."""
    text = path.read_text(encoding="utf-8")
    statements = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    assert statements.isascii()


def test_an_encoding_that_the_server_cannot_convert(
    tmp_path: Path, server_url: str, run_cli: RunCli
) -> None:
    """Is refused as what does not pass, with the way out."""
    name = f"dataportal_test_{token_hex(6)}"
    sources = SourceFile(tmp_path)
    sources.csv("load", "load.csv")
    sources.write()
    with admin_connection(server_url) as admin:
        admin.execute(
            SQL(
                "CREATE DATABASE {} TEMPLATE template0 ENCODING 'MULE_INTERNAL'"
                " LOCALE_PROVIDER libc LOCALE 'C'"
            ).format(Identifier(name))
        )
        try:
            url = urlsplit(server_url)._replace(path=f"/{name}").geturl()
            done = run_cli("fetch", "load", env={"DATABASE_URL": url})
        finally:
            admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
    assert done.returncode == 78, done.stderr
    assert "ENCODING 'UTF8'" in done.stderr
