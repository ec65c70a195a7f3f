"""What others are told of runs: metrics for Prometheus, pings for a dead man's switch."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml
from support.http_server import Reply
from support.manual import HOME, page
from support.program_sources import Pause, await_end

from dataportal.monitoring.metrics_file import COMMAND_METRICS, SOURCE_METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conftest import RunCli, StartCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile

RULES = HOME / "deploy" / "prometheus-alerts.yaml"
CHECK = "b1946ac9-2f6e-4f4c-9d4a-5f2f0c7f7a11"


@pytest.fixture
def two_sources(sources: SourceFile, server: LocalServer) -> SourceFile:
    """One that works, and one whose provider has nothing."""
    sources.csv('odd "name"', f"{server.url}/good.csv")
    sources.csv("gone", server.answer("/gone.csv", Reply(404)))
    sources.write()
    return sources


@pytest.fixture
def promtool() -> str:
    """Prometheus' own checker."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("there is no promtool: apt-get install prometheus")
    return program


def samples(path: Path) -> dict[str, float]:
    """The value of each sample of a file of metrics."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_metrics_say_how_each_source_stands(
    two_sources: SourceFile,
    server: LocalServer,
    env: Mapping[str, str],
    run_cli: RunCli,
    tmp_path: Path,
    promtool: str,
) -> None:
    """Also of those that did not run; a failure erases no success; promtool has no complaint."""
    file = tmp_path / "dataportal.prom"
    env = {**env, "METRICS_FILE": str(file)}
    begun = time.time()
    assert run_cli("fetch-all", env=env).returncode == 3
    first = samples(file)
    odd = 'source="odd \\"name\\""'
    assert first[f"dataportal_source_newest_timestamp_seconds{{{odd}}}"] == 1740790800
    assert first[f"dataportal_source_last_run_new_points{{{odd}}}"] == 2
    assert first[f"dataportal_source_healthy{{{odd}}}"] == 1
    assert first['dataportal_source_healthy{source="gone"}'] == 0
    assert first['dataportal_source_last_run_outcome{source="gone",outcome="failed"}'] == 1
    assert first['dataportal_command_exit_code{command="fetch-all"}'] == 3
    success = first[f"dataportal_source_last_success_timestamp_seconds{{{odd}}}"]
    assert begun - 1 < success < time.time() + 1
    server.answer("/good.csv", Reply(404))
    assert run_cli("fetch", 'odd "name"', env=env).returncode == 3
    second = samples(file)
    assert second[f"dataportal_source_last_success_timestamp_seconds{{{odd}}}"] == success
    assert second[f"dataportal_source_consecutive_failures{{{odd}}}"] == 1
    assert second['dataportal_source_consecutive_failures{source="gone"}'] == 1
    assert second['dataportal_command_exit_code{command="fetch"}'] == 3
    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=file.read_text(encoding="utf-8"),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    assert file.stat().st_mode & 0o777 == 0o644


def test_without_a_database_the_metrics_keep_what_they_say_of_sources(
    two_sources: SourceFile, env: Mapping[str, str], run_cli: RunCli, tmp_path: Path
) -> None:
    """The command's own figures say that it failed; a file that cannot be written harms nothing."""
    file = tmp_path / "m.prom"
    options = ("fetch-all", "--metrics-file", str(file))
    run_cli(*options, env=env)
    before = samples(file)
    away = {**env, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    assert run_cli(*options, env=away).returncode == 69
    after = samples(file)
    assert after['dataportal_command_exit_code{command="fetch-all"}'] == 69
    for name, value in before.items():
        if name.startswith("dataportal_source"):
            assert after[name] == value
    nowhere = run_cli("fetch", "gone", "--metrics-file", "/nowhere/m.prom", env=env)
    assert nowhere.returncode == 3
    assert "metrics file /nowhere/m.prom cannot be written" in nowhere.stderr
    (two_sources.folder / "sources.yaml").write_text("timeseries: 3", encoding="utf-8")
    assert run_cli(*options, env=env).returncode == 78
    assert samples(file)['dataportal_command_exit_code{command="fetch-all"}'] == 78
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_the_alert_rules_fire_when_they_should(promtool: str, tmp_path: Path) -> None:
    """A source that fails, one that is stale, and a schedule that stopped; else nothing."""
    (tmp_path / "test.yaml").write_text(
        f"""\
rule_files: [{RULES}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {{series: 'dataportal_source_consecutive_failures{{source="a"}}', values: '0x5 1 2 3x60'}}
      - {{series: 'dataportal_source_last_success_timestamp_seconds{{source="a"}}', values: '0x90'}}
      - {{series: 'dataportal_source_stale_after_seconds{{source="a"}}', values: '3000x90'}}
      - series: 'dataportal_command_finished_timestamp_seconds{{command="fetch-all"}}'
        values: '0x90'
      - {{series: 'dataportal_command_exit_code{{command="fetch-all"}}', values: '69x90'}}
      - {{series: 'dataportal_source_healthy{{source="a"}}', values: '1x20 0x70'}}
      - {{series: 'dataportal_source_missing_values{{source="a"}}', values: '0x20 7x70'}}
    alert_rule_test:
      - {{eval_time: 4m, alertname: DataportalSourceFailing, exp_alerts: []}}
      - {{eval_time: 40m, alertname: DataportalSourceStale, exp_alerts: []}}
      - {{eval_time: 50m, alertname: DataportalSilent, exp_alerts: []}}
      - {{eval_time: 10m, alertname: DataportalCommandFailed, exp_alerts: []}}
      - {{eval_time: 60m, alertname: DataportalSourceUnhealthy, exp_alerts: []}}
      - {{eval_time: 60m, alertname: DataportalValuesMissing, exp_alerts: []}}
""",
        encoding="utf-8",
    )
    quiet = subprocess.run(
        [promtool, "test", "rules", "test.yaml"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert quiet.returncode == 0, quiet.stdout
    text = (tmp_path / "test.yaml").read_text(encoding="utf-8")
    for early, late in (("4m", "20m"), ("40m", "70m"), ("50m", "70m"), ("10m", "40m")):
        text = text.replace(f"eval_time: {early},", f"eval_time: {late},")
    (tmp_path / "test.yaml").write_text(
        text.replace("eval_time: 60m", "eval_time: 85m"), encoding="utf-8"
    )
    fires = subprocess.run(
        [promtool, "test", "rules", "test.yaml"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert fires.returncode == 1
    said = fires.stdout + fires.stderr
    for alert in (
        *("DataportalSourceFailing", "DataportalSourceStale", "DataportalSilent"),
        *("DataportalCommandFailed", "DataportalSourceUnhealthy", "DataportalValuesMissing"),
    ):
        assert re.search(rf"alertname: {alert}, time", said), (alert, said)


def test_pings_tell_of_both_ends(
    two_sources: SourceFile, server: LocalServer, env: Mapping[str, str], run_cli: RunCli
) -> None:
    """Start, then success or the exit code, with one id for both; the address is a secret."""
    for path in ("", "/start", "/3", "/78"):
        server.answer(f"/{CHECK}{path}", Reply(200))
    env = {**env, "DATAPORTAL_PING_URL": f"{server.url}/{CHECK}"}
    good = run_cli("-q", "fetch", 'odd "name"', env=env)
    assert (good.returncode, good.stdout, good.stderr) == (0, "", "")
    start, end = server.wait_for(f"/{CHECK}/start"), server.wait_for(f"/{CHECK}")
    assert start.query["rid"] == end.query["rid"]
    assert b"1 succeeded" in end.body
    bad = run_cli("fetch-all", "--log-level", "debug", env=env)
    assert bad.returncode == 3
    failure = server.wait_for(f"/{CHECK}/3")
    assert b"gone: failed" in failure.body
    assert failure.query["rid"] != end.query["rid"]
    assert CHECK not in bad.stdout + bad.stderr
    (two_sources.folder / "sources.yaml").write_text("timeseries: 3", encoding="utf-8")
    assert run_cli("fetch-all", env=env).returncode == 78
    assert server.wait_for(f"/{CHECK}/78").body
    before = server.asked(f"/{CHECK}/start")
    run_cli("fetch-all", "--dry-run", env=env)
    assert server.asked(f"/{CHECK}/start") == before


def test_a_ping_harms_no_run(
    two_sources: SourceFile,
    server: LocalServer,
    env: Mapping[str, str],
    run_cli: RunCli,
    start_cli: StartCli,
    tmp_path: Path,
) -> None:
    """Refused, without an answer, or in no address: told, and the exit code is the run's own."""
    file = tmp_path / "ping"
    file.write_text(f"{server.url}/missing\n", encoding="utf-8")
    refused = run_cli("fetch", 'odd "name"', "--ping-url-file", str(file), env=env)
    assert refused.returncode == 0
    assert "the ping did not arrive: the answer was 404" in refused.stderr
    held = threading.Event()
    for path in ("/silent", "/silent/start"):
        server.answer(path, Reply(200, hold=held))
    file.write_text(f"{server.url}/silent", encoding="utf-8")
    begun = time.monotonic()
    silent = run_cli("fetch", 'odd "name"', "--ping-url-file", str(file), env=env)
    assert time.monotonic() - begun < 20
    assert silent.returncode == 0
    assert "the ping did not arrive" in silent.stderr
    pause = Pause(tmp_path, "after_start")
    process = start_cli(
        "fetch", 'odd "name"', "--ping-url-file", str(file), env={**env, **pause.env}
    )
    pause.wait_until_reached()
    begun = time.monotonic()
    os.kill(process.pid, signal.SIGTERM)
    pause.go_on()
    await_end(process)
    assert process.returncode == 143
    assert time.monotonic() - begun < 10
    held.set()
    file.write_text("not an address", encoding="utf-8")
    wrong = run_cli("fetch", "gone", "--ping-url-file", str(file), env=env)
    assert wrong.returncode == 78
    assert "begins with http" in wrong.stderr
    assert "not an address" not in wrong.stderr.replace("the ping URL is not an address", "")
    missing = run_cli("fetch", "gone", "--ping-url-file", "/nowhere/ping", env=env)
    assert missing.returncode == 78


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        (f"https://ping.example/{CHECK}\nhttps://ping.example/other", "not one address"),
        (f"https://ping.example/{CHECK} # the check", "not one address"),
        (f"https://:80/{CHECK}", "not one address"),
        (f"https://ping.example:{CHECK}", "not one address"),
    ],
)
def test_a_file_without_one_address_is_refused(
    two_sources: SourceFile,
    env: Mapping[str, str],
    run_cli: RunCli,
    tmp_path: Path,
    content: str,
    words: str,
) -> None:
    """Before anything is fetched, with 78, and without showing what it holds."""
    file = tmp_path / "ping"
    file.write_text(content, encoding="utf-8")
    refused = run_cli("fetch", "gone", "--ping-url-file", str(file), env=env)
    assert refused.returncode == 78
    assert words in refused.stderr
    assert CHECK not in refused.stderr
    assert refused.stdout == ""


def test_an_answer_to_a_ping_is_not_read_to_its_end(
    two_sources: SourceFile, server: LocalServer, env: Mapping[str, str], run_cli: RunCli
) -> None:
    """That the command ended is told although what was answered to its beginning never ends."""
    endless = Reply(200, itertools.repeat(b"x"), pause=0.1)
    server.answer("/drips/start", endless)
    server.answer("/drips", endless)
    env = {**env, "DATAPORTAL_PING_URL": f"{server.url}/drips"}
    done = run_cli("-q", "fetch", 'odd "name"', env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert server.asked("/drips") == 1


def test_a_ping_that_is_led_elsewhere_is_told(
    two_sources: SourceFile, server: LocalServer, env: Mapping[str, str], run_cli: RunCli
) -> None:
    """The address is a secret, which no other host is to learn: it is not followed."""
    for path in ("/moved", "/moved/start"):
        server.answer(path, Reply(302, headers={"Location": f"{server.url}/elsewhere"}))
    env = {**env, "DATAPORTAL_PING_URL": f"{server.url}/moved"}
    moved = run_cli("-q", "fetch", 'odd "name"', env=env)
    assert moved.returncode == 0
    assert "the answer was 302; it is not followed: name the address itself" in moved.stderr
    assert server.asked("/elsewhere") == 0


def test_the_metrics_take_the_place_of_a_file_only(
    two_sources: SourceFile, env: Mapping[str, str], run_cli: RunCli, tmp_path: Path
) -> None:
    """A device, a pipe and a folder stay what they are; of a link the file behind it is written."""
    fifo, folder, file = tmp_path / "fifo", tmp_path / "folder", tmp_path / "m.prom"
    os.mkfifo(fifo)
    folder.mkdir()
    for place in (fifo, folder):
        process = run_cli("-q", "fetch", 'odd "name"', "--metrics-file", str(place), env=env)
        assert process.returncode == 0
        assert f"{place} cannot be written: it is no file" in process.stderr
    assert fifo.is_fifo()
    link = tmp_path / "link.prom"
    link.symlink_to(file)
    run_cli("-q", "fetch", 'odd "name"', "--metrics-file", str(link), env=env)
    assert link.is_symlink()
    assert samples(file)['dataportal_command_exit_code{command="fetch"}'] == 0
    assert sorted(path.name for path in tmp_path.glob("*m.prom*")) == ["m.prom"]


def test_metrics_count_what_is_missing_for_too_long(
    sources: SourceFile,
    server: LocalServer,
    env: Mapping[str, str],
    run_cli: RunCli,
    tmp_path: Path,
) -> None:
    """As healthcheck does, which is ill then; of sources alone that mind gaps."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [now - timedelta(hours=h) for h in range(60, 0, -1)]
    lines = [f"{ts.isoformat()},1" for ts in hours[:5] + hours[9:]]
    body = "\n".join(["ts,value", *lines]).encode()
    url = server.answer("/hours.csv", Reply(body=body, content_type="text/csv"))
    metadata = {"name": "x", "granularity": "1 hour"}
    sources.csv("minded", url, metadata=metadata, gaps_stale_after="1 hour")
    sources.csv("other", url, metadata=metadata)
    sources.write()
    file = tmp_path / "m.prom"
    assert run_cli("fetch-all", "--metrics-file", str(file), env=env).returncode == 0
    found = samples(file)
    assert found['dataportal_source_missing_values{source="minded"}'] == 4
    assert 'dataportal_source_missing_values{source="other"}' not in found
    assert found['dataportal_source_healthy{source="minded"}'] == 0
    assert found['dataportal_source_healthy{source="other"}'] == 1
    assert run_cli("healthcheck", env=env).returncode == 4


def _dashboard() -> Any:
    return json.loads((HOME / "deploy" / "grafana-dashboard.json").read_text(encoding="utf-8"))


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    """Panels that do not overlap, with data sources that its variables name; the page names it."""
    dashboard = _dashboard()
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(places)) == len(places)
    assert max(x for x, _ in places) < 24
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    text = json.dumps(dashboard)
    used = set(re.findall(r"\$(?!__)(?:\{(\w+)\}|(\w+))", text))
    assert {first or second for first, second in used} <= variables
    for panel in panels:
        for target in [panel, *panel["targets"]]:
            assert target["datasource"]["uid"] in {"${prometheus}", "${database}"}
    assert "deploy/grafana-dashboard.json" in page("monitoring").text


def test_the_dashboard_asks_for_metrics_that_there_are(promtool: str, tmp_path: Path) -> None:
    """By expressions that Prometheus can read; the same of the alert rules."""
    expressions = [
        target["expr"].replace("$source", ".*")
        for panel in _dashboard()["panels"]
        for target in panel["targets"]
        if "expr" in target
    ]
    assert len(expressions) > 10
    rules = [{"record": f"x:{n}", "expr": e} for n, e in enumerate(expressions)]
    file = tmp_path / "rules.yaml"
    file.write_text(json.dumps({"groups": [{"name": "x", "rules": rules}]}), encoding="utf-8")
    subprocess.run([promtool, "check", "rules", str(file)], check=True, capture_output=True)
    alerts = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
    named = {
        name
        for expression in [*expressions, *(alert["expr"] for alert in alerts)]
        for name in re.findall(r"dataportal_\w+", expression)
    }
    known = {f"dataportal_source_{name}" for name in SOURCE_METRICS} | set(COMMAND_METRICS)
    assert named <= known
    assert "dataportal_source_missing_values" in named


def test_the_dashboard_asks_the_database_what_it_can_answer(
    two_sources: SourceFile, env: Mapping[str, str], run_cli: RunCli, reader_url: str
) -> None:
    """Each statement runs, by a role that may only read, and finds what was fetched."""
    run_cli("fetch-all", env=env)
    dashboard = _dashboard()
    statements = [
        target["rawSql"]
        for panel in dashboard["panels"]
        for target in panel["targets"]
        if "rawSql" in target
    ]
    statements += [v["query"] for v in dashboard["templating"]["list"] if v["type"] == "query"]
    assert len(statements) == 6
    with psycopg.connect(reader_url) as connection:
        found = [len(connection.execute(_plain_sql(text)).fetchall()) for text in statements]
    # runs by outcome, revisions, failed runs, values, sources, series
    assert found == [2, 0, 1, 2, 2, 2]


def _plain_sql(statement: str) -> bytes:
    """A statement as Grafana sends it, for two sources and their series."""
    for macro, text in (
        (r"\$__timeGroupAlias\((\w+), '\w+'\)", r"date_trunc('hour', \1) AS time"),
        (r"\$__timeFilter\(([\w.]+)\)", r"\1 BETWEEN '2020-01-01' AND now()"),
        (r"\$(?:source|series)", "'gone', 'odd \"name\"'"),
    ):
        statement = re.sub(macro, text, statement)
    assert "$" not in statement
    return statement.encode()
