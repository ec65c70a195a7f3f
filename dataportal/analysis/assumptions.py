"""What may be assumed of series: what is to be stated first, and what people are told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataportal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.analysis.wording import Wording
    from dataportal.store.read.history import StoredSeries

ASSUMED_NOTE = (
    "this answer is provisional: values marked assumed were back-filled, and count as known by the "
    "availability of their series; they are today's values and not the first ones"
)
_SHOWN = 3


def check_availability(selected: Sequence[StoredSeries], wording: Wording) -> None:
    """Look whether of all series it is stated when their values are usually there.

    Raises:
        UsageError: of some it is not; how to state it.
    """
    missing = [series for series in selected if series.availability is None]
    if not missing:
        return
    names = ", ".join(repr(series.endpoint_prefix) for series in missing[:_SHOWN])
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    raise UsageError(
        f"{wording.option('assume')}: nobody says when values of {names}{more} are available",
        hint="Write it into sources.yaml, such as availability: ts + 2 hours, and run the source "
        f"once; dataportal history {missing[0].endpoint_prefix} --availability measures it",
    )
