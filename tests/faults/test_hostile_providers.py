"""The program against a provider that does everything wrong, with secrets wherever they can be.

Each way to fail is provoked with keys in the path, in the query and in a header, and a password in
DATABASE_URL. Then everything that was written, to stdout, stderr and every table of the database,
is searched for the canaries that these secrets are.
"""

from __future__ import annotations

import secrets
import ssl
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from support.hostile_providers import GOOD, HOSTILITIES, MIB, POINTS
from support.http_server import LocalServer, Reply
from support.invariants import broken_invariants
from support.memory_use import run_watching_memory
from support.program_sources import SourceFile, outcomes, runs_by_source
from support.store_feed import current, open_observer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import RunCli

CANARY = "kanari"
KEYS = {
    "PATH_KEY": f"{CANARY}-im-pfad",
    "QUERY_KEY": f'{CANARY}/in+frage="42%',
    "HEADER_TOKEN": f"{CANARY} im kopf/+=",
}
PASSWORD = f"{CANARY}-geheim/+%"
LITTLE = 600 * MIB  # of memory: the cap of a body, twice, and the program itself
CERTIFICATES = Path(__file__).parents[1] / "plugins" / "certificates"


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A provider."""
    with LocalServer() as local:
        yield local


@contextmanager
def with_password(url: str) -> Iterator[str]:
    """The URL for a role of its own, whose password is a canary."""
    role = f"canary_{secrets.token_hex(4)}"
    with open_observer(url) as look:
        look.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{PASSWORD}'".encode())
        parts = urlsplit(url)
        address = parts.netloc.rpartition("@")[2]
        try:
            yield parts._replace(netloc=f"{role}:{quote(PASSWORD, safe='')}@{address}").geturl()
        finally:
            look.execute(f"REASSIGN OWNED BY {role} TO current_user".encode())
            look.execute(f"DROP ROLE {role}".encode())


def source(folder: Path, url: str, plugin: str = "HttpJsonPlugin", **keys: Any) -> SourceFile:
    """A sources.yaml with a key in each part of the request."""
    params = {
        "url": url + "/${PATH_KEY}",
        "query": {"key": "${QUERY_KEY}"},
        "headers": {"X-Api-Key": "${HEADER_TOKEN}"},
        "ts": "ts",
        "value": "value",
        **({"error": "error"} if plugin == "HttpJsonPlugin" else {}),
        **({"rows": "row"} if plugin == "HttpXmlPlugin" else {}),
    }
    sources = SourceFile(folder)
    sources.add("load", f"http_plugin.{plugin}", params, {"initial_history": "all", **keys})
    sources.write()
    return sources


def environment(url: str, folder: Path, *, in_file: bool) -> dict[str, str]:
    """Two retries, quick ones; the URL of the database in a file or not."""
    retries = {"MAX_RETRIES": "2", "RETRY_DELAY_SECONDS": "0.05", **KEYS}
    if not in_file:
        return {**retries, "DATABASE_URL": url}
    file = folder / "database-url"
    file.write_text(url + "\n")
    return {**retries, "DATABASE_URL_FILE": str(file)}


def stored_rows(url: str) -> str:
    """Every row of every table."""
    with open_observer(url) as look:
        tables = look.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        return "\n".join(
            str(row)
            for (name,) in tables
            for row in look.execute(SQL("SELECT t::text FROM {} AS t").format(Identifier(name)))
        )


def measure_run(*args: str, env: dict[str, str], cwd: Path) -> tuple[int, str, str, int]:
    """Run the program: its exit code, what it wrote, and the most memory it used, in bytes."""
    with (cwd / "out").open("w+") as out, (cwd / "err").open("w+") as err:
        program = (sys.executable, "-m", "dataportal", *args)
        code, memory = run_watching_memory(*program, env=env, cwd=cwd, stdout=out, stderr=err)
        out.seek(0)
        err.seek(0)
        return code, out.read(), err.read(), memory


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILITIES)
def test_a_hostile_provider(
    name: str,
    tmp_path: Path,
    server: LocalServer,
    database_url: str,
    clean_environment: dict[str, str],
) -> None:
    """Told as it is, asked again only if that may help, in little memory; no secret is seen."""
    hostility = HOSTILITIES[name]
    path = f"/data/{KEYS['PATH_KEY']}"
    server.answer(path, *hostility.replies())
    source(tmp_path, f"{server.url}/data", hostility.plugin, **hostility.keys)
    odd = bool(list(HOSTILITIES).index(name) % 2)
    with with_password(database_url) as url:
        env = clean_environment | environment(url, tmp_path, in_file=odd)
        style = "json" if odd else "text"
        code, out, err, memory = measure_run(
            *("fetch", "load", "--json", "--log-level", "debug", "--log-format", style),
            env=env,
            cwd=tmp_path,
        )
        stored = stored_rows(database_url)
    run = runs_by_source(out)["load"]
    assert (code, server.asked(path)) == (hostility.code, hostility.requests), (out, err)
    if hostility.error is None:
        assert run["outcome"] == "succeeded"
    else:
        assert run["outcome"] == "failed"
        assert hostility.error in run["error"]
    assert memory < LITTLE
    assert "root:" not in out + err + stored
    with open_observer(database_url) as look:
        expected = {} if hostility.error is not None else {h: float(h) for h in range(len(POINTS))}
        assert current(look) == expected
        assert broken_invariants(look) == []
    assert outcomes(database_url) == [run["outcome"]]
    # the secrets were sent, and are seen nowhere
    first = server.requests[0]
    assert first.headers["x-api-key"] == KEYS["HEADER_TOKEN"]
    assert first.query["key"] == [KEYS["QUERY_KEY"]]
    assert CANARY not in out + err + stored


@pytest.mark.slow
def test_a_redirect_to_another_host(
    tmp_path: Path, server: LocalServer, database_url: str, run_cli: RunCli
) -> None:
    """It is followed, but no key travels along; where one would have to, it is not followed."""
    with LocalServer() as second:
        elsewhere = second.url.replace("127.0.0.1", "localhost")
        second.answer("/there", GOOD)
        path = f"/data/{KEYS['PATH_KEY']}"
        server.answer(
            path, lambda r: Reply.redirect(f"{elsewhere}/there?{r.target.partition('?')[2]}")
        )
        source(tmp_path, f"{server.url}/data")
        env = environment(database_url, tmp_path, in_file=False)
        followed = run_cli("fetch", "load", "--log-level", "debug", env=env)
        assert followed.returncode == 0, followed.stderr
        (request,) = second.requests
        assert CANARY not in str(request)

        second.answer(path, GOOD)
        server.answer(path, lambda r: Reply.redirect(elsewhere + r.target))
        refused = run_cli("fetch", "load", "--log-level", "debug", env=env)
        assert refused.returncode == 3
        assert len(second.requests) == 1
    assert CANARY not in followed.stdout + followed.stderr + refused.stdout + refused.stderr
    assert CANARY not in stored_rows(database_url)


@pytest.mark.parametrize("how", ["expired", "no proxy there", "a proxy that refuses"])
def test_no_way_to_the_provider(
    how: str, tmp_path: Path, server: LocalServer, database_url: str, run_cli: RunCli
) -> None:
    """An expired certificate, a proxy with a password: no secret is sent, and none is seen."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "expired.pem")
    with LocalServer(tls=context) as secure:
        url = secure.url if how == "expired" else server.url
        source(tmp_path, f"{url}/data")
        env = environment(database_url, tmp_path, in_file=False)
        if how == "expired":
            env["SSL_CERT_FILE"] = str(CERTIFICATES / "expired.pem")
            reason = "certificate has expired"
        elif how == "no proxy there":
            env["HTTP_PROXY"] = f"http://me:{CANARY}-passwort@127.0.0.1:9"
            reason = "connection"
        else:
            env["HTTP_PROXY"] = f"http://me:{CANARY}-passwort@127.0.0.1:{server.port}"
            reason = "404"
        process = run_cli("fetch", "load", "--json", "--log-level", "debug", env=env)
        assert process.returncode == 3
        assert reason in runs_by_source(process)["load"]["error"]
        assert not secure.requests
    assert CANARY not in process.stdout + process.stderr + stored_rows(database_url)


@pytest.mark.slow
def test_a_password_is_not_repeated_by_any_command(
    tmp_path: Path, database_url: str, run_cli: RunCli
) -> None:
    """A database that refuses it, named by its URL, in a file or by an option, in every command."""
    source(tmp_path, "http://127.0.0.1:9")
    parts = urlsplit(database_url)
    address = parts.netloc.rpartition("@")[2]
    wrong = parts._replace(netloc=f"nobody_known:{CANARY}-pw@{address}").geturl()
    file = tmp_path / "url"
    file.write_text(wrong)
    output = ""
    for command in (
        ["fetch", "load"],
        ["fetch-all"],
        ["list-sources"],
        ["history", "load"],
        ["healthcheck"],
        ["migrate"],
        ["verify"],
    ):
        ways = ({"DATABASE_URL": wrong}, {"DATABASE_URL_FILE": str(file)}, None)
        for variables in ways if command[0] == "fetch" else ways[:1]:
            options = [] if variables else ["--database-url", wrong]
            process = run_cli(
                *(*options, *command, "--json", "--log-level", "debug"),
                env={**KEYS, "MAX_RETRIES": "0", **(variables or {})},
            )
            assert process.returncode in {4, 69}, (command, process.stderr)
            output += process.stdout + process.stderr
    assert CANARY not in output
    assert "nobody_known" in output


def test_the_search_can_find_something(database_url: str) -> None:
    """A canary in a table is found: the tests above can fail."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO fetch_run (source, kind, window_start, host, pid, version, error)"
            " VALUES ('load', 'scheduled', now(), 'h', 1, 'v', %s)",
            [f"it said {CANARY}"],
        )
    assert CANARY in stored_rows(database_url)
