"""What an API may answer instead of data: told in one line, and nothing stored that is not right.

All sources of one file are run by one process, as the faults of one must not harm another.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support.http_server import LocalServer, Reply

from dataportal.config import load

if TYPE_CHECKING:
    from conftest import RunCli

GOOD = [{"t": "2025-03-01T00:00:00Z", "v": 1.5}]
HTTP = "dataportal.plugins.data_sources.http_plugin"
CANARY = "s3cret-canary"
ROOT = Path(__file__).resolve().parents[2]


def _text(body: str, **options: Any) -> Reply:
    return Reply(body=body.encode(), content_type="text/plain", **options)


# name: the kind of answer, what is answered, parameters besides, and what the reason says
FAILING: dict[str, tuple[str, Reply, dict[str, Any], str]] = {
    "page": ("Json", _text("<!DOCTYPE html><h1>Down</h1>"), {}, "is a page of HTML, not JSON"),
    "cut": ("Json", _text('[{"t": "2025-03-01T00:00:00Z", "v"'), {}, "is not JSON"),
    "empty": ("Json", _text(""), {}, "is not JSON"),
    "shape": ("Json", Reply.json({"data": GOOD}), {}, "has no list of rows at '@'"),
    "rows": ("Json", Reply.json({"data": GOOD}), {"rows": "items"}, "no list of rows at 'items'"),
    "key": ("Json", Reply.json([{**GOOD[0], "v2": 1}]), {"value": "v3"}, "has nothing at 'v3'"),
    "time": ("Json", Reply.json(GOOD), {"ts": "time"}, "no time that can be read at 'time'"),
    "format": (
        "Json",
        Reply.json([{"t": "01/03/2025", "v": 1}]),
        {"time_format": "%Y-%m-%d"},
        "no time that can be read at 't'; the first is '01/03/2025 (not %Y-%m-%d)'",
    ),
    "number": ("Json", Reply.json([{**GOOD[0], "v": "much"}]), {}, "no number at 'v'; the first"),
    "truth": ("Json", Reply.json([{**GOOD[0], "v": True}]), {}, "no number at 'v'"),
    "filter": (
        "Json",
        Reply.json([{**GOOD[0], "of": "Bonn"}]),
        {"filter": {"of": "Born"}},
        "has no row with of = 'Born' among 1, but Bonn",
    ),
    "error": (
        "Json",
        Reply.json({"ok": False, "message": f"unknown key {CANARY}"}),
        {"error": "message", "rows": "data"},
        "reports an error (unknown key ***)",
    ),
    "lengths": (
        "Json",
        Reply.json({"t": ["2025-03-01T00:00Z"], "v": [1, 2]}),
        {"layout": "columns"},
        "has 2 items at 'v', and 1 in another list",
    ),
    "column": ("Csv", _text("t,x\n2025-03-01T00:00Z,1\n"), {}, "has no column 'v'; the columns"),
    "width": ("Csv", _text("t,v\n2025-03-01T00:00Z\n"), {}, "has a row with 1 column only"),
    "refusal": ("Csv", _text("Error: quota"), {"error": "^Error: .*"}, "an error (Error: quota)"),
    "binary": ("Csv", Reply(body=b"t,v\n\xff\xfe\n"), {}, "is not utf-8 text"),
    "archive": ("Csv", Reply(body=b"PK\x03\x04 and so on"), {}, "is an archive that cannot be"),
    "no-xml": ("Xml", _text("<a><b></a>"), {"rows": "b"}, "is not XML"),
    "bomb": (
        "Xml",
        _text('<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>'),
        {"rows": "b"},
        "is XML that is not read (EntitiesForbidden)",
    ),
    "path": ("Xml", _text("<a><b><t>2025</t></b></a>"), {"rows": "b"}, "has nothing at 'v' in any"),
    "fault": ("Xml", _text("<a><e>no such</e></a>"), {"rows": "b", "error": "e"}, "(no such)"),
}


def _source(kind: str, url: str, params: dict[str, Any]) -> dict[str, Any]:
    return {
        "module": HTTP,
        "class": f"Http{kind}Plugin",
        "timezone": "UTC",
        "initial_history": "all",
        "default_params": {
            "url": url,
            "query": {"api_key": "${API_KEY}"},
            "ts": "t",
            "value": "v",
            **params,
        },
    }


def test_nonsense_fails_and_harms_nothing(
    tmp_path: Path, run_cli: RunCli, database_url: str
) -> None:
    """Each reason is one line with the address and the beginning of the answer, without the key.

    The source that is well is stored, and so are the good series of a group and the good points of
    a series, whose outcome is partial.
    """
    with LocalServer() as server:
        sources = {
            name: _source(kind, server.answer(f"/{name}", reply), params)
            for name, (kind, reply, params, _) in FAILING.items()
        }
        sources["well"] = _source("Json", server.answer("/well", Reply.json(GOOD)), {})
        some = [*GOOD, {"t": "yesterday", "v": 2}, {"t": "2025-03-01T01:00:00Z", "v": "x"}]
        sources["some"] = _source("Json", server.answer("/some", Reply.json(some)), {})
        rows = [{**GOOD[0], "of": "Bonn"}]
        group = _source("JsonMultiSeries", server.answer("/group", Reply.json(rows)), {})
        group["request_params"] = group.pop("default_params")
        group["timeseries"] = [
            {"endpoint_prefix": f"group-{name}", "extract_filter": {"of": name}}
            for name in ("Bonn", "Born")
        ]
        path = tmp_path / "sources.yaml"
        content = {"timeseries": sources, "request_groups": {"group": group}}
        path.write_text(json.dumps(content), encoding="utf-8")
        env = {"DATABASE_URL": database_url, "API_KEY": CANARY, "MAX_RETRIES": "0"}
        done = run_cli("--json", "--config", str(path), "fetch-all", env=env)
        assert done.returncode == 3
        assert CANARY not in done.stdout + done.stderr
        assert {request.query["api_key"][0] for request in server.requests} == {CANARY}
        runs = {run["source"]: run for run in json.loads(done.stdout)["runs"]}
        for name, (_, reply, _, reason) in FAILING.items():
            assert runs[name]["outcome"] == "failed", name
            message = runs[name]["error"]
            assert reason in message, name
            assert f"{server.url}/{name}?api_key=***" in message, name
            assert message.isprintable()
            assert isinstance(reply.body, bytes)
            begins = " ".join(reply.body.decode("ascii", "replace").split())[:30]
            if name == "archive":
                assert "it begins: " not in message  # its bytes tell nobody anything
            elif begins and begins.isprintable():
                assert f"it begins: {begins}" in message, name
            else:
                assert "it begins: " in message or "it is empty" in message, name
    assert runs["well"]["outcome"] == "succeeded"
    assert (runs["some"]["outcome"], runs["some"]["rejected"]) == ("partial", 2)
    assert runs["group"]["outcome"] == "partial"
    assert "has no row with of = 'Born' among 1, but Bonn" in runs["group"]["reason"]
    assert f"{server.url}/group?api_key=***" in runs["group"]["reason"]
    with psycopg.connect(database_url) as connection:
        stored = connection.execute(
            "SELECT endpoint_prefix, value FROM time_series_data JOIN time_series USING (series_id)"
        ).fetchall()
    assert sorted(stored) == [("group-Bonn", 1.5), ("some", 1.5), ("well", 1.5)]


@pytest.mark.slow
def test_the_catalogue_without_a_network(run_cli: RunCli, database_url: str) -> None:
    """Every source that has its key fails with its reason; no host is tried a second time."""
    path = ROOT / "sources.yaml"
    # nothing listens there
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    env = {"DATABASE_URL": database_url, "MAX_RETRIES": "0", "LOG_LEVEL": "critical", **proxies}
    done = run_cli("--json", "--config", str(path), "fetch-all", "--jobs", "1", env=env)
    assert done.returncode == 3
    runs = json.loads(done.stdout)["runs"]
    able = [source for source in load(path, {}).sources if not source.missing_env]
    assert sorted(run["source"] for run in runs) == sorted(source.name for source in able)
    assert {run["outcome"] for run in runs} == {"failed"}
    assert not any(run["received"] for run in runs)
    hosts = [
        match[1] for run in runs if (match := re.search(r"GET https?://([^/]+)", run["error"]))
    ]
    assert len(hosts) == len(runs)
    tried = [run for run in runs if "was not sent" not in run["error"]]
    assert len(tried) == len(set(hosts))
