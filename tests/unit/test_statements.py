"""SQL in files is taken apart into statements as the server does it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.store.migrations import migrations
from dataportal.store.statements import split_statements

if TYPE_CHECKING:
    from dataportal.store.migrations import Migration

PIECES = (
    "SELECT 1",
    "SELECT 'a;b''c;'",
    r"SELECT E'a\';b'",
    'SELECT 1 AS "x;y"',
    "SELECT $$ one; two $$, $tag$ $$; $tag$",
    "SELECT CASE WHEN true THEN 1 END",
    "-- a note; with a semicolon, and it's open\nSELECT 2",
    "SELECT /* one; two */ 3",
    "CREATE FUNCTION f() RETURNS integer BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END",
    "CREATE FUNCTION g() RETURNS integer AS $f$ BEGIN RETURN 1; END $f$ LANGUAGE plpgsql",
)
"""One statement each."""

# what was released before never changes
LAST_BEFORE_CLUSTERS = 18


@given(st.lists(st.sampled_from(PIECES)), st.sampled_from([";", "; ", ";\n\n", " ;\n;"]))
def test_statements_come_out_as_they_were_put_together(pieces: list[str], between: str) -> None:
    """However many, with and without a semicolon at the end, empty ones left out."""
    for end in ("", between):
        assert split_statements(between.join(pieces) + end) == pieces


def test_comments_alone_are_no_statement() -> None:
    """The server would refuse to be asked nothing, or answer nothing."""
    assert split_statements("SELECT 1; -- the end;\n/* of; it */\n") == ["SELECT 1"]


@pytest.mark.parametrize("migration", migrations(), ids=lambda migration: migration.name)
def test_of_a_migration_nothing_is_lost(migration: Migration) -> None:
    """Its statements are its text; each begins as one does."""
    text = migration.text.decode()
    statements = split_statements(text)
    assert re.sub(r"[;\s]", "", "".join(statements)) == re.sub(r"[;\s]", "", text)
    for statement in statements:
        code = re.sub(r"--[^\n]*", "", statement).split()
        assert code[0] in {
            *("ALTER", "ANALYZE", "COMMENT", "CREATE", "DO", "DROP", "GRANT", "INSERT"),
            *("REVOKE", "SELECT", "SET", "UPDATE", "WITH"),
        }


def test_a_constraint_is_added_by_a_statement_of_its_own() -> None:
    """Citus takes no other change of the table beside it."""
    for migration in migrations()[LAST_BEFORE_CLUSTERS:]:
        for statement in split_statements(migration.text.decode()):
            code = re.sub(r"--[^\n]*|\([^()]*\)", "", statement)
            assert "ADD CONSTRAINT" not in code or code.count(",") == 0, migration.name
