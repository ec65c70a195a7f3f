"""Sources that are asked by POST: as questions they are asked again, unless that would do harm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.http_server import Reply
from support.program_sources import runs_by_source

if TYPE_CHECKING:
    from conftest import RunCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile


def test_a_question_is_asked_again_after_a_failure(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """With the same body; what must not be sent twice fails at once, and says why."""
    row = [{"t": "2025-03-01T00:00:00Z", "v": 1}]
    params: dict[str, Any] = {"json": {"q": 1}, "ts": "t", "value": "v"}
    for name, safe in (("question", {}), ("order", {"safe": False})):
        url = server.answer(f"/{name}", Reply(503), Reply.json(row))
        sources.add(name, "http_plugin.HttpJsonPlugin", {"url": url, **params, **safe}, {})
    sources.write()
    retries = {"MAX_RETRIES": "1", "RETRY_DELAY_SECONDS": "0.1"}
    window = ("--start", "2025-03-01", "--end", "2025-03-02")
    for name in ("question", "order"):
        done = run_cli("fetch", name, *window, "--json", env={**env, **retries})
        run = runs_by_source(done)[name]
        assert {request.method for request in server.requests} == {"POST"}
        if name == "question":
            assert (run["outcome"], run["inserted"]) == ("succeeded", 1)
            assert [request.json for request in server.requests] == [{"q": 1}, {"q": 1}]
        else:
            assert run["outcome"] == "failed"
            assert "503" in run["error"]
            assert "not sent again, as that might do harm" in run["error"]
            assert server.asked("/order") == 1
