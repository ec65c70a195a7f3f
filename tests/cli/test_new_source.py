"""`dataportal new-source`, as a process: drafts, asks, appends, refuses, and keeps secrets."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import Reply

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunCli
    from support.http_server import LocalServer, Request

CHECK = "hunter2-hunter2-hunter2"
_LEVELS = json.dumps(
    {
        "data": [
            {"station": station, "time": f"2024-06-03T{hour:02}:00:00Z", "cm": cm + hour}
            for hour in range(6)
            for station, cm in (("Bonn", 200.5), ("Cologne", 300.5))
        ]
    }
).encode()
_LOCAL = ("time;load\n" + "".join(f"03.06.2024 {h:02}:00;{h},5\n" for h in range(24))).encode()


def _draft(run_cli: RunCli, *arguments: str, **more: Any) -> Any:
    process = run_cli("new-source", *arguments, "--json", **more)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_a_draft_previews_right(server: LocalServer, run_cli: RunCli) -> None:
    """What is printed is an entry that preview reads to the last value."""
    server.answer("/levels", Reply(200, _LEVELS))
    drafted = run_cli("new-source", f"{server.url}/levels?since=2024-06-03")
    assert drafted.returncode == 0, drafted.stderr
    assert "levels: 2 series, 12 points" in drafted.stderr
    assert "# 6 different times, such as 2024-06-03T00:00:00Z" in drafted.stdout
    assert "{start:%Y-%m-%d}" in drafted.stdout
    shown = run_cli(
        "preview",
        "-",
        "--start",
        "2024-06-03",
        "--end",
        "2024-06-04",
        "--json",
        input=drafted.stdout,
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    document = json.loads(shown.stdout)
    assert [one["series"] for one in document["series"]] == ["levels-bonn", "levels-cologne"]
    assert document["series"][1]["last"][-1] == {"ts": "2024-06-03T05:00:00Z", "value": 305.5}
    assert server.requests[-1].query["since"] == ["2024-06-03"]


def test_a_day_that_only_the_address_names_is_asked_for_day_by_day(
    server: LocalServer, run_cli: RunCli
) -> None:
    """Rows that count the hours of a day: the entry asks for each, and takes it from there."""

    def reply(request: Request) -> Reply:
        (day,) = request.query["report_date"]
        points = [{"x": str(n), "y": int(day[-2:]) * 100 + n} for n in range(1, 25)]
        return Reply.json({"data": {"dataLine": [{"title": "Price", "point": points}]}})

    server.answer("/chart", reply)
    zone = ("--timezone", "Europe/Prague")
    drafted = run_cli("new-source", f"{server.url}/chart?report_date=2024-06-13", *zone)
    assert drafted.returncode == 0, drafted.stderr
    window = ("--start", "2024-06-12T22:00Z", "--end", "2024-06-14T22:00Z")
    shown = run_cli("preview", "-", *window, "--json", input=drafted.stdout)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    (series,) = json.loads(shown.stdout)["series"]
    assert series["points"] == 48
    assert series["first"][0] == {"ts": "2024-06-12T22:00:00Z", "value": 1301.0}
    assert series["last"][-1] == {"ts": "2024-06-14T21:00:00Z", "value": 1424.0}


def test_what_nobody_can_tell_is_left_open_and_refused_with_its_line(
    server: LocalServer, run_cli: RunCli, tmp_path: Path
) -> None:
    """A zone of local times: `list-sources --check` names file, line and column."""
    server.answer("/load.csv", Reply(200, _LOCAL))
    path = tmp_path / "sources.yaml"
    made = run_cli("--config", str(path), "new-source", f"{server.url}/load.csv", "--append")
    assert made.returncode == 0, made.stderr
    assert made.stdout == ""
    assert "TODO: timezone" in made.stderr
    text = path.read_text()
    line = next(n for n, one in enumerate(text.splitlines(), 1) if "timezone: TODO" in one)
    column = text.splitlines()[line - 1].index("TODO") + 1
    checked = run_cli("--config", str(path), "list-sources", "--check")
    assert checked.returncode == 78
    assert f"{path}:{line}:{column}: TODO stands for" in checked.stdout + checked.stderr
    path.write_text(text.replace("timezone: TODO", "timezone: Europe/Berlin"))
    assert run_cli("--config", str(path), "list-sources", "--check").returncode == 0
    shown = run_cli("--config", str(path), "preview", "load", "--start", "2024-06-01", "--json")
    first = json.loads(shown.stdout)["series"][0]["first"][0]
    assert first == {"ts": "2024-06-02T22:00:00Z", "value": 0.5}


def test_a_name_or_a_description_may_be_todo(run_cli: RunCli, tmp_path: Path) -> None:
    """What an entry says to people is theirs; any parameter that is TODO is refused."""
    (tmp_path / "x.csv").write_text("ts,value\n2024-06-03T00:00Z,1\n")
    entry = """
timeseries:
  x:
    module: dataportal.plugins.data_sources.csv_plugin
    class: CsvDataSourcePlugin
    schedule: 1 day
    metadata: {name: TODO, description: TODO}
    default_params: {path: x.csv, value_column: value}
"""
    path = tmp_path / "sources.yaml"
    path.write_text(entry)
    assert run_cli("--config", str(path), "list-sources", "--check").returncode == 0
    path.write_text(entry.replace("value_column: value", "value_column: TODO"))
    refused = run_cli("--config", str(path), "list-sources", "--check")
    assert refused.returncode == 78
    assert "sources.yaml:8:49: TODO stands for" in refused.stdout + refused.stderr
    path.write_text(entry.replace("value_column: value", 'value_column: "TODO"'))
    assert "TODO stands for" not in run_cli("--config", str(path), "list-sources", "--check").stdout


def test_a_terminal_is_asked_for_what_nobody_can_tell(tmp_path: Path) -> None:
    """Zone and address; a zone that there is not is asked for once more."""
    file = tmp_path / "load.csv"
    file.write_bytes(_LOCAL)
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "dataportal", "new-source", str(file)],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm"},
        cwd=tmp_path,
    )
    os.close(terminal)
    os.write(controller, b"Mars/Base\nEurope/Berlin\nhttps://data.example.com/load.csv\n")
    output, _ = process.communicate(timeout=60)
    os.close(controller)
    assert process.returncode == 0
    assert b"timezone: Europe/Berlin" in output
    assert b'url: "https://data.example.com/load.csv"' in output
    assert b"TODO" not in output


def test_secrets_become_variables_and_are_shown_nowhere(
    server: LocalServer, run_cli: RunCli
) -> None:
    """Of the query, of headers and of a user's password; the request has them."""
    server.answer("/levels", Reply(200, _LEVELS))
    address = f"{server.url}/levels?api_key={CHECK}&format=json"
    drafted = run_cli("new-source", address, "--header", f"Authorization: Bearer {CHECK}-2")
    shown = drafted.stdout + drafted.stderr
    assert drafted.returncode == 0, shown
    assert CHECK not in shown
    assert server.requests[-1].query["api_key"] == [CHECK]
    assert server.requests[-1].headers["authorization"] == f"Bearer {CHECK}-2"
    assert "requires_env: [SOURCE_API_KEY, SOURCE_AUTHORIZATION]" in drafted.stdout
    assert "set SOURCE_API_KEY" in drafted.stderr
    env = {"SOURCE_API_KEY": CHECK, "SOURCE_AUTHORIZATION": f"{CHECK}-2"}
    again = run_cli(
        "preview", "-", "--start", "2024-06-03", "--json", input=drafted.stdout, env=env
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert server.requests[-1].query["api_key"] == [CHECK]
    assert server.requests[-1].headers["authorization"] == f"Bearer {CHECK}-2"
    failed = run_cli("new-source", f"{server.url}/none?api_key={CHECK}")
    assert failed.returncode == 3
    assert CHECK not in failed.stdout + failed.stderr
    named = run_cli("new-source", server.url + "/levels?token=${LEVELS_TOKEN}", env={})
    assert named.returncode == 2
    assert "LEVELS_TOKEN is not set" in named.stderr


@pytest.mark.parametrize(
    ("body", "said", "kind"),
    [
        (b"<!DOCTYPE html><a href='/files/load_2024.csv'>x</a>", "links to 1 files", "text/html"),
        (b"<html><form><input type='password'></form>", "asks for a login", "text/html"),
        (b"", "has nothing in it", "text/plain"),
        (b"%PDF-1.7 ...", "is a PDF file", "application/pdf"),
        (b"Dear all,\nthe service is closed.\n", "no table", "text/plain"),
        (b'{"id": 5, "name": "x"}', "none with a time", "application/json"),
        (b"name,capacity\nA,5\nB,6\nC,7\n", "none with a time", "text/csv"),
        (b"time,state\n2024-06-03T00:00Z,on\n2024-06-03T01:00Z,off\n", "no numbers", "text/csv"),
        (b'{"data": [', "is not JSON", "application/json"),
        (b"<a><b>1</b>", "XML that cannot be read", "application/xml"),
        (b"[]", "no table", "application/json"),
        (b'{"a": 1}\n{"a": 2}\n', "none with a time", "application/x-ndjson"),
        (b"PK\x03\x04broken", "cannot be opened", "application/zip"),
    ],
)
def test_what_is_no_data_is_said_in_a_sentence(
    server: LocalServer, run_cli: RunCli, body: bytes, said: str, kind: str
) -> None:
    """What was seen, and what to do; nothing is printed, and nothing is appended."""
    server.answer("/x", Reply(200, body, content_type=kind))
    refused = run_cli("new-source", f"{server.url}/x")
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert refused.stdout == ""
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert len(refused.stderr.strip().splitlines()) <= 2


def test_what_is_too_large_is_not_read_to_its_end(
    server: LocalServer, run_cli: RunCli, tmp_path: Path
) -> None:
    """Of an address and of a file: the limit is named, and what to do."""
    large = b"time,value\n" + b"2024-06-03T00:00Z,1.5\n" * 3_500_000
    server.answer("/large", Reply(200, large))
    refused = run_cli("new-source", f"{server.url}/large")
    assert refused.returncode == 3
    assert "64 MiB" in refused.stderr
    assert "Ask for less" in refused.stderr
    file = tmp_path / "large.csv"
    file.write_bytes(large)
    of_file = run_cli("new-source", str(file))
    assert of_file.returncode == 2
    assert "larger than 64 MiB" in of_file.stderr


def test_answers_of_refusal_are_said(server: LocalServer, run_cli: RunCli) -> None:
    """401 asks for a key, 404 for another address."""
    server.answer("/x", Reply(401, b"{}"))
    refused = run_cli("new-source", f"{server.url}/x")
    assert refused.returncode == 3
    assert "401" in refused.stderr
    missing = run_cli("new-source", "no-such-file.csv")
    assert missing.returncode == 2
    assert "no-such-file.csv cannot be read" in missing.stderr


def test_an_entry_is_appended_and_every_other_byte_stays(
    server: LocalServer, run_cli: RunCli, tmp_path: Path
) -> None:
    """Comments, blank lines and line ends; a second draft of the same gets another name."""
    server.answer("/levels", Reply(200, _LEVELS))
    path = tmp_path / "sources.yaml"
    before = (
        b"# ours\r\nrequest_groups:   # all of them\r\n  one:   # keep\r\n"
        b"    module: dataportal.plugins.data_sources.http_plugin\r\n"
        b"    class: HttpJsonMultiSeriesPlugin\r\n    schedule: 1 day\r\n"
        b"    request_params: {url: 'https://x.example.com', ts: t, value: v}\r\n"
        b"    timeseries:\r\n      - {endpoint_prefix: one-a}\r\n  # end of the groups\r\n\r\n"
        b"# to come\r\ntimeseries:\r\n"
    )
    path.write_bytes(before)
    for number in (1, 2):
        made = run_cli("--config", str(path), "new-source", f"{server.url}/levels", "--append")
        assert made.returncode == 0, made.stderr
        assert (f"levels{'-2' if number == 2 else ''}:" in made.stderr) is True
    after = path.read_bytes()
    lines, rest = before.split(b"\r\n"), iter(after.split(b"\r\n"))
    assert all(any(line == other for other in rest) for line in lines)
    assert after.count(b"\n") == after.count(b"\r\n")
    checked = run_cli("--config", str(path), "list-sources", "--check", "--json")
    assert checked.returncode == 0, checked.stdout
    document = _draft(run_cli, f"{server.url}/levels", "--config", str(path))
    assert document["source"] == "levels-3"
    assert document["series"] == ["levels-3-bonn", "levels-3-cologne"]


def test_a_file_that_cannot_take_an_entry_stays_as_it_is(
    server: LocalServer, run_cli: RunCli, tmp_path: Path
) -> None:
    """A section in braces, or no YAML: refused with the line, and nothing is written."""
    server.answer("/levels", Reply(200, _LEVELS))
    path = tmp_path / "sources.yaml"
    for text, where in (("request_groups: {}\n", ":1:17"), ("a: [\n", ":2:1")):
        path.write_text(text)
        refused = run_cli("--config", str(path), "new-source", f"{server.url}/levels", "--append")
        assert refused.returncode == 78, refused.stderr
        assert f"{path}{where}" in refused.stderr
        assert path.read_text() == text


def test_pages_are_described_where_they_can_be_told(server: LocalServer, run_cli: RunCli) -> None:
    """Links, and parameters of the address; a count of more rows than came is left open."""
    rows = json.loads(_LEVELS)["data"]
    linked = {"data": rows, "links": {"next": None}}
    server.answer("/linked", Reply.json(linked))
    assert "paging: {next: links.next}" in _draft(run_cli, f"{server.url}/linked")["yaml"]
    server.answer("/pages", Reply.json({"data": rows, "total": 12}))
    yaml = _draft(run_cli, f"{server.url}/pages?offset=0&limit=12")["yaml"]
    assert "{offset: offset, size: 12, size_param: limit, total: total}" in yaml
    server.answer("/more", Reply.json({"data": rows, "total": 500}))
    document = _draft(run_cli, f"{server.url}/more")
    assert document["todo"] == ["request_params.paging"]
    assert "total says 500 rows, and 12 came" in document["yaml"]
