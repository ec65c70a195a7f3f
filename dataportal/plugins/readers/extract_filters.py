"""The series of a group: what the `extract_filter` of each says, and whether any was had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dataportal.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dataportal.plugins.base_plugin import TimeSeriesDefinition

T = TypeVar("T")


def read_filters(
    series: Iterable[TimeSeriesDefinition], read: Callable[[Mapping[str, Any]], T]
) -> dict[str, T]:
    """What `read` makes of the filter of each series, by `endpoint_prefix`.

    Raises:
        ValueError: with everything that `read` raised for any of them, the same only once.
    """
    found: dict[str, T] = {}
    faults: dict[str, list[str]] = {}
    every = list(series)
    for one in every:
        try:
            found[one.endpoint_prefix] = read(one.extract_filter)
        except ValueError as error:
            faults.setdefault(str(error), []).append(one.endpoint_prefix)
    if faults:
        raise ValueError(
            "; ".join(
                # what is wrong with all of them is no fault of one filter
                said
                if 1 < len(every) == len(names)
                else f"extract_filter of {', '.join(names)}: {said}"
                for said, names in faults.items()
            )
        )
    return found


def raise_if_all_failed(found: Mapping[str, object]) -> None:
    """Nothing, unless there is an error in place of the points of every series.

    Raises:
        FetchError: the first of them.
    """
    errors = [one for one in found.values() if isinstance(one, FetchError)]
    if errors and len(errors) == len(found):
        raise errors[0]
