"""Reads the rate limit of a source from its parameter `per_minute`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from dataportal.plugins.http.rate_limit import RateLimit
from dataportal.plugins.parameters import Parameters, PositiveNumber, about

if TYPE_CHECKING:
    from dataportal.plugins.readers.parameters import Params


class RateParameters(Parameters):
    """How often a host is asked."""

    per_minute: Annotated[
        PositiveNumber | None,
        about(
            "requests a minute to this host at most, by all sources of a run that use the same key "
            "(no limit)"
        ),
    ] = None


def optional_rate_limit(
    params: Params, *, key: str | None = None, everywhere: bool = False
) -> RateLimit | None:
    """The limit that the parameter `per_minute` sets; None where it is not set.

    Args:
        params: of the source.
        key: requests with the same key count together.
        everywhere: whether all machines that share the database must keep it together.
    """
    per_minute = params.read(RateParameters).per_minute
    if per_minute is None:
        return None
    return RateLimit(per_minute, key=key or None, everywhere=everywhere)
