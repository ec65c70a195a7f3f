"""Fleets of series with long histories, made by the server: for questions of plans and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMED = (
    "mauna-loa-co2",
    "smard-1223-de-hour",
    "smard-4071-de-hour",
    "smard-5097-de-quarterhour",
)
"""The series that the manual speaks of."""

_SERIES = """
INSERT INTO time_series (endpoint_prefix, source, unit, granularity)
SELECT name, 'fleet', 'MW', '2 days' FROM unnest(%(names)s::text[]) AS name
"""
_VERSIONS = """
INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, valid_to, run_id)
SELECT s.series_id, g.ts, s.series_id + v.n, g.ts + interval '1 hour' * v.n * v.n,
       CASE WHEN v.n = %(versions)s - 1 THEN 'infinity'
            ELSE g.ts + interval '1 hour' * (v.n + 1) * (v.n + 1) END, 1
FROM generate_series(%(start)s::timestamptz, %(end)s, %(step)s) AS g (ts)
CROSS JOIN time_series AS s
CROSS JOIN generate_series(0, %(versions)s - 1) AS v (n)
"""
_CURRENT = """
INSERT INTO time_series_data (series_id, ts, value, updated_at, run_id)
SELECT series_id, ts, value, valid_from, run_id
FROM time_series_data_scd2 WHERE valid_to = 'infinity'
"""
_PUBLISHED = """
INSERT INTO time_series_vintage (series_id, ts, value, published_at, recorded_at, run_id)
SELECT series_id, ts, value, valid_from, valid_from + interval '1 minute', run_id
FROM time_series_data_scd2
"""


def make_fleet(
    url: str,
    names: Sequence[str],
    *,
    start: str = "2001-01-01",
    end: str = "2026-12-01",
    step: str = "2 days",
    versions: int = 2,
) -> None:
    """Series that are observed side by side, each observation in so many versions.

    The version n becomes known, and is published, n² hours after its ts.
    """
    parameters = {
        "names": list(names), "start": start, "end": end, "step": step, "versions": versions,
    }  # fmt: skip
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (_SERIES, _VERSIONS, _CURRENT, _PUBLISHED):
            connection.execute(statement.encode(), parameters)
        connection.execute("VACUUM ANALYZE")
