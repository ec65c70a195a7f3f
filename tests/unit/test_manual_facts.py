"""README and the manual against the program: what they show is real, what they list complete."""

from __future__ import annotations

import ast
import asyncio
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
import typer
from support import manual, parameter_tables
from support.conformance_kits import PLUGIN_MODULES, plugin_classes
from support.http_server import LocalServer, Reply
from support.manual import ROOT, first_cells, table

from dataportal.cli.app import COMMANDS, _program, load_command
from dataportal.cli.options import Invocation
from dataportal.config import Limits, build_plugin, load
from dataportal.config.keys import GROUP, LIMITS, MEMBER, METADATA, OPTIONS, SINGLE
from dataportal.errors import ConfigurationError, ExitCode
from dataportal.health import Condition
from dataportal.observations import clean
from dataportal.plugins.http import HttpClient
from dataportal.render.manual import page_of_message
from dataportal.settings import from_environment
from dataportal.store.records import Outcome
from dataportal.times import parse_duration
from dataportal.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.manual import Page

    from dataportal.config import BuiltPlugin, Source
    from dataportal.config.keys import Key
    from dataportal.observations import Batch

README = manual.readme()
PAGES = manual.everything()
TESTS_TEXT = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
KEYS = sorted({key for p in PAGES for key in re.findall(r"\$\{([A-Z_]+_(?:KEY|TOKEN))\}", p.text)})
VARIABLES = dict.fromkeys((*KEYS, "INFLUX_TOKEN", "CLIENT_ID", "CLIENT_SECRET"), "a-key")


def page(topic: str) -> Page:
    """The page of a topic."""
    return manual.page(topic)


def test_the_two_commands_are_there_once() -> None:
    """Each on one line of its own, as CI takes them from there."""
    commands = [
        "pip install '.[embedded]' && dataportal --config dataportal/sample/sources.yaml fetch-all",
        "pip install '.[test]' && pytest",
    ]
    lines = README.text.splitlines()
    assert [lines.count(command) for command in commands] == [1, 1]
    assert README.text.count("]' && ") == len(commands)


def _rows(keys: Mapping[str, Key]) -> Iterator[str]:
    for name, key in keys.items():
        yield f"| {', '.join(f'`{n}`' for n in (name, *key.aliases))} | {key.about} |"


def test_every_key_of_sources_yaml_is_listed() -> None:
    """With its other names and the words that the program has for it; nothing besides."""
    sources = page("sources")
    options, metadata = map(sources.section, ("Options of a source", "Metadata of a series"))
    head = "| key | what it says (default) |"
    assert table(options, head) == list(_rows(OPTIONS))
    assert table(metadata, head) == list(_rows(METADATA))
    entry = {k: v for k, v in {**SINGLE, **GROUP, **MEMBER}.items() if k not in METADATA}
    assert sorted(sources.table("| key | what it says |")) == sorted(_rows(entry))


def test_the_defaults_told_are_the_defaults() -> None:
    """A duration in parentheses is the one that the program takes."""
    limits = Limits()
    listed = {
        name: found[1]
        for name in LIMITS
        if (found := re.search(r"\(([^()]+)\)$", OPTIONS[name].about))
    }
    assert len(listed) >= 5
    for name, text in listed.items():
        default = text.removesuffix(" or all")
        length = timedelta() if default == "0" else parse_duration(default)
        assert getattr(limits, name) == length, name


def test_every_exit_code_is_listed() -> None:
    """With the words of --help, in its order."""
    listed = re.findall(r"^\| (\d+) \| (.*?) \|", page("exit-codes").text, re.MULTILINE)
    assert listed == [(str(code.value), code.meaning) for code in ExitCode]


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
    """Those of users in the manual, those of tests in the tests' README."""
    env = _Asked()
    from_environment(env)
    assert len(env.names) >= 8
    listed = set(re.findall(r"`([A-Z_]{4,})`", "".join(first_cells(page("environment").text))))
    assert env.names <= listed
    for name in _read_elsewhere():
        assert name in listed or f"`{name}`" in TESTS_TEXT, name
    for name in re.findall(r"DATAPORTAL_[A-Z_]+", _sources_of_tests()):
        assert f"`{name}`" in TESTS_TEXT, name


def _sources_of_tests() -> str:
    files = (ROOT / "tests" / name for name in ("conftest.py", "support/databases.py"))
    return "".join(path.read_text(encoding="utf-8") for path in files)


_WITHOUT_COMMAND = (
    *([word] for word in ("[OPTION…]", "--help", "--version", "--install-completion", "…")),
    [],
)


def test_every_command_line_is_understood() -> None:
    """Every option exists and every value can be read."""
    seen = set()
    for words in manual.command_lines(PAGES):
        name = manual.command_in(words)
        if name is None:  # the synopsis, the program alone, and what needs no command
            assert words[-1:] in _WITHOUT_COMMAND, words
            continue
        before, after = words[: words.index(name)], words[words.index(name) + 1 :]
        invocation = Invocation(env={})
        group = _program().make_context("dataportal", [*before, name], obj=invocation)
        try:
            load_command(name).make_context(name, [*after], parent=group, obj=invocation)
        except typer.Exit:  # --help
            assert "--help" in after
        seen.add(name)
    assert seen == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_page_with_the_words_of_its_help(name: str) -> None:
    """What it is for, its examples, its options and arguments, each as `--help` has them."""
    text = page(name)
    assert text.text.startswith(f"# {name}\n\n{COMMANDS[name]}\n\n")
    module = import_module(f"dataportal.cli.{name.replace('-', '_')}")
    assert text.blocks("sh")[0].splitlines() == list(module.EXAMPLES)
    options = list(manual.option_rows(name))
    if options:
        assert text.table("| option | meaning |") == options
    else:
        assert "It has none of its own." in text.section("Options")


def test_the_options_of_every_command_are_listed() -> None:
    """On one page, and no other."""
    shared = {opt for p in _program().params for opt in p.opts}
    cells = "".join(first_cells(page("commands").section("Options of every command")))
    assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", cells)) == shared


def _yaml_sources() -> list[str]:
    return manual.sources(PAGES)


def _example_files() -> dict[str, str]:
    """The Python blocks that are files, by the file names in their first lines."""
    return manual.example_files(PAGES)


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
    assert built >= 36


def test_every_built_in_plugin_is_listed() -> None:
    """Each module has a row in the table of providers."""
    assert sorted(parameter_tables.topics().values()) == PLUGIN_MODULES


@pytest.mark.parametrize(("topic", "module"), parameter_tables.topics().items())
def test_every_parameter_is_listed(topic: str, module: str) -> None:
    """With the words of its struct; else, in tests: python -m support.parameter_tables."""
    text = "\n".join(page.text for page in parameter_tables.pages_of(topic))
    tables = parameter_tables.tables_of(module)
    assert table(text, parameter_tables.HEAD) == tables.pop(parameter_tables.HEAD)
    for head, rows in tables.items():
        if head in text:
            assert table(text, head) == rows
            continue
        # what has no table of its own is explained where it stands
        for name in re.findall(r"^\| `(\w+)`", "\n".join(rows), re.MULTILINE):
            assert re.search(rf"`[^`]*\b{name}\b[^`]*`", text), (head, name)


def test_the_example_plugins_work(tmp_path: Path) -> None:
    """Loaded as sources.yaml names them, asked over HTTP, cleaned.

    What is described in YAML alone brings the same.
    """
    for name, text in _example_files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    batches = []
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
                batches.append(asyncio.run(_cleaned(built, source)))
        keys = [r.headers["x-api-key"] for r in server.requests if r.path == "/rates"]
        assert keys == [VARIABLES["RATES_KEY"]] * 2
    (in_yaml, in_python) = batches[:2], batches[2:]
    assert in_yaml == in_python
    rates, group = in_python
    assert rates.series["usd-per-eur"].ts == [datetime(2025, 3, 2, 23, tzinfo=UTC)]
    assert [values.values for values in group.series.values()] == [[206.0, 207.0]] * 2


@pytest.mark.slow
def test_the_example_test_passes(tmp_path: Path) -> None:
    """As its author would run it, with every rule of the kit; and all rules are listed."""
    for name, text in _example_files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = next(
        line for line in page("plugin-tests").shell_lines() if line.startswith("pytest test_")
    )
    process = subprocess.run(
        [sys.executable, "-m", *shlex.split(command), "-v", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout
    tried = re.findall(r"::test_rates\[(\w+)\] PASSED", process.stdout)
    rules = "".join(first_cells(page("plugin-tests").section("The rules")))
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


def test_the_cron_job_of_kubernetes_is_safe() -> None:
    """Never two at once, never for ever, as nobody special, and an end for each exit code."""
    (document,) = page("kubernetes").documents()
    spec, job, pod = document["spec"], document["spec"]["jobTemplate"]["spec"], manual.pod(document)
    (container,) = pod["containers"]
    assert container["image"] == f"dataportal:{__version__}"
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
    """What the page quotes is what the program says somewhere; each names a page that says more."""
    texts = "\n".join(text.replace("\n", " ") for text in _texts())
    rows = re.findall(r"^\| `.*$", page("messages").text, re.MULTILINE)
    assert len(rows) > 50
    for row in rows:
        assert re.search(r"\| \[[\w-]+\]\([\w/-]+\.md\) \|$", row), row
        message = row.split("`")[1]
        pattern = ".*".join(re.escape(part) for part in message.strip("… ").split("…"))
        assert re.search(pattern, texts), message


def _message_rows() -> list[tuple[str, str, str]]:
    """Section, message and page of each row of the page of messages."""
    rows = []
    for section in page("messages").headings(2):
        text = page("messages").section(section)
        found = re.findall(r"^\| `(.+?)` \| .* \| \[([\w-]+)\]\(", text, re.MULTILINE)
        rows += [(section, message, topic) for message, topic in found]
    return rows


@pytest.mark.parametrize(("section", "message", "topic"), _message_rows())
def test_a_message_names_the_page_of_its_row(section: str, message: str, topic: str) -> None:
    """Whatever stands for the dots, and with more behind it; no row hides another."""
    of_file = section == "Files of series"
    for filling in ("x", "a: b", "'smard' (1)"):
        text = message.replace("…", filling)
        for shown in (text, f"{text}: and more", f"{text} (so it is)"):
            assert page_of_message(shown, of_file=of_file) == topic
    assert page_of_message("nothing of the kind", of_file=of_file) is None


def test_examples_that_show_errors_are_errors(tmp_path: Path) -> None:
    """The broken file that a page shows the problems of has them, at these places."""
    block = next(block for block in page("csv").blocks("yaml") if "my-prices" in block)
    text = block.replace("schedule:", "shedule:").replace("Europe/Berlin", "Berlin")
    (tmp_path / "sources.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        load(tmp_path / "sources.yaml", {})
    for problem in raised.value.problems:
        where = problem.where.replace(f"{tmp_path}/", "")
        assert f"  {where}: {problem.message}" in page("own-source").text.splitlines()
    assert len(raised.value.problems) == 2


def test_every_outcome_and_every_state_is_listed() -> None:
    """Each with its meaning, and no other."""
    outcomes = re.findall(
        r"`(\w+)`", "".join(page("fetch").table("| outcome | meaning | exit code |"))
    )
    assert set(outcomes) >= set(Outcome)
    states = re.findall(r"^\| `([\w ]+)` \|", page("list-sources").section("States"), re.MULTILINE)
    assert {state.replace("needs X", "needs") for state in states} == set(Condition)


PROVIDERS = [p for p in manual.pages() if p.path.parent.name == "providers" and p.topic != "csv"]
QUESTIONS = [
    "key",
    "licence and credit",
    "`ts` is",
    "time zone",
    "unit",
    "sign",
    "no value",
    "published",
    "revised",
    "asked again",
    "requests",
    "compared with",
]


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.topic)
def test_a_page_of_a_provider_answers_the_same_questions(provider: Page) -> None:
    """At a glance, each in one row; then an example that can be copied."""
    rows = provider.table("| question | answer |")
    assert first_cells("\n".join(rows)) == QUESTIONS
    assert all(re.search(r"\| \S.* \|$", row) for row in rows)
    assert provider.headings(2)[:2] == ["At a glance", "Try it"]
    assert provider.blocks("yaml")


def _asked_again(provider: Page) -> dict[str, set[str]]:
    (row,) = (
        row for row in provider.table("| question | answer |") if row.startswith("| asked again")
    )
    listed: dict[str, set[str]] = {}
    for name, value in re.findall(r"`(\w+)` (all|\d+ \w+)", row):
        listed.setdefault(name, set()).add(value)
    return listed


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.topic)
def test_how_far_each_run_asks_again_is_what_the_plugin_does(
    provider: Page, tmp_path: Path
) -> None:
    """The defaults of its classes; of what is described in YAML those of its example."""
    own: dict[str, set[timedelta | None]] = {}
    for block in provider.blocks("yaml"):
        (tmp_path / "sources.yaml").write_text(block, encoding="utf-8")
        for source in load(tmp_path / "sources.yaml", VARIABLES).sources:
            limits = build_plugin(source, env=VARIABLES, root=tmp_path).limits
            for name in ("lookback", "initial_history", "max_window", "forecast_horizon"):
                own.setdefault(name, set()).add(getattr(limits, name))
    for name, values in _asked_again(provider).items():
        for value in values:
            assert (None if value == "all" else parse_duration(value)) in own[name], (name, value)


def test_the_defaults_of_every_plugin_are_told() -> None:
    """No class has a default that the page of its provider leaves out."""
    count = 0
    for topic, module in parameter_tables.topics().items():
        for plugin in plugin_classes(module):
            for key, value in plugin.source_defaults.items():
                assert re.search(rf"`{key}`( is `?| ){value}", page(topic).text), (key, value)
                count += 1
    assert count > 20


def test_python_and_r_can_be_read() -> None:
    """Every block of Python compiles; those of pandas and the like are run by hand."""
    count = 0
    for shown in PAGES:
        for block in shown.blocks("python"):
            compile(block, shown.name, "exec")
            count += 1
    assert count >= 10
    for block in page("analysts").blocks("r"):
        assert block.count("(") == block.count(")")


def test_units_of_systemd_are_as_shown() -> None:
    """The service is started by the timer, quietly, and may write nowhere."""
    service, timer = page("systemd").blocks("ini")
    assert "ExecStart=/opt/dataportal/bin/dataportal -q fetch-all --due" in service.splitlines()
    assert {"ProtectSystem=strict", "NoNewPrivileges=yes", "User=dataportal"} <= set(
        service.splitlines()
    )
    assert "OnCalendar=*:0/5" in timer.splitlines()
    assert "WantedBy=timers.target" in timer.splitlines()


def test_the_page_of_cron_shows_the_file() -> None:
    """Its variables and its lines, comments left out."""
    example = (ROOT / "crontab.example").read_text(encoding="utf-8")
    lines = [line for line in example.splitlines() if line and not line.startswith("#")]
    shown = page("cron").section("The file").partition("```text\n")[2].partition("```")[0]
    assert [line for line in shown.splitlines() if line] == lines
    add = "(crontab -l 2>/dev/null; cat crontab.example) | crontab -"
    for text in (README.text, page("cron").text, example):
        assert add in text


def test_the_upgrade_page_knows_every_migration_and_version() -> None:
    """Each migration stands beside the version that brought it, and the changelog has them all."""
    table = page("upgrade").section("What each version asks for")
    listed = re.findall(r"\d{4}_\w+", table)
    assert sorted(listed) == sorted(p.stem for p in (ROOT / "sql" / "migrations").glob("*.sql"))
    versions = re.findall(r"^\| (\d+\.\d+\.\d+) \|", table, re.MULTILINE)
    assert versions == page("changelog").headings(2)
    assert versions[0] == __version__


def test_the_portal_on_paper_adds_up() -> None:
    """What each row of it makes, from the figures that the pages have measured."""
    rows = [
        row.strip("| ").split(" | ") for row in page("citus").table("| what | arithmetic | makes |")
    ]
    makes = {what: result for what, _, result in rows}
    size = page("size").text
    new, more, load = (
        int(found[1].replace(",", ""))
        for pattern in (
            r"An observation takes about (\d+) bytes",
            r"A revision takes about (\d+) bytes",
            r"rows of a first load \| about ([\d,]+) a second",
        )
        if (found := re.search(pattern, size))
    )
    clock = page("citus").table("| what | coordinator and two workers | one server |")
    (unchanged,) = (float(row.split(" | ")[1]) for row in clock if "unchanged" in row)
    observations = 1_000_000 * 96 * 365.25 * 20
    size_of_rows = observations * new + observations * 0.05 * more
    asked = 1_000_000 * 672 / 3_600
    assert makes == {
        "observations": f"{observations / 1e9:.0f} billion",
        "versions": f"{observations * 1.05 / 1e9:.0f} billion",
        "bytes as rows": f"{size_of_rows / 1e12:.0f} TB",
        "workers of 8 TB": f"{size_of_rows / 8e12:.0f}, and as many replicas",
        "bytes in a columnstore, which Citus has not for such tables": (
            f"{size_of_rows / 1e13:.0f} TB"
        ),
        "new points": f"{1_000_000 * 96 / 86_400:,.0f} a second",
        "points asked again, 7 days each hour": f"{round(asked, -3):,.0f} a second",
        "jobs that fetch": (
            f"{asked / (100 * 8_760 / unchanged):.0f}, with answers as fast as a file; "
            "plan for 4 machines of 8"
        ),
        "looks at the newest value of a series, which the coordinator plans": (
            f"{1_000_000 / 3_600:.0f} a second"
        ),
        "connections to a worker": f"{4 * 8} to {4 * 8 * 16}",
        "first load by 16 jobs": f"{observations / 16 / load / 3_600:.0f} hours",
    }
