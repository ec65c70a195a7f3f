"""Reads the `extract_filter` of each series of a group, and tells of a group that failed whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dataportal.errors import FetchError
from dataportal.plugins.readers.parameters import ParameterError, leading_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dataportal.plugins.base_plugin import TimeSeriesDefinition

T = TypeVar("T")


def read_filters(
    definitions: Iterable[TimeSeriesDefinition], read: Callable[[Mapping[str, Any]], T]
) -> dict[str, T]:
    """What `read` makes of the filter of each series, by `endpoint_prefix`.

    Raises:
        ParameterError: with everything that `read` raised for any of them, the same only once.
    """
    results: dict[str, T] = {}
    names_by_message: dict[str, list[str]] = {}
    places: dict[str, tuple[str | int, ...]] = {}
    every = list(definitions)
    for number, definition in enumerate(every):
        try:
            results[definition.endpoint_prefix] = read(definition.extract_filter)
        except ValueError as error:
            faults = error.faults if isinstance(error, ParameterError) else [((), str(error))]
            for keys, message in faults:
                names_by_message.setdefault(message, []).append(definition.endpoint_prefix)
                places.setdefault(message, ("timeseries", number, "extract_filter", *keys))
    if names_by_message:
        located: list[tuple[tuple[str | int, ...], str]] = []
        by_prefix: dict[str, list[str]] = {}
        for message, names in names_by_message.items():
            # what is wrong with all of them is no fault of one filter
            is_of_all = 1 < len(every) == len(names)
            prefix = "" if is_of_all else f"extract_filter of {', '.join(names)}: "
            place = leading_keys(message) if is_of_all else places[message]
            located.append((place, f"{prefix}{message}"))
            by_prefix.setdefault(prefix, []).append(message)
        text = "; ".join(prefix + "; ".join(messages) for prefix, messages in by_prefix.items())
        raise ParameterError(located, text)
    return results


def raise_if_all_failed(results: Mapping[str, object]) -> None:
    """Raise the first error if every series has an error in place of its points.

    Raises:
        FetchError: the first of them.
    """
    errors = [result for result in results.values() if isinstance(result, FetchError)]
    if errors and len(errors) == len(results):
        raise errors[0]
