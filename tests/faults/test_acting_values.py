"""What plugins yield may act: it does so in their own thread, in their own time, and harms none."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from itertools import count, repeat
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from support.http_server import LocalServer
from support.program_sources import SourceFile, outcomes, recorded_runs, runs_by_source, table

from dataportal import observations, plain_answers, raw_points
from dataportal.errors import BadDataError
from dataportal.observations import clean
from dataportal.plain_answers import plain_answer
from dataportal.raw_points import RefusedTime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCli

_GOOD = "{'ts': '2025-01-01T00:00:00Z', 'value': 1.0}"
_HEAD = """
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from numbers import Real
from dataportal.errors import LockedError

def leave(*_args): sys.exit(0)
def fail(*_args): raise ConnectionError("the line is dead")
def hang(*_args): threading.Event().wait()
"""
_ACTS = {
    "a_generator": "def act_of(act):\n yield {good}\n act()",
    "a_number": "class N(float):\n __float__ = lambda s: act()\n"
    "def act_of(act): return [{good}, dict(ts='2025-01-01T01:00:00Z', value=N(2))]",
    "a_zone": "class Z(tzinfo):\n utcoffset = dst = lambda s, t: act()\n"
    "def act_of(act): return [{good}, dict(ts=datetime(2025, 1, 1, tzinfo=Z()), value=2)]",
    "a_point": "class P(dict):\n __contains__ = lambda s, k: act()\n"
    "def act_of(act): return [{good}, P(ts='2025-01-01T01:00:00Z', value=2)]",
    "an_answer": "class A(dict):\n get = keys = __contains__ = lambda s, *k: act()\n"
    "def act_of(act): return A(data=[{good}])",
    "a_length": "class L(list):\n __len__ = __iter__ = lambda s: act()\n"
    "def act_of(act): return L([{good}])",
    "a_class": "class C:\n __class__ = property(lambda s: act())\n"
    "def act_of(act): return [{good}, dict(ts='2025-01-01T01:00:00Z', value=C())]",
    "an_error": "class E(TransientError):\n __str__ = lambda s: act()\n"
    " message = property(lambda s: act(), lambda s, v: None)\n"
    "def act_of(act): raise E('x')",
}
_EXPECTED = {"leave": "SystemExit", "fail": "the line is dead", "hang": "did not answer within"}


def acting_source(sources: SourceFile, kind: str, act: str) -> None:
    """A source whose answer does something, not the plugin's method itself."""
    code = _ACTS[kind].replace("{good}", _GOOD)
    sources.python(
        f"{kind}_{act}",
        "def get_historical_data(self, *window): return act_of(act)",
        head=f"{_HEAD}\nact = {act}\n{code}",
        timeout="2 s" if act == "hang" else "1 minute",
    )


@pytest.mark.slow
@pytest.mark.parametrize("act", sorted(_EXPECTED))
def test_what_the_values_of_an_answer_do(
    tmp_path: Path, database_url: str, run_cli: RunCli, act: str
) -> None:
    """Ending the program, failing, hanging: the run of that source fails with the reason."""
    sources = SourceFile(tmp_path)
    with LocalServer() as server:
        sources.csv("good", server.answer("/good.csv", table([1.0, 2.0])))
        for kind in _ACTS:
            acting_source(sources, kind, act)
        sources.write()
        env = {"DATABASE_URL": database_url, "MAX_RETRIES": "0"}
        done = run_cli("fetch-all", "--json", "--jobs", "20", env=env)
    assert done.returncode == 3, done.stderr
    runs = runs_by_source(done)
    assert runs.pop("good")["outcome"] == "succeeded"
    assert len(runs) == len(_ACTS)
    for name, run in runs.items():
        assert run["outcome"] == "failed", name
        if name.startswith("an_error_") and act != "hang":
            # an error that cannot tell its own text
            assert "failed" in run["error"]
        else:
            assert _EXPECTED[act] in run["error"], name
    assert None not in outcomes(database_url)
    assert {run.inserted for run in recorded_runs(database_url) if run.source != "good"} == {0}


def test_a_connection_that_breaks_while_points_are_drawn(
    tmp_path: Path, database_url: str, run_cli: RunCli
) -> None:
    """May pass: it is tried again, and what comes then is stored."""
    sources = SourceFile(tmp_path)
    sources.python(
        "flaky",
        f"""
        times = 0
        def get_historical_data(self, *window):
            yield {_GOOD}
            Plugin.times += 1
            if Plugin.times == 1:
                raise ConnectionError("the line is dead")
        """,
        initial_history="all",
    )
    sources.write()
    env = {"DATABASE_URL": database_url, "MAX_RETRIES": "1", "RETRY_DELAY_SECONDS": "0"}
    done = run_cli("fetch", "flaky", "--json", env=env)
    assert done.returncode == 0, done.stderr
    run = runs_by_source(done)["flaky"]
    assert (run["outcome"], run["inserted"]) == ("succeeded", 1), (run, done.stderr)


def test_attempts_that_follow_at_once(tmp_path: Path, database_url: str, run_cli: RunCli) -> None:
    """None is kept out by the lock of the one before, which the server has yet to free."""
    sources = SourceFile(tmp_path)
    sources.python(
        "flaky",
        f"""
        times = 0
        def get_historical_data(self, *window):
            Plugin.times += 1
            if Plugin.times < 60:
                raise TransientError("not yet", retry_after=0)
            return [{_GOOD}]
        """,
        initial_history="all",
    )
    sources.write()
    done = run_cli("fetch", "flaky", env={"DATABASE_URL": database_url, "MAX_RETRIES": "70"})
    assert done.returncode == 0, done.stderr
    assert outcomes(database_url) == ["succeeded"]


@pytest.mark.slow
def test_points_without_an_end(tmp_path: Path, database_url: str, run_cli: RunCli) -> None:
    """Are taken up to a bound, which is told; the others of the run are stored."""
    sources = SourceFile(tmp_path)
    sources.python(
        "endless",
        """
        def get_historical_data(self, *window):
            point = {"ts": "2025-01-01T00:00:00Z", "value": 1.0}
            while True:
                yield point
        """,
    )
    sources.write()
    done = run_cli("fetch", "endless", "--json", env={"DATABASE_URL": database_url})
    assert done.returncode == 3, done.stderr
    error = runs_by_source(done)["endless"]["error"]
    assert "more than 10,000,000 points" in error
    assert "max_window" in error


_LEAVERS = {
    "its class's defaults": (
        "class D(dict): items = lambda s: sys.exit(0)",
        "source_defaults = D()",
    ),
    "what is set in it": ("", "def __setattr__(self, *a): sys.exit(0)"),
    "its client": ("", "http = property(lambda s: 1, lambda s, client: sys.exit(0))"),
    "a lock of somebody else": (
        "",
        "def get_historical_data(self, *w): raise LockedError('x', holder='y')",
    ),
    "a lock, when it is made": ("", "def __init__(self, *a): raise LockedError('x', holder='y')"),
    "an error without a text": (
        "class E(ValueError): __str__ = leave",
        "def __init__(self, *a): raise E",
    ),
    "a task": (
        "async def leave_later(): sys.exit(0)",
        """
        async def get_historical_data(self, *w):
            task = asyncio.create_task(leave_later())
            await asyncio.sleep(0.1)
            return []
        """,
    ),
    "itself": (
        "",
        """
        async def get_historical_data(self, *w):
            asyncio.current_task().cancel()
            await asyncio.sleep(0)
        """,
    ),
    "whatever is asked of it": ("", "def __getattribute__(self, name): sys.exit(0)"),
    "how it reads": ("", "reading = property(lambda self: sys.exit(0))"),
    "how it reads, as no number": ("", "reading = '2'"),
    "how it reads, as a number without end": ("", "reading = 10**400"),
    "the process": ("", "def get_historical_data(self, *w): os._exit(0)"),
    "the process, from a generator": (
        "",
        f"""
        def get_historical_data(self, *w):
            yield {_GOOD}
            os._exit(0)
        """,
    ),
    "the process, at its end": (
        "import atexit",
        """
        def get_historical_data(self, *w):
            atexit.register(os._exit, 0)
            raise ValueError
        """,
    ),
}


@pytest.mark.parametrize("kind", _LEAVERS)
def test_a_plugin_that_ends_the_program_where_nobody_calls_it(
    tmp_path: Path, database_url: str, run_cli: RunCli, kind: str
) -> None:
    """Wherever its code runs, it is a fault of its own: exit 3, and its run is closed."""
    head, body = _LEAVERS[kind]
    if "get_historical_data" not in body:
        body += "\ndef get_historical_data(self, *w): return []"
    sources = SourceFile(tmp_path)
    sources.python("bad", body, head=_HEAD + head)
    sources.write()
    done = run_cli("fetch", "bad", "--json", env={"DATABASE_URL": database_url})
    assert done.returncode == 3, done.stdout + done.stderr
    assert runs_by_source(done)["bad"]["outcome"] == "failed"
    assert outcomes(database_url) == ["failed"]


_MEDDLERS = {
    "prints": "print('noise'); sys.stdout.write('more'); sys.stdout.flush()",
    "writes to a number": "os.write(1, b'noise'); os.system('echo noise')",
    "closes stdout": "sys.stdout.close(); sys.stderr.close()",
    "closes what is beneath": "sys.stdout.buffer.write(b'\\xff'); sys.stdout.buffer.close()",
    "has no stdout": "sys.stdout = sys.stderr = None",
    "takes stderr": "import io; sys.stdout = sys.stderr = io.StringIO()",
    "prints a secret": "print(os.environ['MY_KEY']); print(os.environ['MY_KEY'], file=sys.stderr)",
    "loses a thread": "t = threading.Thread(target=die); t.start(); t.join()",
    "leaves threads": "[threading.Thread(target=hang).start() for _ in range(20)]",
    "registers what hangs": "import atexit; atexit.register(hang)",
    "loses an object": "Dying()",
}


@pytest.mark.parametrize("kind", _MEDDLERS)
def test_a_plugin_that_meddles_with_what_is_shown(
    tmp_path: Path, database_url: str, run_cli: RunCli, kind: str
) -> None:
    """Results and messages come as ever, no secret is shown, and the program ends in time."""
    head = """
    def die(*args): raise ValueError(os.environ["MY_KEY"])
    def hang(): threading.Event().wait()
    class Dying: __del__ = die
    """
    sources = SourceFile(tmp_path)
    point = f"return [{_GOOD}]"
    body = f"def get_historical_data(self, *w):\n    {_MEDDLERS[kind]}\n    "
    sources.python("good", body + point, head=head, initial_history="all")
    sources.python("bad", f"{body}raise ValueError('told')", head=head)
    sources.write()
    env = {"DATABASE_URL": database_url, "MY_KEY": "sesame-1234"}
    done = run_cli("fetch-all", "--json", "--jobs", "1", env=env)
    assert done.returncode == 3, done.stderr
    runs = runs_by_source(done)
    assert [runs[name]["outcome"] for name in ("good", "bad")] == ["succeeded", "failed"]
    assert "told" in done.stderr, "although the plugin had its hands on stderr"
    assert "sesame" not in done.stdout + done.stderr
    preview = run_cli("preview", "good", "--json", env=env)
    assert preview.returncode in {0, 3}, preview.stderr
    assert isinstance(json.loads(preview.stdout), dict)
    assert "sesame" not in preview.stderr


_CHANGES = {
    "json": "json.dumps = lambda *a, **k: ''; json.JSONEncoder.encode = lambda s, o: ''",
    "functions": "import builtins; builtins.print = builtins.open = lambda *a, **k: None; "
    "os.write = lambda *a: 0; sys.exit = lambda *a: None; time.time = lambda: 0.0",
    "what shows it": "import dataportal.render.console as c; c.show = lambda *a: None",
    "the folder": "os.chdir('/')",
    "a folder that is gone": "d = tempfile.mkdtemp(); os.chdir(d); os.rmdir(d)",
    "the environment": "os.environ.clear(); os.environ.update(TZ='Asia/Tokyo', "
    "PGHOST='nowhere.invalid', PGOPTIONS='-crole=nobody'); time.tzset()",
    "a proxy": "os.environ.update(HTTP_PROXY='http://127.0.0.1:9', NO_PROXY='')",
    "depth": "sys.setrecursionlimit(80)",
    "settings": "import decimal, gc, random, socket, warnings; warnings.simplefilter('error'); "
    "decimal.DefaultContext.prec = 2; socket.setdefaulttimeout(0.0001); random.seed(0); "
    "gc.disable(); sys.setswitchinterval(1); random.uniform = lambda *a: 1e9; os.umask(0o777)",
    "the log": "import logging; logging.disable(50); logging.basicConfig(force=True, level=50)",
    "all logs": "from logging import config; config.dictConfig({'version': 1})",
}


@pytest.mark.parametrize(
    ("what", "where"),
    [*((what, "method") for what in _CHANGES), ("json", "module"), ("the folder", "module")],
)
def test_a_plugin_that_changes_the_process(
    tmp_path: Path, database_url: str, run_cli: RunCli, what: str, where: str
) -> None:
    """Its neighbours, what is written of it and what others are told are as without it."""
    change = _CHANGES[what]
    sources = SourceFile(tmp_path)
    (tmp_path / "near.csv").write_text("ts,value\n2025-01-01T00:00:00Z,1.0\n", encoding="utf-8")
    sources.python(
        "bad",
        f"""
        def get_historical_data(self, *window):
            {change if where == "method" else ""}
            return [{_GOOD}]
        """,
        head=f"import tempfile, time\n{change if where == 'module' else ''}",
        initial_history="all",
    )
    with LocalServer() as server:
        sources.csv("far", server.answer("/far.csv", table([1.0, 2.0])), initial_history="all")
        sources.csv("near", "near.csv", initial_history="all")
        sources.add("none", "plugin_nowhere.Plugin", {}, {})
        sources.write()
        # one after the other, in the order of the file
        order = ("--jobs", "1", "--on-locked", "wait")
        env = {"DATABASE_URL": database_url, "MAX_RETRIES": "0"}
        done = run_cli("fetch-all", "--json", *order, "--metrics-file", "m.prom", env=env)
    assert done.returncode == 3, done.stderr
    ends = {name: run["outcome"] for name, run in runs_by_source(done).items()}
    assert ends == {
        "bad": "succeeded",
        "far": "succeeded",
        "near": "succeeded",
        "none": "failed",
    }, done.stderr
    assert "there is no module plugin_nowhere" in done.stderr
    metrics = tmp_path / "m.prom"
    assert metrics.stat().st_mode & 0o777 == 0o644
    assert 'dataportal_source_healthy{source="near"} 1' in metrics.read_text(encoding="utf-8")


@pytest.mark.parametrize("attribute", ["count_requests = lambda *a: act()", "max_requests = P()"])
def test_a_plugin_that_acts_when_a_plan_is_made(
    tmp_path: Path, database_url: str, run_cli: RunCli, attribute: str
) -> None:
    """Is a fault of the plugin, with its reason."""
    sources = SourceFile(tmp_path)
    head = "def act(): sys.exit(0)\nclass P: __get__ = lambda *a: act()"
    body = f"{attribute}\ndef get_historical_data(self, *w): return []"
    sources.python("bad", body, head=head)
    sources.write()
    env = {"DATABASE_URL": database_url}
    done = run_cli("fetch", "bad", "--start", "3d", "--plan", "--json", env=env)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "SystemExit" in done.stderr


def test_plain_answers_say_the_same() -> None:
    """Whatever an answer is made of, its copy is cleaned to the same, told in the same words."""

    class Text(str):
        __slots__ = ()

    class Number(float):
        pass

    class Day(date):
        pass

    class Zone(tzinfo):
        def utcoffset(self, _: datetime | None) -> timedelta:
            return timedelta(hours=1)

        def dst(self, _: datetime | None) -> timedelta:
            return timedelta()

        def tzname(self, _: datetime | None) -> str:
            return "elsewhere"

    foreign = Zone()
    raws: list[Any] = [
        {"ts": "2025-01-01T00:00:00Z", "value": Number(1)},
        {"ts": Text("2025-01-01T01:00:00Z"), "value": Text("2.5")},
        {"ts": datetime(2025, 1, 1, 3, tzinfo=foreign), "value": Fraction(1, 4)},
        {"ts": datetime(2025, 1, 1, 4), "value": Decimal("1e400")},  # noqa: DTZ001
        {"ts": Day(2025, 1, 2), "value": True},
        {"ts": RefusedTime("has no summer"), "value": 1},
        {"ts": [foreign], "value": {"a": [1]}},
        {"ts": "2025-01-01T05:00:00Z"},
        {"value": 1},
        7,
        [8],
    ]
    bounds: dict[str, Any] = {"series": ["a"], "start": None, "end": None}
    for zone in (None, ZoneInfo("Europe/Berlin")):
        for given in ({"a": raws}, {"a": {"data": raws}}, {1: raws, "a": []}):
            direct = clean(given, **bounds, zone=zone)
            assert repr(clean(plain_answer(given), **bounds, zone=zone)) == repr(direct)
            assert direct.received == len(raws)
            assert direct.rejected >= 7
        listed = clean({"a": raws}, **bounds, zone=zone)
        assert repr(clean(plain_answer({"a": iter(raws)}), **bounds, zone=zone)) == repr(listed)


def test_a_generator_may_yield_one_point_again_and_again() -> None:
    """What it holds at each time counts."""

    def points() -> Iterator[dict[str, Any]]:
        point: dict[str, Any] = {}
        for hour in range(3):
            point.update(ts=f"2025-01-01T0{hour}:00:00Z", value=hour)
            yield point

    batch = clean(plain_answer({"a": points()}), series=["a"], start=None, end=None, zone=None)
    assert batch.series["a"].values == [0.0, 1.0, 2.0]


def test_the_bound_counts_all_series(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an answer, however it comes, and also for names without an end."""
    for module in (raw_points, plain_answers, observations):
        monkeypatch.setattr(module, "MOST_POINTS", 5)
    columns = {"ts": ["2025-01-01T00:00:00Z"] * 3, "value": [1.0] * 3}
    point = {"ts": "2025-01-01T00:00:00Z", "value": 1.0}
    bounds: dict[str, Any] = {"series": ["a"], "start": None, "end": None, "zone": None}
    assert clean({"a": columns}, **bounds).received == 3
    for answer in ({"a": columns, "b": columns}, {"a": [point] * 6}, {"a": tuple([point] * 6)}):
        for copy in (dict, plain_answer):
            with pytest.raises(BadDataError, match="more than"):
                clean(copy(answer), **bounds)
    with pytest.raises(BadDataError, match="more than"):
        plain_answer({"a": (point for _ in count())})
    with pytest.raises(BadDataError, match="more than"):
        plain_answer({"a": {"ts": repeat("2025-01-01"), "value": repeat(1)}})
    with pytest.raises(BadDataError, match="more than"):
        plain_answer({str(number): [] for number in range(9)})
    with pytest.raises(BadDataError, match="more than"):
        plain_answer({"a": {"data": [], "resolutions": repeat(("2025-01-01", "PT1H"))}})
