"""All real answers that the suite compares, of every provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.described_real_answers import described_answers
from support.provider_real_answers import provider_answers

if TYPE_CHECKING:
    from support.real_answer import RealAnswer

ANSWERS: dict[str, RealAnswer] = dict([*provider_answers(), *described_answers()])
"""By a name that says what each is."""
