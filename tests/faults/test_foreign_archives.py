"""Files that `dump` did not write as they are: refused as damaged, or good for every command."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import LocalServer
from support.program_sources import SourceFile, table
from support.store_feed import open_observer

from dataportal.times import iso, utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conftest import RunCli

_SERIES: dict[str, Any] = {
    "type": "series",
    "endpoint_prefix": "load",
    "source": "load",
    **dict.fromkeys(("name", "description", "granularity", "unit", "domain", "category")),
    **dict.fromkeys(("subcategory", "update_frequency", "ts_timezone", "known_through")),
    "metadata": {},
    "history_asked": False,
}
_KNOWN = "2025-03-01T00:00:00Z"
_AHEAD = timedelta(days=1)


def archive(path: Path, *lines: dict[str, Any]) -> Path:
    """A file of these lines, which is whole: its counts and its checksum are right."""
    kinds = [line["type"] for line in lines]
    counts = {f"{name}{'' if name == 'series' else 's'}": kinds.count(name) for name in _KINDS}
    head = {"type": "dataportal", "format": 1}
    text = "".join(json.dumps(line) + "\n" for line in (head, *lines)).encode()
    end = {"type": "end", **counts, "sha256": hashlib.sha256(text).hexdigest()}
    path.write_bytes(text + json.dumps(end).encode() + b"\n")
    return path


_KINDS = ("series", "version", "vintage")


def series(**fields: object) -> dict[str, Any]:
    """A series line."""
    return {**_SERIES, **fields}


def version(ts: str = _KNOWN, **fields: object) -> dict[str, Any]:
    """A line of a version that is current."""
    return {
        "type": "version",
        "ts": ts,
        "value": 1.5,
        "valid_from": _KNOWN,
        "valid_to": None,
        **fields,
    }


def vintage(**fields: object) -> dict[str, Any]:
    """A line of a publication."""
    times = dict.fromkeys(("ts", "published_at", "recorded_at"), _KNOWN)
    return {"type": "vintage", "value": 1.5, **times, **fields}


def soon() -> str:
    """An instant that is yet to come, for whatever clock."""
    return iso(utc_now() + _AHEAD)


def nest(depth: int) -> dict[str, Any]:
    """A mapping in a mapping, and so on."""
    tree: dict[str, Any] = {}
    for _ in range(depth):
        tree = {"a": tree}
    return tree


_BEYOND = ("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.999999-00:01")
DAMAGED: dict[str, Sequence[dict[str, Any]]] = {
    "no name": [series(endpoint_prefix="")],
    "a blank name": [series(endpoint_prefix=" ")],
    "a name with a line break": [series(endpoint_prefix="a\nb")],
    "a name with an escape": [series(endpoint_prefix="\x1b[31m")],
    "a name that is reversed": [series(endpoint_prefix="\u202eabc")],
    "a name with a NUL": [series(endpoint_prefix="a\0b")],
    "a name without an end": [series(endpoint_prefix="a" * 100_000)],
    "no source": [series(source="")],
    "a source with a NUL": [series(source="a\0")],
    "a source with a bell": [series(source="a\a")],
    "a source without an end": [series(source="a" * 100_000)],
    **{
        f"a NUL in {name}": [series(**{name: "a\0b"})]
        for name in ("name", "description", "granularity", "unit", "domain", "ts_timezone")
    },
    "a NUL in a value of metadata": [series(metadata={"a": [{"b": "\0"}]})],
    "a NUL in a key of metadata": [series(metadata={"a": [{"\0": 1}]})],
    "metadata without a bottom": [series(metadata=nest(900))],
    "a NUL in a unit of answers": [series(answer_unit="a\0b")],
    "no zone of days": [series(published_timezone="Mars/Olympus")],
    **{f"reading {n}": [series(reading=n)] for n in (0, 40_000, 1.5)},
    "no length": [series(resolutions=[{"ts_from": _KNOWN, "resolution": "soon"}])],
    "lengths twice": [series(resolutions=[{"ts_from": _KNOWN, "resolution": None}] * 2)],
    "a length of no fit": [series(resolutions=[{"ts_from": _KNOWN, "resolution": "P99999Y"}])],
    **{
        f"a length from {ts}": [series(resolutions=[{"ts_from": ts, "resolution": "P1D"}])]
        for ts in _BEYOND
    },
    "known through tomorrow": [series(known_through=soon())],
    "known through the last day": [series(known_through="9999-12-31T23:59:59Z")],
    **{f"a ts of {ts}": [series(), version(ts)] for ts in _BEYOND},
    **{
        f"{name} of {ts}": [series(), vintage(**{name: ts})]
        for ts, name in product(_BEYOND, ("ts", "published_at", "recorded_at"))
    },
    "known ahead": [series(), version(valid_from=soon())],
    "known before all": [series(), version(valid_from=_BEYOND[0])],
    "until ahead": [series(), version(valid_to=soon())],
    "until after all": [series(), version(valid_to=_BEYOND[1])],
    "recorded ahead": [series(), vintage(recorded_at=soon())],
    "the second version ahead": [
        series(),
        version(valid_to="2025-03-02T00:00:00Z"),
        version(valid_from=soon()),
    ],
}


def test_what_no_database_can_hold_is_damaged(
    tmp_path: Path, database_url: str, run_cli: RunCli
) -> None:
    """Exit 2, the line named, and nothing of the file stored."""
    env = {"DATABASE_URL": database_url}
    for number, (kind, lines) in enumerate(DAMAGED.items()):
        path = archive(tmp_path / f"{number}.jsonl", *lines)
        done = run_cli("restore", str(path), env=env)
        assert done.returncode == 2, (kind, done.stderr)
        assert f"{path}:{len(lines) + 1}: " in done.stderr, (kind, done.stderr)
        assert "nothing of it is used" in done.stderr, kind
        assert "\0" not in done.stderr
        assert "\x1b" not in done.stderr
    with open_observer(database_url) as look:
        rows = look.execute(
            "SELECT count(*) FROM time_series UNION ALL SELECT count(*) FROM fetch_run"
        )
        assert {row[0] for row in rows} == {0}


_FIRST, _LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"
SOUND: dict[str, Sequence[dict[str, Any]]] = {
    "the first moment": [series(known_through=_FIRST), version(_FIRST, valid_from=_FIRST)],
    "the last moment": [series(), version(_LAST), vintage(ts=_LAST, published_at=_LAST)],
    "the whole calendar": [
        series(),
        version(_FIRST, valid_from=_FIRST, valid_to="0001-01-01T00:00:00.000001Z"),
        version(_LAST, valid_from=_FIRST),
        vintage(ts=_FIRST, published_at=_FIRST, recorded_at=_FIRST, value=None),
    ],
    "withdrawn": [series(), version(valid_to="2025-03-02T00:00:00Z")],
    "nothing": [series()],
    "publications alone": [series(), vintage()],
    "offsets": [
        series(),
        version("2025-03-01T00:00:00+14:00", valid_from="2025-03-01T00:00:00-12:00"),
    ],
    "texts": [
        series(
            name="\x1b[31m\n",
            description="a" * 100_000,
            granularity="P1Y\n7 parsecs",
            unit="\u202e",
            ts_timezone="Nowhere/Land",
            update_frequency="x",
            metadata={"\x1b": nest(60), "b": [None, 1e308, "\n"]},
        ),
        version(),
    ],
    "a year": [series(granularity="P9000Y", ts_timezone="Pacific/Kiritimati"), version(_FIRST)],
    "a month": [series(granularity="1 month", ts_timezone="Pacific/Pago_Pago"), version(_LAST)],
    "values": [
        series(),
        version(value=5e-324),
        version("2025-03-02T00:00:00Z", value=-1.7976931348623157e308),
        version("2025-03-03T00:00:00Z", value=-0.0),
    ],
    "a file of nothing": [],
}
_ZONES = {
    "the last moment": ["Pacific/Kiritimati"],
    "the whole calendar": ["Pacific/Kiritimati", "Pacific/Pago_Pago"],
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", SOUND)
def test_what_is_restored_breaks_no_command(
    tmp_path: Path, database_url: str, run_cli: RunCli, kind: str
) -> None:
    """Every command shows it in every zone; its source goes on from there; a dump is the same."""
    env = {"DATABASE_URL": database_url, "MAX_RETRIES": "0"}
    path = archive(tmp_path / "a.jsonl", *SOUND[kind])
    done = run_cli("restore", str(path), "--json", env=env)
    assert done.returncode == 0, done.stderr
    if not SOUND[kind]:
        return
    sources = SourceFile(tmp_path)
    metadata = {
        key: SOUND[kind][0][key] or "1 day"
        for key in ("granularity",)
        if "parsecs" not in str(SOUND[kind][0][key])
    }
    with LocalServer() as server:
        sources.csv("load", server.answer("/load.csv", table([1.0])), lookback="400 days")
        sources.entries["load"]["metadata"] |= metadata
        sources.write()
        looks = [
            ("list-sources",),
            ("list-sources", "--json"),
            ("healthcheck",),
            ("verify",),
            ("history", "load"),
            ("history", "load", "--json"),
            ("history", "load", "--as-of", "now"),
            ("history", "load", "--as-of", "now", "--by", "published", "--format", "csv"),
            ("history", "load", "--diff", "2025", "now"),
            ("history", "load", "--ts", _FIRST),
            ("history", "load", "--ts", _LAST, "--format", "json"),
            ("history", "load", "--start", _FIRST, "--end", _LAST),
        ]
        for zone in _ZONES.get(kind, ["Pacific/Pago_Pago"]):
            for look in looks:
                shown = run_cli(*look, env={**env, "SCHEDULER_TIMEZONE": zone})
                assert shown.returncode in {0, 2, 4}, (zone, look, shown.stderr)
                assert (shown.returncode == 2) <= ("--diff" in look or "--ts" in look), shown.stderr
                assert "\x1b" not in shown.stdout + shown.stderr, look
        again = tmp_path / "again.jsonl"
        assert run_cli("dump", "load", str(again), env=env).returncode == 0
        assert run_cli("restore", str(again), env=env).returncode == 0
        assert run_cli("verify", env=env).returncode == 0
        for arguments in ((), ("--start", "2025", "--end", "2026"), ("--dry-run",)):
            fetched = run_cli("fetch", "load", *arguments, env=env)
            # of what lies ahead the answer has nothing
            assert fetched.returncode in {0, 3}, (arguments, fetched.stderr)
            assert "no points for" in fetched.stderr or fetched.returncode == 0, fetched.stderr
        assert run_cli("verify", env=env).returncode == 0
