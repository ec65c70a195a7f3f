"""What other programs make of a table: pandas, polars, DuckDB, a notebook, a drawing."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import duckdb
import pandas as pd
import polars as pl
import psycopg
import pyarrow as pa
import pytest
from support.points_model import at

import dataportal as dp


def test_arrow(portal: dp.Portal) -> None:
    """Times in UTC, values as they are, and what the table is in its schema."""
    table = portal.read("load", as_of=at(3), start=at(1), end=at(2)).to_arrow()
    assert table.schema.types[1:] == [pa.timestamp("us", tz="UTC"), pa.float64()]
    assert table.column("series").to_pylist() == ["load"]
    assert table.column("value").to_pylist() == [101.0]
    about = table.schema.metadata
    assert (about[b"final"], about[b"as_of"]) == (b"true", b"2025-03-01T03:00:00Z")
    assert json.loads(about[b"series"])[0]["licence"] == "CC0"
    value = table.schema.field("value").metadata
    assert (value[b"unit"], value[b"zone"]) == (b"MW", b"Europe/Berlin")
    wide = portal.read(["wind", "load"], wide=True).to_arrow()
    assert wide.schema.field("load").metadata[b"series"] == b"load"


def test_what_is_made_of_tuples_is_what_arrow_has(
    portal: dp.Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever form a table was read in."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    table = portal.read("load", details=True)
    monkeypatch.undo()
    arrow = portal.read("load", details=True).to_arrow()
    assert table.to_arrow().to_pylist() == arrow.to_pylist()
    assert table.to_arrow().schema.metadata == arrow.schema.metadata


def test_pandas(portal: dp.Portal) -> None:
    """The same columns, NaN for nothing, and what is known of the answer in attrs."""
    frame = portal.read(["wind", "load"], wide=True).to_pandas()
    assert list(frame.columns) == ["ts", "wind", "load"]
    assert str(frame["ts"].dt.tz) == "UTC"
    assert math.isnan(frame["wind"].iloc[0])
    assert frame["load"].sum() == 1215.0
    assert frame.attrs["units"] == {"wind": "MW", "load": "MW"}
    assert frame.attrs["final"] is False
    assert list(portal.read("load").to_pandas()["series"].unique()) == ["load"]


def test_polars(portal: dp.Portal) -> None:
    """By the method, and by the interface of Arrow alone."""
    table = portal.read(["wind", "load"], wide=True)
    frame = table.to_polars()
    assert frame.columns == ["ts", "wind", "load"]
    assert frame["wind"].null_count() == 2
    assert frame.schema["ts"] == pl.Datetime("us", "UTC")
    assert pl.DataFrame(table).equals(frame)
    streamed = pl.DataFrame(portal.batches(["wind", "load"], wide=True))
    assert streamed.equals(frame)


def test_duckdb(portal: dp.Portal) -> None:
    """A table, or a reader of batches, by its name in a query."""
    load = portal.read("load")
    assert load.num_rows == 6
    answer = duckdb.sql("SELECT sum(value) FROM load")
    assert answer is not None
    assert answer.fetchall() == [(1215.0,)]
    reader = portal.batches("load", rows=2)
    answer = duckdb.sql("SELECT count(*) FROM reader")
    assert answer is not None
    assert answer.fetchall() == [(6,)]
    assert reader is not None


def test_frames_of_all_kinds_are_joined(portal: dp.Portal) -> None:
    """pandas, polars, pyarrow and DuckDB, of any resolution and zone; the order stays."""
    times = pd.DataFrame({
        "ts": pd.to_datetime(["2025-03-01T04:00+01:00", "2025-03-01T03:00+01:00"]),
        "decided": pd.to_datetime(["2025-03-01T06:00Z", "2025-03-01T03:30Z"]),
    })  # fmt: skip
    wanted = [103.0, 102.0]
    frames = [
        times,
        times.astype({"decided": "datetime64[ns, UTC]"}),
        pl.DataFrame(times),
        pa.table(times),
        times.set_index("ts"),
    ]
    for frame in frames:
        joined = portal.join(frame, "load", known="decided")
        assert joined.to_arrow().column("load").to_pylist() == wanted, type(frame)
    relation = duckdb.from_arrow(pa.table(times))
    assert portal.join(relation, "load", known="decided").to_pandas()["load"].tolist() == wanted


def test_a_moment_finer_than_a_microsecond_is_not_rounded_up(portal: dp.Portal) -> None:
    """What became known within that microsecond was not known yet."""
    decided = pd.to_datetime(["2025-03-01T02:59:59.999999999Z"])
    frame = pd.DataFrame({"ts": [at(2)], "decided_at": decided})
    assert portal.join(frame, "load").to_arrow().column("load").to_pylist() == [None]
    early = pd.to_datetime(["1960-03-01T02:59:59.999999999Z"])
    frame = pd.DataFrame({"ts": early, "decided_at": early})
    assert portal.join(frame, "load").to_arrow().column("load").to_pylist() == [None]


def test_naive_times_of_a_frame_name_the_column(portal: dp.Portal) -> None:
    """Of pandas and of polars, with the method that gives them a zone."""
    naive = pd.DataFrame({"ts": pd.to_datetime(["2025-03-01"]), "decided_at": [at(1)]})
    for frame in (naive, pl.DataFrame(naive)):
        with pytest.raises(ValueError, match="column 'ts' of the frame has times without a zone"):
            portal.join(frame, "load")
    texts = pd.DataFrame({"ts": ["2025-03-01"], "decided_at": [at(1)]})
    with pytest.raises(ValueError, match="column 'ts' of the frame has no times but"):
        portal.join(texts, "load")
    missing = pd.DataFrame({"ts": [at(0), None], "decided_at": [at(1), at(1)]})
    with pytest.raises(ValueError, match="column 'ts' of the frame has no time in row 1"):
        portal.join(missing, "load")


def test_more_decisions_than_fit_into_a_statement(portal: dp.Portal) -> None:
    """They are answered in blocks, in their order."""
    hours = [n % 8 for n in range(50_000)]
    frame = pl.DataFrame({"ts": [at(2)] * len(hours), "decided_at": [at(h) for h in hours]})
    values = portal.join(frame, ["load", "wind"]).to_arrow().column("wind").to_pylist()
    assert values == [None if hour < 3 else 102.0 for hour in hours]


def test_a_notebook_shows_the_ends_and_what_is_doubtful(portal: dp.Portal, stored_url: str) -> None:
    """No name of a series becomes a part of the page."""
    with psycopg.connect(stored_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE time_series SET endpoint_prefix = '<b>load', unit = '€/MWh'"
            " WHERE endpoint_prefix = 'load'"
        )
    page = portal.read(["<b>load", "wind"], as_of=at(1000))._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;load in €/MWh" in page
    assert "this answer is provisional" in page
    assert page.count("<tr>") == 11
    assert repr(portal.read("wind")) == "<Table of 4 rows: series, ts, value>"
    assert "provisional" in repr(portal.read("wind", as_of=at(1000)))


def test_a_drawing(portal: dp.Portal) -> None:
    """A line for each series, in the unit of both; other tables are none."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    for wide in (False, True):
        axes = portal.read(["load", "wind"], wide=wide).plot()
        lines = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
        assert set(lines) == {"load", "wind"}
        assert axes.get_ylabel() == "MW"
    _, axes = plt.subplots()
    assert portal.read("load").plot(axes) is axes
    plt.close("all")
    with pytest.raises(ValueError, match="no values over ts"):
        portal.gaps("load").plot()


IMPORT = """
import sys, signal, logging, warnings, threading, atexit
def state():
    return {
        "signals": [signal.getsignal(s) for s in signal.valid_signals()],
        "hooks": [sys.excepthook, sys.displayhook, sys.unraisablehook, threading.excepthook],
        "meta_path": list(sys.meta_path), "path_hooks": list(sys.path_hooks),
        "path": list(sys.path),
        "handlers": list(logging.root.handlers), "level": logging.root.level,
        "loggers": dict(logging.root.manager.loggerDict), "filters": list(warnings.filters),
        "threads": threading.active_count(), "atexit": atexit._ncallbacks(),
        "missing": {n for n, m in sys.modules.items() if m is None},
    }
before, modules = state(), set(sys.modules)
import dataportal
print(sorted(set(sys.modules) - modules))
assert state() == before
"""


def test_the_import_brings_next_to_nothing_and_changes_nothing() -> None:
    """No hook, no handler, no thread, no module but the package and its version."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['dataportal', 'dataportal.version']"


USE = (
    IMPORT
    + """
dataportal.connect, dataportal.Portal
from dataportal.analysis import portal
after = state()
after["loggers"] = before["loggers"]  # psycopg has its own, as libraries do
after["atexit"] = before["atexit"]
assert after == before, [k for k in before if after[k] != before[k]]
print(sorted({m.split(".")[0] for m in sys.modules} & {"pyarrow", "pandas", "polars", "numpy",
      "duckdb", "matplotlib", "httpx", "rich", "typer", "stamina", "msgspec", "yaml"}))
"""
)


def test_to_look_for_the_api_imports_no_frames_and_changes_nothing() -> None:
    """What is optional comes when somebody asks for it."""
    done = subprocess.run([sys.executable, "-c", USE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


READ = """
import sys
import dataportal as dp
with dp.connect(sys.argv[1]) as portal:
    table = portal.read(["load", "wind"], as_of="2025-03-01T03:00Z", details=True)
    wide = portal.read(["load", "wind"], wide=True)
    batches = portal.batches("load").read_all()
assert (table.num_rows, wide.num_rows, batches.num_rows) == (4, 6, 6), table
assert "pyarrow" in sys.modules
print("pandas" in sys.modules)
"""


def test_a_table_imports_pandas_for_those_who_ask_for_it(stored_url: str) -> None:
    """It takes as long, and as much memory, as to read a million rows."""
    done = subprocess.run(
        [sys.executable, "-c", READ, stored_url], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr


def test_every_name_of_the_package_is_there() -> None:
    """All that it lists can be had; what it does not is an AttributeError."""
    assert set(dp.__all__) <= set(dir(dp))
    assert all(getattr(dp, name) is not None for name in dp.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'conect'"):
        dp.conect  # type: ignore[attr-defined]  # noqa: B018 - on purpose
