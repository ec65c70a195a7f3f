"""Reads the `extract_filter` of each series of a group, and tells of a group that failed whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dataportal.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dataportal.plugins.base_plugin import TimeSeriesDefinition

T = TypeVar("T")


def read_filters(
    definitions: Iterable[TimeSeriesDefinition], read: Callable[[Mapping[str, Any]], T]
) -> dict[str, T]:
    """What `read` makes of the filter of each series, by `endpoint_prefix`.

    Raises:
        ValueError: with everything that `read` raised for any of them, the same only once.
    """
    results: dict[str, T] = {}
    faults: dict[str, list[str]] = {}
    every = list(definitions)
    for definition in every:
        try:
            results[definition.endpoint_prefix] = read(definition.extract_filter)
        except ValueError as error:
            faults.setdefault(str(error), []).append(definition.endpoint_prefix)
    if faults:
        raise ValueError(
            "; ".join(
                # what is wrong with all of them is no fault of one filter
                message
                if 1 < len(every) == len(names)
                else f"extract_filter of {', '.join(names)}: {message}"
                for message, names in faults.items()
            )
        )
    return results


def raise_if_all_failed(results: Mapping[str, object]) -> None:
    """Raise the first error if every series has an error in place of its points.

    Raises:
        FetchError: the first of them.
    """
    errors = [result for result in results.values() if isinstance(result, FetchError)]
    if errors and len(errors) == len(results):
        raise errors[0]
