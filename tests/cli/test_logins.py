"""Sources that log in: one login a run, and nothing of it in whatever the program writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support.http_server import Reply
from support.program_sources import runs_by_source

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunCli
    from support.http_server import LocalServer, Request
    from support.program_sources import SourceFile

SECRETS = {
    "LOGIN_SECRET": "canary-secret/+of the client",
    "LOGIN_PASSWORD": 'canary-password-"%&',
}
TICKET = "canary-ticket.0815"
ROW = {"t": "2025-03-01T00:00:00Z", "v": 1}


def token(request: Request) -> Reply:
    """A token, with what it was asked with once more."""
    echo = request.body.decode()
    return Reply.json({"access_token": TICKET, "expires_in": 300, "echo": echo})


def echo(request: Request) -> Reply:
    """A refusal that repeats all that it got."""
    said = {"headers": dict(request.headers), "target": request.target}
    return Reply(500, json.dumps(said).encode())


def describe(sources: SourceFile, server: LocalServer, name: str, **auth: Any) -> None:
    """A source that logs in."""
    oauth2 = {
        "token_url": f"{server.url}/token",
        "client_id": "me",
        "client_secret": "${LOGIN_SECRET}",
        "username": "somebody",
        "password": "${LOGIN_PASSWORD}",
        **auth,
    }
    params = {"url": f"{server.url}/{name}", "auth": {"oauth2": oauth2}, "ts": "t", "value": "v"}
    sources.add(name, "http_plugin.HttpJsonPlugin", params, {})


def test_sources_of_a_run_log_in_once(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Side by side, with one token for all."""
    server.answer("/token", token)
    for number in range(6):
        server.answer(f"/source-{number}", Reply.json([ROW]))
        describe(sources, server, f"source-{number}")
    sources.write()
    done = run_cli("fetch-all", "--json", env={**env, **SECRETS})
    assert {run["outcome"] for run in runs_by_source(done).values()} <= {"succeeded", "empty"}
    assert server.asked("/token") == 1
    data = [request for request in server.requests if request.path != "/token"]
    assert {request.headers["authorization"] for request in data} == {f"Bearer {TICKET}"}


def test_a_wrong_password_is_tried_once(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Not by each source, and not again: many providers lock an account after a few of them."""
    server.answer("/token", Reply.json({"error": "invalid_grant"}, 400))
    for number in range(4):
        describe(sources, server, f"source-{number}")
    sources.write()
    done = run_cli("fetch-all", "--json", env={**env, **SECRETS, "MAX_RETRIES": "2"})
    assert done.returncode == 3
    errors = [run["error"] for run in runs_by_source(done).values()]
    assert len(errors) == 4
    assert all("invalid_grant): it does not take the user" in error for error in errors), errors
    assert len(server.requests) == 1


@pytest.mark.parametrize("way", [{}, {"header": "X-Ticket"}, {"query": "ticket"}])
@pytest.mark.parametrize("failing", ["/token", "/load"])
def test_nothing_of_a_login_is_written(
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    database_url: str,
    run_cli: RunCli,
    way: dict[str, Any],
    failing: str,
) -> None:
    """Client, password, token and answer: neither printed, nor logged, nor stored."""
    server.answer("/token", token)
    server.answer("/load", Reply.json([ROW]), Reply.json([ROW]), echo)
    server.answer(failing, echo)
    describe(sources, server, "load", **way)
    sources.write()
    outputs = []
    for command in (
        ("--log-level", "debug", "fetch", "load"),
        ("--log-level", "debug", "--log-format", "json", "fetch", "load", "--json"),
        ("list-sources", "--json"),
        ("healthcheck", "--json"),
        ("dump", "-o", "-"),
    ):
        done = run_cli(*command, env={**env, **SECRETS})
        outputs += [done.stdout, done.stderr]
    with psycopg.connect(database_url) as connection:
        for table in ("fetch_run", "source_state", "time_series"):
            rows = connection.execute(f"SELECT to_jsonb(t)::text FROM {table} t").fetchall()  # noqa: S608
            outputs += [text for (text,) in rows]
    together = "\n".join(map(str, outputs))
    for secret in (*SECRETS.values(), TICKET):
        for form in (secret, json.dumps(secret)[1:-1], secret.replace("/", "%2F")):
            assert form not in together
    assert "500" in together


def test_a_run_writes_no_token_into_any_file(
    sources: SourceFile, server: LocalServer, env: dict[str, str], tmp_path: Path, run_cli: RunCli
) -> None:
    """Nothing is left beside sources.yaml, and that has the names of the variables alone."""
    server.answer("/token", token)
    server.answer("/load", Reply.json([ROW]))
    describe(sources, server, "load")
    sources.write()
    run_cli("fetch", "load", env={**env, **SECRETS})
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"canary" not in path.read_bytes(), path
