"""Runs the program over what providers answer, and reads what it stored and said.

All cases of a module are sources of one sources.yaml, asked of one server by one process and stored
in one database: a case costs milliseconds, and nothing but the program itself is asked.

Example:
    case = Case(
        Reply.json([{"t": "2025-03-01T00:00Z", "v": 210}]),
        {"ts": "t", "value": "v"},
        stored={"2025-03-01T00:00Z": 210.0},
    )
    results = run_cases({"level": case}, folder=tmp_path, database_url=database_url)
    results["level"].check()
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from threading import Lock
from typing import TYPE_CHECKING, Any

import psycopg
from support.http_server import LocalServer, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from support.http_server import Request

    Answering = Reply | Callable[[Request], Reply] | Sequence[Reply]
    Values = Mapping[str, float | None]

_BUILT_IN = "dataportal.plugins.data_sources"
_DESCRIBED = ("Json", "Csv", "Xml")
_PATIENCE = 110.0
# processes, and sources that one of them fetches, each with a connection
_AT_A_TIME, _TOGETHER = 2, 20
_PARTS = (
    *("inserted", "revised", "retracted", "unchanged", "duplicates", "rejected", "outside"),
    *("withheld", "nulls"),
)


@dataclass(frozen=True)
class Case:
    """One source, what its provider answers, and what must come of it.

    Attributes:
        reply: the answer to every request; several are given one after another, the last stays; or
            what makes one of a request.
        params: of the plugin; `{server}` in a text is where the case is answered, and stands for
            `url` (or `base_url` of a built-in plugin) where that is not given.
        stored: the values by the beginning of their interval in UTC, such as 2025-03-01T00:00Z; of
            a group by series. None: not looked at.
        kind: Json, Csv or Xml; or module and class of a built-in plugin.
        filters: the extract_filter of each series, which makes it a group.
        keys: further keys of the source, such as `timezone`.
        window: start and end of the run; without them the first scheduled run, which asks for all
            there is.
        outcome: how the run must end; several texts: one of them.
        counts: figures that the run must tell.
        says: texts that its error, reason or warnings must hold, in any case; not only in the name
            of the case.
        never: texts that they must not hold.
        requests: how many there must be.
        published: what must be among the publications: (beginning, value, published at).
    """

    reply: Answering
    params: Mapping[str, Any] = field(default_factory=dict)
    stored: Mapping[str, Any] | None = None
    kind: str = "Json"
    filters: Mapping[str, Mapping[str, Any]] | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)
    window: tuple[str, str] | None = None
    outcome: str | tuple[str, ...] = "succeeded"
    counts: Mapping[str, int] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    requests: int | None = None
    published: Sequence[tuple[str, float | None, str]] = ()

    def entry(self, name: str, address: str) -> dict[str, Any]:
        """Its entry in sources.yaml."""
        params = _fill_address(dict(self.params), address)
        described = self.kind in _DESCRIBED
        if not {"url", "base_url", "path"} & params.keys():
            params["url" if described else "base_url"] = address
        plugin = self.kind
        if described:
            several = "" if self.filters is None else "MultiSeries"
            plugin = f"http_plugin.Http{self.kind}{several}Plugin"
        module, _, cls = plugin.rpartition(".")
        entry: dict[str, Any] = {
            "module": f"{_BUILT_IN}.{module}",
            "class": cls,
            "schedule": "365 days",
            "initial_history": "all",
            **self.keys,
        }
        if self.filters is None:
            return {**entry, "default_params": params}
        series = [
            {"endpoint_prefix": f"{name}-{one}", "extract_filter": own}
            for one, own in self.filters.items()
        ]
        return {**entry, "request_params": params, "timeseries": series}


@dataclass(frozen=True)
class Result:
    """What came of a case.

    Attributes:
        name: of the case.
        case: the case.
        run: what the run told of itself (`--json`).
        values: what is stored, by series (of one series alone under its case's name).
        published: (beginning, value, published at) of all that the provider published.
        requests: what the provider was asked.
    """

    name: str
    case: Case
    run: Mapping[str, Any]
    values: Mapping[str, Values]
    published: Sequence[tuple[str, float | None, str]]
    requests: Sequence[Request]

    @property
    def told(self) -> str:
        """All that the run said, in lower case, and without the name of the case."""
        texts = [self.run["error"], self.run["reason"], *self.run["warnings"]]
        return self._unnamed(" | ".join(text for text in texts if text))

    @property
    def stored(self) -> Mapping[str, Any]:
        """The values, as a case names them."""
        if self.case.filters is not None:
            return self.values
        return next(iter(self.values.values()), {})

    def check(self) -> None:
        """Everything that the case says of it is so."""
        case, told = self.case, f"the run said: {self.told or 'nothing'}"
        if case.stored is not None:
            assert self.stored == case.stored, told
        outcomes = (case.outcome,) if isinstance(case.outcome, str) else case.outcome
        assert self.run["outcome"] in outcomes, told
        assert {name: self.run[name] for name in case.counts} == dict(case.counts), told
        for text in case.says:
            assert self._unnamed(text) in self.told
        for text in case.never:
            assert self._unnamed(text) not in self.told
        for publication in case.published:
            assert publication in self.published
        if case.requests is not None:
            assert len(self.requests) == case.requests
        # whatever happens, every point received is accounted for (I6)
        assert self.run["received"] == sum(self.run[part] for part in _PARTS)

    def _unnamed(self, text: str) -> str:
        return text.lower().replace(self.name.lower(), "<case>")


class CaseServer:
    """Answers for all cases at once, each below a path of its own that says nothing of it."""

    def __init__(self, cases: Mapping[str, Case]) -> None:
        self._cases = {f"c{number}": case for number, case in enumerate(cases.values())}
        self._paths = dict(zip(cases, self._cases, strict=True))
        self._asked: dict[str, int] = defaultdict(int)
        self._lock = Lock()
        self.server = LocalServer(otherwise=self._reply)

    def address(self, name: str) -> str:
        """Where a case is answered."""
        return f"{self.server.url}/{self._paths[name]}"

    def requests(self, name: str) -> list[Request]:
        """What was asked of a case."""
        return [one for one in self.server.requests if _first_part(one) == self._paths[name]]

    def _reply(self, request: Request) -> Reply:
        name = _first_part(request)
        case = self._cases.get(name)
        if case is None:
            return Reply(404)
        with self._lock:
            number = self._asked[name]
            self._asked[name] += 1
        reply = case.reply
        if isinstance(reply, Reply):
            return reply
        if callable(reply):
            return reply(request)
        return reply[min(number, len(reply) - 1)]


def run_cases(cases: Mapping[str, Case], *, folder: Path, database_url: str) -> dict[str, Result]:
    """What came of each case, by its name."""
    several = CaseServer(cases)
    with ExitStack() as stack:
        stack.enter_context(several.server)
        entries = {name: case.entry(name, several.address(name)) for name, case in cases.items()}
        groups = {name for name, case in cases.items() if case.filters is not None}
        document = {
            "timeseries": {n: e for n, e in entries.items() if n not in groups},
            "request_groups": {n: e for n, e in entries.items() if n in groups},
        }
        path = folder / "sources.yaml"
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        runs: dict[str, Any] = {}

        def fetch(window: tuple[str, str] | None, names: list[str]) -> None:
            bounds = () if window is None else ("--start", window[0], "--end", window[1])
            done = program(
                "fetch", *names, *bounds, "--json", folder=folder, database_url=database_url
            )
            assert done.stdout, f"the program said nothing of {names}, but: {done.stderr}"
            runs.update({run["source"]: run for run in json.loads(done.stdout)["runs"]})

        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            # a window is a process
            list(pool.map(lambda one: fetch(*one), _by_window(cases)))
        with psycopg.connect(database_url, options="-c TimeZone=UTC") as connection:
            values = _values(connection)
            published = _published(connection)
        return {
            name: Result(
                name,
                case,
                runs[name],
                _own(name, case, values),
                published.get(name, []),
                several.requests(name),
            )
            for name, case in cases.items()
        }


def program(
    *args: str, folder: Path, database_url: str, **env: str
) -> subprocess.CompletedProcess[str]:
    """The program as a process, to its end, without patience with providers."""
    return subprocess.run(
        [sys.executable, "-m", "dataportal", *args],
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PYTHONSAFEPATH": "1",
            "DATABASE_URL": database_url,
            "MAX_RETRIES": "0",
            **env,
        },
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=_PATIENCE,
        check=False,
    )


def steps(first: str, step: timedelta, values: Iterable[float | None]) -> dict[str, float | None]:
    """Values at even distances from an instant in UTC on; None stands for nothing stored there."""
    begin = datetime.fromisoformat(first)
    assert begin.tzinfo is not None
    told = {shown(begin + n * step): value for n, value in enumerate(values)}
    return {ts: value for ts, value in told.items() if value is not None}


def shown(instant: datetime) -> str:
    """An instant as cases write it: to the minute where it is a whole one."""
    utc = instant.astimezone(UTC)
    if utc.microsecond:
        return f"{utc:%Y-%m-%dT%H:%M:%S.%fZ}"
    return f"{utc:%Y-%m-%dT%H:%M:%SZ}" if utc.second else f"{utc:%Y-%m-%dT%H:%MZ}"


def table(*lines: str, **options: Any) -> Reply:
    """A table of text."""
    return Reply(body="".join(f"{line}\n" for line in lines).encode(), **_CSV | options)


def document(text: str, **options: Any) -> Reply:
    """An XML document."""
    return Reply(body=text.encode(), **_XML | options)


_CSV: dict[str, Any] = {"content_type": "text/csv"}
_XML: dict[str, Any] = {"content_type": "text/xml"}


def _first_part(request: Request) -> str:
    return request.path.split("/")[1]


def _fill_address(value: Any, address: str) -> Any:
    if isinstance(value, dict):
        return {key: _fill_address(item, address) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_fill_address(item, address) for item in value]
    return value.replace("{server}", address) if isinstance(value, str) else value


def _by_window(
    cases: Mapping[str, Case],
) -> Iterator[tuple[tuple[str, str] | None, list[str]]]:
    """The cases that one process fetches: all that are named run at once."""

    def window_of(name: str) -> tuple[str, str]:
        return cases[name].window or ("", "")

    for window, names in groupby(sorted(cases, key=window_of), key=window_of):
        together = list(names)
        for first in range(0, len(together), _TOGETHER):
            yield window if any(window) else None, together[first : first + _TOGETHER]


def _values(connection: psycopg.Connection[Any]) -> dict[str, dict[str, float | None]]:
    found: dict[str, dict[str, float | None]] = defaultdict(dict)
    rows = connection.execute(
        "SELECT s.endpoint_prefix, d.ts, d.value FROM time_series_data d"
        " JOIN time_series s USING (series_id) ORDER BY d.ts"
    )
    for series, ts, value in rows:
        found[series][shown(ts)] = value
    return found


def _published(
    connection: psycopg.Connection[Any],
) -> dict[str, list[tuple[str, float | None, str]]]:
    found: dict[str, list[tuple[str, float | None, str]]] = defaultdict(list)
    rows = connection.execute(
        "SELECT s.endpoint_prefix, v.ts, v.value, v.published_at FROM time_series_vintage v"
        " JOIN time_series s USING (series_id) ORDER BY v.ts, v.published_at"
    )
    for series, ts, value, at in rows:
        found[series].append((shown(ts), value, shown(at)))
    return found


def _own(
    name: str, case: Case, values: Mapping[str, Mapping[str, float | None]]
) -> dict[str, Values]:
    if case.filters is None:
        return {name: values.get(name, {})}
    return {one: values.get(f"{name}-{one}", {}) for one in case.filters}
