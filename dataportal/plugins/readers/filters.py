"""What the `extract_filter` of each series of a group says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dataportal.plugins.base_plugin import TimeSeriesDefinition

T = TypeVar("T")


def read_filters(
    series: Iterable[TimeSeriesDefinition], read: Callable[[Mapping[str, Any]], T]
) -> dict[str, T]:
    """What `read` makes of the filter of each series, by `endpoint_prefix`.

    Raises:
        ValueError: with everything that `read` raised for any of them.
    """
    found: dict[str, T] = {}
    faults: list[str] = []
    for one in series:
        try:
            found[one.endpoint_prefix] = read(one.extract_filter)
        except ValueError as error:
            faults.append(f"extract_filter of {one.endpoint_prefix}: {error}")
    if faults:
        raise ValueError("; ".join(faults))
    return found
