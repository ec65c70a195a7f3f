"""Calls a plugin: in the shared event loop if it is one of ours, else in a thread of its own.

Whatever escapes a plugin becomes a `FetchError`. A plugin that does not answer in time is left to
itself: its thread is a daemon, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
import inspect
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataportal.collect.workers import Lane
from dataportal.errors import DataportalError, PluginError, TransientError
from dataportal.plugins.base_plugin import MultiSeriesPlugin
from dataportal.redaction import harmless, redact
from dataportal.times import format_duration, iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataportal.config import BuiltPlugin, Source
    from dataportal.plugins.http import HttpClient
    from dataportal.schedule import Slice


async def ask(
    built: BuiltPlugin,
    source: Source,
    part: Slice,
    *,
    http: HttpClient,
    seconds: float,
) -> Mapping[str, Any]:
    """The plugin's raw answer for a slice, as a mapping from endpoint_prefix to points.

    Args:
        built: the plugin.
        source: its source.
        part: the window to ask for.
        http: the client it shall use.
        seconds: how long it may take.

    Raises:
        FetchError: of the kind that the plugin raised; `PluginError` for what is a fault in it.
    """
    built.plugin.http = http
    try:
        async with asyncio.timeout(seconds):
            if built.shares_loop:
                return await _answer(built, source, part)
            return await _elsewhere(built, source, part, http)
    except TimeoutError:
        limit = format_duration(built.limits.timeout)
        raise TransientError(
            f"the plugin did not answer within {seconds:.3g} s",
            hint=f"The source's timeout is {limit}; ask for less at a time with max_window",
        ) from None


async def _elsewhere(
    built: BuiltPlugin, source: Source, part: Slice, http: HttpClient
) -> Mapping[str, Any]:
    lane = Lane(f"plugin {source.name}")
    try:
        return await lane.call(_in_own_loop, built, source, part, http)
    finally:
        lane.close()


def _in_own_loop(
    built: BuiltPlugin, source: Source, part: Slice, http: HttpClient
) -> Mapping[str, Any]:
    async def answer() -> Mapping[str, Any]:
        try:
            return await _answer(built, source, part)
        except asyncio.CancelledError as error:
            # nobody but the plugin itself cancels anything in this loop
            raise broken(error, source) from error
        finally:
            await http.aclose()

    return asyncio.run(answer())


async def _answer(built: BuiltPlugin, source: Source, part: Slice) -> Mapping[str, Any]:
    plugin = built.plugin
    start, end = iso(part.start), None if part.end is None else iso(part.end)
    try:
        if isinstance(plugin, MultiSeriesPlugin):
            answer: Any = plugin.get_historical_data_multi(start, end)
        else:
            metrics = source.available_metrics
            answer = plugin.get_historical_data(start, end, list(metrics) if metrics else None)
        if inspect.isawaitable(answer):
            answer = await answer
    except (asyncio.CancelledError, DataportalError):
        raise
    except BaseException as error:
        raise _explained(error, source) from error
    if isinstance(plugin, MultiSeriesPlugin):
        return answer  # type: ignore[no-any-return]  # its shape is checked when it is cleaned
    return {source.series[0].endpoint_prefix: answer}


def _explained(error: BaseException, source: Source) -> DataportalError:
    """What a plugin's own HTTP library raises when the network fails may pass, like our own."""
    family = {kind.__name__ for kind in type(error).__mro__}
    if family & {"TimeoutError", "ConnectionError", "TransportError", "Timeout"}:
        said = harmless(redact(f"{type(error).__name__}: {error}".rstrip(": ")), 300)
        return TransientError(f"the plugin could not reach its provider: {said}")
    return broken(error, source)


def broken(error: BaseException, source: Source) -> PluginError:
    """The report of a fault in a plugin: what, and the last line of the plugin that it went by."""
    frames = traceback.extract_tb(error.__traceback__)
    module = source.module.rpartition(".")[2]
    place = next(
        # a plugin's module may be a package
        (
            f
            for f in reversed(frames)
            if module in {Path(f.filename).stem, Path(f.filename).parent.name}
        ),
        frames[-1] if frames else None,
    )
    where = f" ({place.filename}:{place.lineno})" if place else ""
    said = harmless(redact(f"{type(error).__name__}: {error}".rstrip(": ")), 300)
    return PluginError(
        f"the plugin {source.module}.{source.class_name} failed: {said}{where}",
        hint="Run again with --log-level debug for the traceback",
    )
