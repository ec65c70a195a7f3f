"""Which series a command is about: by name, by glob, by what is known of them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dataportal.errors import UsageError
from dataportal.store.read.overview import open_reader
from dataportal.store.read.selection import parse_condition, parse_names, select_series
from dataportal.store.records import SeriesRecord
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

SERIES = (
    SeriesRecord("load-de", unit="MW", domain="energy", metadata={"region": "DE"}),
    SeriesRecord("load-fr", unit="MW", domain="energy", metadata={"region": "FR"}),
    SeriesRecord("Load-de", unit="GW", domain="energy"),
    SeriesRecord("temp[1]", unit="°C", domain="weather", granularity="1 hour"),
    SeriesRecord("temp1"),
)


@pytest.fixture
def reader(database_url: str) -> Iterator[psycopg.Connection]:
    """Reads a database with these series."""
    with closing(SourceSession.open(database_url, "grid")) as session:
        assert session.try_lock()
        session.register(SERIES)
    with open_reader(database_url) as connection:
        yield connection


def select_names(reader: psycopg.Connection, *names: str, where: tuple[str, ...] = ()) -> list[str]:
    """The names of the series selected."""
    conditions = [parse_condition(text) for text in where]
    return [series.endpoint_prefix for series in select_series(reader, names, conditions)]


def test_names_keep_their_order_and_occur_once(reader: psycopg.Connection) -> None:
    """Also beside a glob that matches them; upper and lower case are two names."""
    assert select_names(reader, "temp1", "load-de", "temp1") == ["temp1", "load-de"]
    assert select_names(reader, "load-fr", "load-*") == ["load-fr", "load-de"]
    assert select_names(reader, "?oad-de") == ["Load-de", "load-de"]


def test_without_a_name_all_are_meant(reader: psycopg.Connection) -> None:
    """In the order of their names, byte by byte."""
    assert select_names(reader) == ["Load-de", "load-de", "load-fr", "temp1", "temp[1]"]


def test_a_name_that_looks_like_a_glob_is_a_name(reader: psycopg.Connection) -> None:
    """Where it is stored as it stands; else it is the glob."""
    assert select_names(reader, "temp[1]") == ["temp[1]"]
    assert select_names(reader, "temp[1-3]") == ["temp1"]


def test_conditions_are_met_all_together(reader: psycopg.Connection) -> None:
    """Of the columns and of the metadata, by value or glob, after the names."""
    assert select_names(reader, where=("unit=MW",)) == ["load-de", "load-fr"]
    assert select_names(reader, where=("domain=energy", "unit=GW")) == ["Load-de"]
    assert select_names(reader, "load-*", where=("metadata.region=F*",)) == ["load-fr"]
    assert select_names(reader, where=("frequency=1 hour",)) == ["temp[1]"]
    assert select_names(reader, where=("source=gr*", "unit = °C")) == ["temp[1]"]


@pytest.mark.parametrize(
    ("names", "where", "message"),
    [
        (("load-ed",), (), r"no series 'load-ed'.*Did you mean .*'load-de'"),
        (("load-de", "wind"), (), r"no series 'wind'.*list-series"),
        (("wind-*",), (), r"'wind-\*' matches no series.*list-series"),
        (("laod*",), (), r"'laod\*' matches no series"),
        ((), ("unit=mw",), r"unit=mw matches none of 5 series.*(MW|GW)"),
        (("load-*",), ("unit=GW",), r"unit=GW matches none of 2 series.*MW"),
        ((), ("metadata.zone=1",), r"metadata.zone=1 matches none of 5 series. There is: nothing"),
    ],
)
def test_what_matches_nothing_is_refused(
    reader: psycopg.Connection, names: tuple[str, ...], where: tuple[str, ...], message: str
) -> None:
    """With what is there instead."""
    with pytest.raises(UsageError, match=message):
        select_names(reader, *names, where=where)


@pytest.mark.parametrize("text", ["unit", "unit=", "=MW", "", "metadata.=1"])
def test_what_is_no_condition(text: str) -> None:
    """Is refused, with an example or the keys there are."""
    with pytest.raises(UsageError, match=r"--where .*(like --where unit=MW|metadata\.KEY)"):
        parse_condition(text)


def test_an_unknown_key_is_refused() -> None:
    """With the one that resembles it."""
    with pytest.raises(UsageError, match=r"a series has no 'units'.*Did you mean 'unit'"):
        parse_condition("units=MW")


def test_a_list_of_names() -> None:
    """A name a line; empty lines and comments are none."""
    assert parse_names(["load-de\n", "\n", "# wind\n", "  load fr \n"]) == ["load-de", "load fr"]
