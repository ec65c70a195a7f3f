"""Invariants: what must hold of the tables after whatever happened, in SQL of the tests' own.

assert broken_invariants(look) == []
finals = Finals(look)          # what is final now …
...
assert finals.changed_sources(look) == []   # … stays so for ever
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

_QUERIES = {
    "I1: more than one open version": """
        SELECT series_id, ts FROM time_series_data_scd2 WHERE valid_to = 'infinity'
        GROUP BY series_id, ts HAVING count(*) > 1""",
    "I2: an empty version, or one that ends before it begins": """
        SELECT series_id, ts FROM time_series_data_scd2 WHERE valid_from >= valid_to""",
    "I2: two versions known at the same time": """
        SELECT series_id, ts FROM (
            SELECT series_id, ts, valid_from,
                   lag(valid_to) OVER (PARTITION BY series_id, ts ORDER BY valid_from, valid_to)
                       AS ended
            FROM time_series_data_scd2) AS v
        WHERE ended > valid_from""",
    "I3: a current value that is no open version, or the reverse": """
        SELECT series_id, ts
        FROM (SELECT series_id, ts, value, valid_from, run_id FROM time_series_data_scd2
              WHERE valid_to = 'infinity') AS v
        FULL JOIN time_series_data AS d USING (series_id, ts)
        WHERE d.value IS DISTINCT FROM v.value OR d.updated_at IS DISTINCT FROM v.valid_from
           OR d.run_id IS DISTINCT FROM v.run_id""",
    "I6: counts that do not add up to what was received": """
        SELECT source, run_id FROM fetch_run
        WHERE received <> inserted + revised + retracted + unchanged + duplicates + rejected
                        + outside + withheld + nulls""",
    "I6: a run that counts other versions than it wrote": """
        SELECT source, run_id FROM fetch_run AS f
        WHERE inserted + revised <>
            (SELECT count(*) FROM time_series_data_scd2 AS v WHERE v.run_id = f.run_id)""",
    "K: a version from after the last knowledge time of its source": """
        SELECT series_id, ts FROM time_series_data_scd2
        JOIN time_series USING (series_id) JOIN source_state USING (source)
        WHERE valid_from > last_knowledge_time OR last_knowledge_time IS NULL""",
    "a series that names other times of its first and last change than its versions": """
        SELECT endpoint_prefix, first_known_at, changed_at FROM time_series
        LEFT JOIN (
            SELECT series_id, min(valid_from) AS first_known,
                   max(greatest(valid_from, nullif(valid_to, 'infinity'))) AS last_known
            FROM time_series_data_scd2 GROUP BY series_id) AS v USING (series_id)
        WHERE first_known_at IS DISTINCT FROM first_known
           OR changed_at IS DISTINCT FROM last_known""",
    "a version of no series, or of no run": """
        SELECT v.series_id, v.ts FROM time_series_data_scd2 AS v
        LEFT JOIN time_series AS s USING (series_id) LEFT JOIN fetch_run AS f USING (run_id)
        WHERE s.series_id IS NULL OR f.run_id IS NULL""",
}


def broken_invariants(look: psycopg.Connection[Any]) -> list[str]:
    """What does not hold, with the first row that shows it."""
    violations = []
    for fault, query in _QUERIES.items():
        row = look.execute(query.encode()).fetchone()
        if row is not None:
            violations.append(f"{fault}: {row}")
    return violations


class Finals:
    """What is known of each source as of the time up to which that is final (I4)."""

    def __init__(self, look: psycopg.Connection[Any]) -> None:
        rows = look.execute(
            "SELECT source, known_through, array_agg(series_id) FROM source_state"
            " JOIN time_series USING (source) WHERE known_through IS NOT NULL GROUP BY source"
        )
        self._questions: dict[str, tuple[datetime, list[int]]] = {s: (k, ids) for s, k, ids in rows}
        self._answers = {source: self._as_of(look, source) for source in self._questions}

    def changed_sources(self, look: psycopg.Connection[Any]) -> list[str]:
        """The sources, by the names that they had, whose answer is another one now."""
        return [
            source
            for source, answer in self._answers.items()
            if answer != self._as_of(look, source)
        ]

    def _as_of(self, look: psycopg.Connection[Any], source: str) -> list[tuple[Any, ...]]:
        at, series = self._questions[source]
        return look.execute(
            "SELECT series_id, ts, value FROM time_series_data_scd2"
            " WHERE series_id = ANY(%s) AND valid_from <= %s AND valid_to > %s ORDER BY 1, 2",
            [series, at, at],
        ).fetchall()
