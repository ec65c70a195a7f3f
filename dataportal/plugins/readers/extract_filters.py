"""Reads the `extract_filter` of each series of a group, and tells of a group that failed whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dataportal.errors import FetchError
from dataportal.plugins.parameters.faults import leading_keys
from dataportal.plugins.readers.parameters import BESIDE, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dataportal.plugins.base_plugin import TimeSeriesDefinition
    from dataportal.plugins.readers.parameters import Params

    Keys = tuple[str | int, ...]

T = TypeVar("T")


def read_filters(
    definitions: Iterable[TimeSeriesDefinition],
    read: Callable[[Mapping[str, Any]], T],
    params: Params | None = None,
) -> dict[str, T]:
    """What `read` makes of the filter of each series, by `endpoint_prefix`.

    Args:
        definitions: the series.
        read: raises a ValueError for a filter that cannot be used.
        params: those of the group, not finished: their faults are raised together with these.

    Raises:
        ParameterError: with everything that `read` raised for any of them, the same only once.
    """
    located: list[tuple[Keys, str]] = [] if params is None else params.faults()
    results: dict[str, T] = {}
    names_by_message: dict[str, list[str]] = {}
    places: dict[str, Keys] = {}
    every = list(definitions)
    for number, definition in enumerate(every):
        try:
            results[definition.endpoint_prefix] = read(definition.extract_filter)
        except ValueError as error:
            faults = error.faults if isinstance(error, ParameterError) else [((), str(error))]
            for keys, message in faults:
                if keys[:1] == (BESIDE,):
                    if (keys[1:], message) not in located:
                        located.append((keys[1:], message))
                    continue
                names_by_message.setdefault(message, []).append(definition.endpoint_prefix)
                places.setdefault(message, ("timeseries", number, "extract_filter", *keys))
    texts = [message for _, message in located]
    by_prefix: dict[str, list[str]] = {}
    for message, names in names_by_message.items():
        # what is wrong with all of them is no fault of one filter
        is_of_all = 1 < len(every) == len(names)
        prefix = "" if is_of_all else f"extract_filter of {', '.join(names)}: "
        place = leading_keys(message) if is_of_all else places[message]
        located.append((place, f"{prefix}{message}"))
        by_prefix.setdefault(prefix, []).append(message)
    if located:
        texts += [prefix + "; ".join(messages) for prefix, messages in by_prefix.items()]
        raise ParameterError(located, "; ".join(texts))
    return results


def raise_if_all_failed(results: Mapping[str, object]) -> None:
    """Raise the first error if every series has an error in place of its points.

    Raises:
        FetchError: the first of them.
    """
    errors = [result for result in results.values() if isinstance(result, FetchError)]
    if errors and len(errors) == len(results):
        raise errors[0]
