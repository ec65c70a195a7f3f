"""A draft reads answers in the forms of many public APIs as a person would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.public_answers import public_answers

from dataportal.drafts.readings import read_answer
from dataportal.plugins.http import Answer
from dataportal.times import iso

if TYPE_CHECKING:
    from support.public_answers import PublicAnswer

ANSWERS = public_answers()


def _faults(one: PublicAnswer) -> list[str]:
    answer = Answer(200, f"https://data.example.com/{one.name}", {}, one.body)
    found = read_answer(answer, zone=one.zone, most_series=300)
    if isinstance(found.batch, str):
        return [found.batch, str(found.params)]
    faults = [] if not found.batch.rejected else [found.batch.rejections[0].reason]
    drafted = [
        {
            iso(ts): value
            for ts, value in zip(series.ts, series.values, strict=True)
            if value is not None
        }
        for series in found.batch.series.values()
    ]
    faults += [
        f"no series has {dict([*points.items()][:3])}"
        for points in one.series
        if not any(
            all(own.get(ts) == pytest.approx(value) for ts, value in points.items())
            for own in drafted
        )
    ]
    if one.count and len(found.series) != one.count:
        faults.append(f"{len(found.series)} series: {[words for _, words in found.series][:8]}")
    if found.needs_zone and not (one.zone or found.zone):
        faults.append("a zone is asked for")
    return [*faults, str(found.params)] if faults else []


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_read_as_a_person_reads_it(name: str) -> None:
    """All its series, each with its values at its times, and nothing that cannot be taken."""
    assert _faults(ANSWERS[name]) == []
