"""A run that brings nothing new, against a bare connect and SELECT."""

from __future__ import annotations

import sys

import psycopg
from measuring import Verdicts, best, fresh_database
from runs import hours, whole_run

ROUNDS = 200
TS = hours(168)
WEEK = {"small": {"ts": TS, "value": [n / 2 for n in range(168)]}}
SELECT = """
SELECT ts, value FROM time_series_data
WHERE series_id = (SELECT series_id FROM time_series WHERE endpoint_prefix = 'small')
  AND ts BETWEEN %s AND %s
"""


def bare(url: str) -> None:
    """Connect, and read the same points."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(SELECT.encode(), (TS[0], TS[-1]))
        assert len(rows.fetchall()) == 168


def small_run(url: str) -> None:
    """Nothing new."""
    assert whole_run(url, WEEK, source="small").unchanged == 168


def main() -> int:
    """Print the ratio."""
    verdicts = Verdicts()
    with fresh_database() as url:
        whole_run(url, WEEK, source="small")
        ours, theirs = best(lambda: small_run(url), lambda: bare(url), rounds=ROUNDS)
    verdicts.at_most("a small run", ours, "connect and SELECT", theirs, 2)
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
