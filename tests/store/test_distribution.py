"""Tables that are distributed over the machines of a Citus cluster.

Tests marked `citus` need a server that has it. What such tables are asked, and in which form, is
tested everywhere: those forms are PostgreSQL's own, and answer the same on tables of one machine.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
import pytest

from dataportal.errors import UnsuitableServerError
from dataportal.store.connection import connect
from dataportal.store.distribution import distribute, nodes
from dataportal.store.migrations import migrate, schema_state
from dataportal.store.queries import is_distributed, query, sql_home

if TYPE_CHECKING:
    from pathlib import Path

FORMS = sorted((sql_home() / "queries").glob("*_distributed.sql"))


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_a_form_takes_what_its_statement_takes(form: Path) -> None:
    """Whoever sends either of them gives the same parameters."""
    other = query(form.stem.removesuffix("_distributed")).decode()
    parameters = re.compile(r"%\((\w+)\)s")
    assert set(parameters.findall(form.read_text())) == set(parameters.findall(other))


@pytest.mark.database
def test_without_citus_nothing_is_distributed(database_url: str) -> None:
    """It is said what is missing, and the portal goes on as it is."""
    with connect(database_url, application_name="test") as connection:
        with pytest.raises(UnsuitableServerError, match="istribute"):
            distribute(connection)
        assert schema_state(connection).problem is None
        assert not is_distributed(connection)
        assert nodes(connection) == []


@pytest.mark.database
def test_a_portal_remembers_that_it_is_distributed(database_url: str) -> None:
    """A connection knows it as soon as it has looked at the schema."""
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("UPDATE schema_migration SET is_distributed = true")
    with connect(database_url, application_name="test") as connection:
        assert schema_state(connection).problem is None
        assert is_distributed(connection)
        assert migrate(connection) == ()
