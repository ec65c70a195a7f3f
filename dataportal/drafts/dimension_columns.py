"""Tells which columns keep series apart, and what each series says of them."""

from __future__ import annotations

import re
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

from dataportal.drafts.rows import Column
from dataportal.drafts.vocabulary import KEYS, PUBLISHED, WEAK_KEYS, WHERE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dataportal.drafts.number_columns import NumberGuess
    from dataportal.drafts.rows import RowSet
    from dataportal.drafts.time_roles import TimeRole

_MOST_CODES = 1_000
_MOST_PLACES = 200


def dimension_columns(  # noqa: C901, PLR0912, PLR0915 - a branch for each way
    rows: RowSet,
    time: TimeRole,
    values: Sequence[Column],
    params: dict[str, Any],
    notes: dict[str, str],
    fields: dict[str, Any],
) -> tuple[list[Column], list[str]]:
    """The columns that tell apart rows of one time."""
    remarks: list[str] = []
    valid = [ts is not None for ts in time.times]
    chosen: list[Column] = []
    if len({ts for ts in time.times if ts is not None}) == sum(valid) and not _is_mixed(
        rows, time, values
    ):
        kinds = _kinds_of_periods(time, fields, notes)
        chosen = [kinds] if kinds is not None else []
        return [*chosen, *_places(rows, time, values, chosen)], remarks
    candidates = []
    for column in rows.columns:
        if column in time.columns or column in values or column.name in {"header", "cell"}:
            continue
        if column.name == "rows" and column.place == "rows":
            chosen.append(column)
            continue
        texts = {text for text, good in zip(column.texts, valid, strict=True) if good}
        # of names each row may have its own, where all rows are of one time
        is_moment = len({ts for ts in time.times if ts is not None}) == 1
        most = sum(valid) if is_moment and set(column.words) & KEYS else max(sum(valid) - 1, 2)
        if not 1 < len(texts) <= min(_MOST_CODES, most):
            continue
        guess = column.times
        if guess is not None and (
            set(column.words) & PUBLISHED or not guess.pattern or "%" in guess.pattern
        ):
            continue
        if "" in texts and column.beside is None and len(texts) == 2:  # noqa: PLR2004 - a remark
            continue
        candidates.append(column)
    duplicates = _duplicates(time, chosen, values)
    kinds = _kinds_of_periods(time, fields, notes)
    if kinds is not None:
        chosen.append(kinds)
        duplicates = _duplicates(time, chosen, values)
    while duplicates and candidates:
        scored = [
            (_duplicates(time, [*chosen, column], values), _key_cost(column), n)
            for n, column in enumerate(candidates)
        ]
        fewest, _, index = min(
            scored, key=lambda item: (round(item[0] / max(duplicates, 1), 1), item[1], item[2])
        )
        if fewest >= duplicates:
            break
        chosen.append(candidates.pop(index))
        duplicates = fewest
    for column in [*chosen]:
        rest = [c for c in chosen if c is not column]
        if (
            column is not kinds
            and len(chosen) > 1
            and _duplicates(time, rest, values) == duplicates
        ):
            chosen.remove(column)
    if duplicates and "dst" not in params:
        publication = _publication(rows, time, chosen)
        if publication is not None:
            params["published_at"] = publication.place
            notes["published_at"] = (
                "one time comes several times, each with another time of publication"
            )
            guess = publication.times
            if guess is not None and guess.pattern:
                params["published_format"] = guess.pattern
            add_field(fields, publication)
        else:
            remarks.append(
                f"{duplicates:,} rows have a time that another row of the same series has, and "
                "nothing in the answer tells them apart"
            )
    if not chosen and not duplicates:
        chosen += _mixing_columns(rows, time, values)
    chosen += _places(rows, time, values, chosen)
    return chosen, remarks


def _places(
    rows: RowSet, time: TimeRole, values: Sequence[Column], chosen: Sequence[Column]
) -> list[Column]:
    """A column that says where values were measured: it tells series apart even without need."""
    valid = [ts is not None for ts in time.times]
    keys = [*zip(*(column.texts for column in chosen), strict=True)] or [()] * len(valid)
    for column in rows.columns:
        if (
            column in chosen
            or column in values
            or column in time.columns
            or column.times is not None
        ):
            continue
        if not set(column.words) & WHERE or set(column.words) & WEAK_KEYS:
            continue
        if column.numbers(rows.style) is not None or column.beside is not None:
            continue
        pairs = {
            (key, text) for key, text, good in zip(keys, column.texts, valid, strict=True) if good
        }
        texts = {text for _, text in pairs}
        if (
            1 < len(texts) <= _MOST_PLACES
            and "" not in texts
            and len(pairs) > len({key for key, _ in pairs})
        ):
            return [column]
    return []


def _key_cost(column: Column) -> float:
    """How unlikely a column is to tell series apart."""
    words = set(column.words)
    cost = 0.0
    if words & KEYS or any(
        column.name.lower().endswith(key) for key in ("id", "name", "code", "zone")
    ):
        cost -= 1.0
    if words & WEAK_KEYS:
        cost += 2.0
    if all(re.fullmatch(r"-?\d+\.\d+", text) for text in column.distinct[:20]):
        cost += 1.5
    cost += len(column.distinct) / 1000
    cost += 0.3 if column.beside is not None and "file" not in column.beside else 0.0
    longest = max(map(len, column.distinct[:50]), default=0)
    return cost + (0.4 if longest > 40 else 0.0)  # noqa: PLR2004 - a text to read


def _duplicates(time: TimeRole, dimensions: Sequence[Column], values: Sequence[Column]) -> int:
    """How many rows have the time and the codes of another one, and other values."""
    texts = [column.texts for column in dimensions]
    contents = [column.texts for column in values[:8]]
    seen: dict[Any, Any] = {}
    count = 0
    for row, ts in enumerate(time.times):
        if ts is None:
            continue
        key = (ts, *(column[row] for column in texts))
        own = tuple(column[row] for column in contents)
        if seen.setdefault(key, own) != own:
            count += 1
    return count


def _is_mixed(rows: RowSet, time: TimeRole, values: Sequence[Column]) -> bool:
    return bool(_mixing_columns(rows, time, values))


def _mixing_columns(rows: RowSet, time: TimeRole, values: Sequence[Column]) -> list[Column]:
    """A column of names by which rows are of several series, although no time comes twice."""
    valid = [ts is not None for ts in time.times]
    total = sum(valid)
    for column in rows.columns:
        if (
            column in time.columns
            or column in values
            or not set(column.words) & (KEYS - {"id", "code"})
        ):
            continue
        if (
            set(column.words) & WEAK_KEYS
            or column.name in {"header", "cell"}
            or column.times is not None
        ):
            continue
        texts = [text for text, good in zip(column.texts, valid, strict=True) if good]
        counts = {text: texts.count(text) for text in set(texts)}
        if not 1 < len(counts) <= 60 or "" in counts or total < 6:  # noqa: PLR2004 - so few tell nothing
            continue
        changes = sum(a != b for a, b in pairwise(texts))
        is_block = changes == len(counts) - 1 and _one_axis(time, column)
        if min(counts.values()) >= 3 and (is_block or changes >= total / 3):  # noqa: PLR2004
            return [column]
    return []


def _one_axis(time: TimeRole, column: Column) -> bool:
    """Whether the rows of each text cover the same span."""
    spans: dict[str, list[datetime]] = {}
    for text, ts in zip(column.texts, time.times, strict=True):
        if ts is not None:
            spans.setdefault(text, []).append(ts)
    firsts = [min(own) for own in spans.values()]
    lasts = [max(own) for own in spans.values()]
    return max(firsts) < min(lasts)


def _kinds_of_periods(
    time: TimeRole, fields: dict[str, Any], notes: dict[str, str]
) -> Column | None:
    """Months, quarters and years in one column, as a further field."""
    if time.params.get("time_format") != "period" or len(time.columns) > 1 or time.main is None:
        return None
    main = time.main
    kinds = []
    for text in main.texts:
        match = re.search(r"\d{4}-?([A-Z]{0,2})", text.upper())
        kinds.append("" if match is None else match[1] or str(len(text)))
    known = {kind for kind, ts in zip(kinds, time.times, strict=True) if ts is not None}
    if len(known) < 2 or not all(kind.isalpha() for kind in known):  # noqa: PLR2004
        return None
    pattern = r"\d{4}-?([A-Z]{1,2})\d"
    del fields
    notes["fields.kind"] = f"periods of several lengths: {', '.join(sorted(known))}"
    return Column("kind", "kind", kinds, {"place": main.place, "pattern": pattern})


def _publication(rows: RowSet, time: TimeRole, dimensions: Sequence[Column]) -> Column | None:
    """A second column of times with which no row is like another."""
    for column in rows.columns:
        guess = column.times
        if column in time.columns or guess is None or column.name in {"cell", "header"}:
            continue
        keys = [
            key
            for key, other in zip(_all_keys(time.times, dimensions), guess.times, strict=True)
            if key is not None and other is not None
        ]
        pairs = [
            (key, other)
            for key, other in zip(_all_keys(time.times, dimensions), guess.times, strict=True)
            if key is not None and other is not None
        ]
        if keys and len(set(pairs)) == len(pairs) and set(column.words) & PUBLISHED:
            return column
    return None


def _all_keys(times: Sequence[datetime | None], dimensions: Sequence[Column]) -> list[Any]:
    texts = [column.texts for column in dimensions]
    return [None if ts is None else (ts, *key) for ts, *key in zip(times, *texts, strict=True)]


def series_of(
    time: TimeRole,
    values: Sequence[Column],
    places: dict[int, str | int],
    dimensions: Sequence[Column],
    most: int,
    numbers: dict[int, NumberGuess],
) -> tuple[list[tuple[dict[str, Any], list[str]]], int]:
    """What each series says in its `extract_filter`, and the words of its name."""
    del numbers
    combinations: dict[tuple[Any, ...], None] = {}
    texts = [column.texts for column in dimensions]
    for row, ts in enumerate(time.times):
        if ts is None:
            continue
        key = tuple(column[row] for column in texts)
        if key in combinations or any(part == "" for part in key):
            continue
        combinations[key] = None
    shared = _value_texts(values, dimensions, time)
    series = []
    for key, column in product(combinations, values):
        if shared is not None and (key, id(column)) not in shared:
            continue
        own: dict[str, Any] = {
            str(dimension.place): part for dimension, part in zip(dimensions, key, strict=True)
        }
        words = list(key)
        if len(values) > 1:
            own["value"] = places[id(column)]
            words.append(column.name or str(column.place))
        series.append((own, words))
    return series[:most], max(len(series) - most, 0)


def _value_texts(
    values: Sequence[Column], dimensions: Sequence[Column], time: TimeRole
) -> set[tuple[tuple[str, ...], int]] | None:
    """Which values there are of which codes; None if that need not be asked."""
    if not dimensions or len(values) < 2:  # noqa: PLR2004 - a value in each row
        return None
    there: set[tuple[tuple[str, ...], int]] = set()
    texts = [column.texts for column in dimensions]
    contents = [(id(column), column.cells) for column in values]
    for row, ts in enumerate(time.times):
        if ts is not None:
            key = tuple(column[row] for column in texts)
            there.update(
                (key, number) for number, cells in contents if cells[row] not in (None, "")
            )
    return there


def name_numbered_columns(rows: RowSet, dimensions: Sequence[Column]) -> None:
    """Give columns without a name one, where their number is the name of another."""
    names = {column.name for column in rows.columns} | {
        text for column in rows.columns if column.name == "header" for text in column.distinct
    }
    for column in dimensions:
        if isinstance(column.place, int) and str(column.place) in names:
            column.beside = {"place": column.place}
            column.place = f"column_{column.place}"


def add_field(fields: dict[str, Any], column: Column) -> None:
    """Note the further field that a column is, if it is one."""
    if column.beside is not None:
        fields[str(column.place)] = column.beside
