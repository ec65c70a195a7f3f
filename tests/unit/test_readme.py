"""README.md against the program: what it shows is real, what it lists is complete, and it runs."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import typer
import yaml
from support.conformance_kits import PLUGIN_MODULES, known_parameters
from support.http_server import LocalServer, Reply

from dataportal.cli.app import COMMANDS, _program, load_command
from dataportal.cli.options import Invocation
from dataportal.config import Limits, build_plugin, load
from dataportal.config.keys import GROUP, LIMITS, MEMBER, METADATA, OPTIONS, SINGLE
from dataportal.errors import ConfigurationError, ExitCode
from dataportal.observations import clean
from dataportal.plugins.http import HttpClient
from dataportal.settings import from_environment
from dataportal.times import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conftest import RunCli

    from dataportal.config import BuiltPlugin, Source
    from dataportal.config.keys import Key
    from dataportal.observations import Batch

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
TESTS_TEXT = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(found[1], found[2]) for found in BLOCK.finditer(TEXT)]
KEYS = sorted(set(re.findall(r"\$\{([A-Z_]+_(?:KEY|TOKEN))\}", TEXT)))
VARIABLES = dict.fromkeys(KEYS, "a-key")


def blocks(language: str) -> list[str]:
    """What stands in the blocks of a language."""
    return [text for name, text in BLOCKS if name == language]


def section(title: str) -> str:
    """The text from a heading to the next one of its level or above."""
    prose = BLOCK.sub(lambda found: re.sub("^#", " ", found[0], flags=re.MULTILINE), TEXT)
    found = re.search(rf"^(#+) {re.escape(title)}$", prose, re.MULTILINE)
    assert found, title
    end = re.compile(rf"^#{{1,{len(found[1])}}} ", re.MULTILINE).search(prose, found.end())
    return TEXT[found.end() : end.start() if end else len(TEXT)]


def test_every_block_says_its_language() -> None:
    """So that none escapes the tests; only the answer of psql has none."""
    assert TEXT.count("\n```") == 2 * len(BLOCKS)
    languages = [name for name, _ in BLOCKS]
    assert set(languages) == {"sh", "console", "yaml", "json", "sql", "python", ""}
    assert languages.count("") == 1


def test_the_two_commands_are_there_once() -> None:
    """Each on one line of its own, as CI takes them from there."""
    commands = [
        "pip install '.[embedded]' && dataportal --config dataportal/sample/sources.yaml fetch-all",
        "pip install '.[test]' && pytest",
    ]
    lines = TEXT.splitlines()
    assert [lines.count(command) for command in commands] == [1, 1]
    assert TEXT.count("]' && ") == len(commands)


def test_words_are_used_as_agreed() -> None:
    """The valid time of theory is named once, beside knowledge time; no path of one machine."""
    assert len(re.findall(r"valid[ -]time", TEXT, re.IGNORECASE)) == 1
    assert not re.search(r"/(work|tmp|root|home|opt|usr)/|pypi|files\.pythonhosted", TEXT)


def test_links_lead_somewhere() -> None:
    """To headings that are there, and to files that are there."""
    titles = re.findall(r"^#+ (.*)$", BLOCK.sub("", TEXT), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", TEXT):
        if target.startswith("#"):
            assert target[1:] in anchors
        else:
            assert (ROOT / target).exists(), target


def _rows(keys: Mapping[str, Key]) -> Iterator[str]:
    for name, key in keys.items():
        yield f"| {', '.join(f'`{n}`' for n in (name, *key.aliases))} | {key.about} |"


def _table(text: str, head: str) -> list[str]:
    """The rows of the table with that head."""
    _, found, rest = text.partition(f"{head}\n|---|---|\n")
    assert found, head
    return rest.partition("\n\n")[0].splitlines()


def test_every_key_of_sources_yaml_is_listed() -> None:
    """With its other names and the words that the program has for it; nothing besides."""
    text = section("sources.yaml")
    options, metadata = text.split("**Options of a source**")[1].split("**Metadata of a series.**")
    head = "| key | what it says (default) |"
    assert _table(options, head) == list(_rows(OPTIONS))
    assert _table(metadata, head) == list(_rows(METADATA))
    entry = {k: v for k, v in {**SINGLE, **GROUP, **MEMBER}.items() if k not in METADATA}
    assert sorted(_table(text, "| key | what it says |")) == sorted(_rows(entry))


def test_the_defaults_told_are_the_defaults() -> None:
    """A duration in parentheses is the one that the program takes."""
    limits = Limits()
    told = {
        name: found[1]
        for name in LIMITS
        if (found := re.search(r"\(([^()]+)\)$", OPTIONS[name].about))
    }
    assert len(told) >= 5
    for name, text in told.items():
        said = text.removesuffix(" or all")
        length = timedelta() if said == "0" else parse_duration(said)
        assert getattr(limits, name) == length, name


def test_every_exit_code_is_listed() -> None:
    """With the words of --help, in its order."""
    told = re.findall(r"^\| (\d+) \| (.*?) \|", section("Exit codes"), re.MULTILINE)
    assert told == [(str(code.value), code.meaning) for code in ExitCode]


class _Asked(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)


def _read_elsewhere() -> Iterator[str]:
    """The names of all variables that the program reads with os.environ."""
    for path in (ROOT / "dataportal").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        yield from re.findall(r"os\.environ(?:\.get\(|\[)\"(\w+)\"", text)


def test_every_variable_is_listed() -> None:
    """Those of users in README, those of tests in the tests' README."""
    env = _Asked()
    from_environment(env)
    assert len(env.names) >= 8
    listed = set(re.findall(r"`([A-Z_]{4,})`", "".join(_first_cells(section("Environment")))))
    assert env.names <= listed
    for name in _read_elsewhere():
        assert name in listed or f"`{name}`" in TESTS_TEXT, name
    for name in re.findall(r"DATAPORTAL_[A-Z_]+", _sources_of_tests()):
        assert f"`{name}`" in TESTS_TEXT, name


def _first_cells(text: str) -> list[str]:
    return re.findall(r"^\| (.*?) \|", text, re.MULTILINE)


def _sources_of_tests() -> str:
    files = (ROOT / "tests" / name for name in ("conftest.py", "support/databases.py"))
    return "".join(path.read_text(encoding="utf-8") for path in files)


def _shell_lines() -> Iterator[str]:
    for block in blocks("sh"):
        yield from block.splitlines()
    for block in blocks("console"):
        yield from (line[2:] for line in block.splitlines() if line.startswith("$ "))
    yield from re.findall(r"`(dataportal [^`]+)`", BLOCK.sub("", TEXT))


def command_lines() -> Iterator[list[str]]:
    """The arguments of every `dataportal` in README, in a container or not."""
    for line in _shell_lines():
        for part in re.split(r"&&|[|>]", line):
            words = shlex.split(part, comments=True)
            if words[:1] == ["dataportal"]:
                yield words[1:]
            elif words[:2] == ["docker", "run"]:
                yield words[words.index("dataportal") + 1 :]
    for document in map(yaml.safe_load, blocks("yaml")):
        if document.get("kind") == "CronJob":
            yield _pod(document)["containers"][0]["args"]


def test_every_command_line_is_understood() -> None:
    """Every option exists and every value can be read."""
    seen = set()
    for words in command_lines():
        name = next((word for word in words if word in COMMANDS), None)
        if name is None:  # the synopsis, and --help
            assert words[-1:] in (["[OPTION…]"], ["--help"]), words
            continue
        before, after = words[: words.index(name)], words[words.index(name) + 1 :]
        invocation = Invocation(env={})
        group = _program().make_context("dataportal", [*before, name], obj=invocation)
        try:
            load_command(name).make_context(name, after, parent=group, obj=invocation)
        except typer.Exit:  # --help
            assert "--help" in after
        seen.add(name)
    assert seen == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_listed(name: str) -> None:
    """Those of a command in its section, those of all above; and no other."""
    shared = {opt for p in _program().params for opt in p.opts}
    own = {
        opt for p in load_command(name).params if p.param_type_name == "option" for opt in p.opts
    }
    text = section(name)
    told = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", "".join(_first_cells(text))))
    missing = own - told - {"--help"}
    assert not {opt for opt in missing if f"`{opt}`" not in text}
    assert told <= own
    above = section("Commands").partition("### ")[0]
    assert not {opt for opt in shared - {"-h"} if opt not in above}


def _yaml_sources() -> list[str]:
    return [
        block
        for block in blocks("yaml")
        if yaml.safe_load(block).keys() <= {"timeseries", "request_groups"}
    ]


def _example_files() -> dict[str, str]:
    """The Python blocks, by the file names in their first lines."""
    files = {}
    for block in blocks("python"):
        compile(block, "README.md", "exec")
        found = re.match(r'"""(\w+\.py)', block)
        assert found, block
        files[found[1]] = block
    return files


def test_every_sources_yaml_works(tmp_path: Path) -> None:
    """Without a problem or a warning; the plugins take their parameters."""
    built = 0
    for number, block in enumerate(_yaml_sources()):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, text in _example_files().items():
            (folder / name).write_text(text, encoding="utf-8")
        (folder / "sources.yaml").write_text(block, encoding="utf-8")
        configuration = load(folder / "sources.yaml", VARIABLES)
        assert not configuration.problems
        assert not configuration.warnings
        for source in configuration.sources:
            if source.module != "src.plugins.data_sources.my_multi_plugin":  # a name only
                build_plugin(source, env=VARIABLES, root=folder)
                built += 1
    assert built >= 8


def _provider_rows() -> list[tuple[str, str]]:
    """The sections of the built-in providers, and the modules of their plugins."""
    table = section("Built-in sources")
    return re.findall(r"^\| \[(.*?)\]\(#.*? \| `(\w+)` \|", table, re.MULTILINE)


def test_every_built_in_plugin_is_listed() -> None:
    """Each module has a row in the table of providers."""
    assert sorted(module for _, module in _provider_rows()) == PLUGIN_MODULES


@pytest.mark.parametrize(("title", "module"), _provider_rows())
def test_every_parameter_is_listed(title: str, module: str) -> None:
    """Of the built-in plugins, by what they say when one is wrong."""
    text = section(title)
    head = next(line for line in text.splitlines() if line.startswith("| parameter"))
    listed = re.findall(r"`(\w+)`", "".join(_first_cells("\n".join(_table(text, head)))))
    assert set(listed) == known_parameters(module)


def test_the_example_plugins_work(tmp_path: Path) -> None:
    """Loaded as sources.yaml names them, asked over HTTP, cleaned.

    What is described in YAML alone brings the same.
    """
    for name, text in _example_files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = []
    with LocalServer() as server:
        server.answer("/rates", Reply.json([{"day": "2025-03-03", "rate": "1.0465"}]))
        levels = [
            {"station": station, "time": f"2025-03-03T0{hour}:00:00Z", "cm": 200 + hour}
            for hour in (6, 7)
            for station in ("Bonn", "Cologne")
        ]
        server.answer("/levels", Reply.json(levels))
        env = {**VARIABLES, "RATES_URL": server.url, "LEVELS_URL": server.url}
        for block in [block for block in _yaml_sources() if "usd-per-eur" in block]:
            (tmp_path / "sources.yaml").write_text(block, encoding="utf-8")
            for source in load(tmp_path / "sources.yaml", env).sources:
                built = build_plugin(source, env=env, root=tmp_path)
                found.append(asyncio.run(_cleaned(built, source)))
        keys = [r.headers["x-api-key"] for r in server.requests if r.path == "/rates"]
        assert keys == [VARIABLES["RATES_KEY"]] * 2
    (in_yaml, in_python) = found[:2], found[2:]
    assert in_yaml == in_python
    rates, group = in_python
    assert rates.series["usd-per-eur"].ts == [datetime(2025, 3, 2, 23, tzinfo=UTC)]
    assert [one.values for one in group.series.values()] == [[206.0, 207.0]] * 2


@pytest.mark.slow
def test_the_example_test_passes(tmp_path: Path) -> None:
    """As its author would run it, with every rule of the kit; and all rules are listed."""
    for name, text in _example_files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = next(line for line in _shell_lines() if line.startswith("pytest test_"))
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command), "-v", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    tried = re.findall(r"::test_rates\[(\w+)\] PASSED", done.stdout)
    rules = "".join(_first_cells(section("Writing a plugin")))
    assert sorted(tried) == sorted(re.findall(r"`(\w+)`", rules))


async def _cleaned(built: BuiltPlugin, source: Source) -> Batch:
    """What a plugin answers, as the run takes it."""
    plugin: Any = built.plugin
    plugin.http = HttpClient()
    names = [series.endpoint_prefix for series in source.series]
    try:
        if source.is_group:
            answer = await plugin.get_historical_data_multi("2025-03-01T00:00:00Z")
        else:
            answer = {names[0]: await plugin.get_historical_data("2025-03-01T00:00:00Z")}
    finally:
        await plugin.http.aclose()
    return clean(answer, series=names, start=None, end=None, zone=built.limits.zone)


def _pod(document: Any) -> Any:
    return document["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def test_the_cron_job_of_kubernetes_is_safe() -> None:
    """Never two at once, never for ever, as nobody special, and an end for each exit code."""
    (document,) = (d for d in map(yaml.safe_load, blocks("yaml")) if d.get("kind"))
    spec, job, pod = document["spec"], document["spec"]["jobTemplate"]["spec"], _pod(document)
    (container,) = pod["containers"]
    assert (document["apiVersion"], document["kind"]) == ("batch/v1", "CronJob")
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["startingDeadlineSeconds"] >= 10  # below, a controller may never start it
    assert job["activeDeadlineSeconds"] > 0
    assert pod["restartPolicy"] == "Never"  # or podFailurePolicy is refused
    assert pod["terminationGracePeriodSeconds"] > 10
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert container["resources"]["limits"]["memory"]
    assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
    rules = job["podFailurePolicy"]["rules"]
    assert rules[0]["action"] == "Ignore"
    assert rules[0]["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    actions = {}
    for rule in rules[1:]:
        codes = rule["onExitCodes"]
        assert codes["containerName"] == container["name"]
        assert codes["operator"] == "In"
        assert codes["values"] == sorted(codes["values"])  # or the API refuses it
        actions.update(dict.fromkeys(codes["values"], rule["action"]))
    assert actions[2] == actions[78] == "FailJob"
    assert actions[69] == "Count"
    never = {ExitCode.DONE, ExitCode.UNHEALTHY, ExitCode.LOCKED}  # not of this command
    assert actions.keys() == set(ExitCode) - never


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
        done = run_cli(
            "--json",
            "--config",
            config,
            *args,
            env={"DATABASE_URL": database_url, "LOG_LEVEL": "error"},
        )
        return json.loads(done.stdout or done.stderr)

    def damaged() -> Any:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("UPDATE time_series_data SET value = 0 WHERE ts = '2008-01-01'")
        document = answered("verify")
        document["checks"] = [check for check in document["checks"] if check["found"]]
        return document

    documents = [
        answered("fetch-all"),
        answered("list-sources"),
        answered("history", "sunspots", "--ts", "2008-01-01"),
        answered("healthcheck"),
        damaged(),
        answered("dump", "sunspots", "sample.jsonl.gz"),
        answered("migrate"),
        answered("list-sources", config=str(broken)),
    ]
    examples = [json.loads(block) for block in blocks("json")]
    assert len(examples) == len(documents)
    for example, document in zip(examples, documents, strict=True):
        # unlike the others, a list of texts may be empty in one of them
        assert json.dumps(_shape(document)) == json.dumps(_shape(example))
    prose = set(re.findall(r"`(\w+)`|\"(\w+)\"", BLOCK.sub("", section("JSON"))))
    explained = set(chain.from_iterable(prose))
    for document in documents:
        assert _keys(document) <= explained


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        below = (_keys(item) for key, item in value.items() if key != "metadata")
        return {*value, *chain.from_iterable(below)}
    return set(chain.from_iterable(map(_keys, value))) if isinstance(value, list) else set()


def test_every_statement_runs(database_url: str) -> None:
    """On the schema of this program."""
    with psycopg.connect(database_url) as connection:
        for block in blocks("sql"):
            connection.execute(block.encode())
    assert len(blocks("sql")) == 4


_MASKS = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z", "K"),
    (r"\d+\.\d s\b", "S"),
    (r"\((now|\d+ \w+ ago)\)", "(AGE)"),
    (r"run_id=\d+", "run_id=N"),
    (r"(revised|current) +\d+$", r"\1 N"),
    (r"PostgreSQL [\d.]+.*", "PostgreSQL"),
    (r" +", " "),
)


def _masked(lines: Sequence[str]) -> list[str]:
    """Without what differs from run to run; in any order, as sources run side by side."""
    masked = []
    for line in lines:
        said = line.rstrip()
        for pattern, instead in _MASKS:
            said = re.sub(pattern, instead, said)
        masked.append(said)
    return sorted(said for said in masked if said and "created an embedded" not in said)


@pytest.mark.slow
def test_the_first_steps_are_as_shown(tmp_path: Path, run_cli: RunCli, database_url: str) -> None:
    """Every command of the first two sections says what README says it does."""
    shutil.copytree(ROOT / "dataportal" / "sample", tmp_path / "dataportal" / "sample")
    before = ""
    steps = section("What you see") + section("A revision")
    for shown in [block for block in BLOCK.findall(steps) if block[0] == "console"]:
        for step in re.split(r"^\$ ", shown[1], flags=re.MULTILINE)[1:]:
            command, *lines = step.splitlines()
            words = shlex.split(command)
            if words[0] != "dataportal":
                before = datetime.now(UTC).isoformat()
                subprocess.run(words, cwd=tmp_path, check=True)
                continue
            # what was 30 seconds ago to who wrote it is a moment ago here
            arguments = [before if word == "30s" else word for word in words[1:]]
            done = run_cli(*arguments, cwd=tmp_path, env={"DATABASE_URL": database_url})
            assert done.returncode == 0, done.stderr
            found = [*done.stderr.splitlines(), *done.stdout.splitlines()]
            assert _masked(found) == _masked(lines), command


def _texts() -> Iterator[str]:
    """Every text in the program, with a gap for each value that is put into it."""
    for path in (ROOT / "dataportal").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.JoinedStr):
                parts = (getattr(part, "value", "") for part in node.values)
                yield "".join(part if isinstance(part, str) else "\0" for part in parts)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_the_messages_to_look_up_exist() -> None:
    """What Troubleshooting quotes is what the program says somewhere."""
    said = "\n".join(text.replace("\n", " ") for text in _texts())
    table = _table(section("Troubleshooting"), "| message | what to do |")
    assert len(table) > 20
    for row in table:
        message = row.split("`")[1]
        pattern = ".*".join(re.escape(part) for part in message.strip("… ").split("…"))
        assert re.search(pattern, said), message


def test_examples_that_show_errors_are_errors(tmp_path: Path) -> None:
    """The broken file that README shows the problems of has them, at these places."""
    block = next(block for block in _yaml_sources() if "my-prices" in block)
    text = block.replace("schedule:", "shedule:").replace("Europe/Berlin", "Berlin")
    (tmp_path / "sources.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        load(tmp_path / "sources.yaml", {})
    for problem in raised.value.problems:
        where = problem.where.replace(f"{tmp_path}/", "")
        assert f"  {where}: {problem.message}" in TEXT.splitlines()
    assert len(raised.value.problems) == 2
