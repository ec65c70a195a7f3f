"""Calls a plugin: in the shared event loop if it is one of ours, else in a thread of its own.

Whatever escapes a plugin becomes a `FetchError`. A plugin that does not answer in time is left to
itself: its thread is a daemon, and nobody waits for it. What a plugin from elsewhere yields is
drawn in its thread too, and copied: no object of its making leaves it.
"""

from __future__ import annotations

import asyncio
import inspect
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataportal.collect.children import adopt_orphans
from dataportal.collect.workers import WorkerThread
from dataportal.errors import DataportalError, PluginError, TransientError
from dataportal.plain_answers import plain_answer, plain_error
from dataportal.plugins.base_plugin import MultiSeriesPlugin
from dataportal.plugins.http.loop_proxy import LoopProxy
from dataportal.plugins.loader import is_built_in
from dataportal.redaction import harmless, redact
from dataportal.times import format_duration, iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dataportal.config import BuiltPlugin, Source
    from dataportal.plugins.http import HttpClient
    from dataportal.schedule import Slice

_SLOW = 15.0  # seconds after which somebody who looks on is told what is waited for
_SHORTLY_BEFORE = 0.98  # of the time that a call may take


async def call_plugin(
    built: BuiltPlugin,
    source: Source,
    window: Slice,
    *,
    http: HttpClient,
    seconds: float,
    on_slow: Callable[[str], None],
) -> Mapping[str, Any]:
    """The plugin's raw answer for a slice, as a mapping from endpoint_prefix to points.

    Args:
        built: the plugin.
        source: its source.
        window: the slice.
        http: the client it shall use, which belongs to the running event loop.
        seconds: how long it may take.
        on_slow: called now and then while it takes long, with what it waits for.

    Raises:
        FetchError: of the kind that the plugin raised; `PluginError` for what is a fault in it.
    """
    at_last: list[str] = []
    try:
        with _look_after(http, seconds, on_slow, at_last):
            async with asyncio.timeout(seconds):
                if built.shares_loop:
                    built.plugin.http = http
                    return await _call(built, source, window)
                return await _call_in_thread(built, source, window, http)
    except TimeoutError:
        limit = format_duration(built.limits.timeout)
        raise TransientError(
            ": ".join([f"the plugin did not answer within {seconds:.3g} s", *at_last[:1]]),
            hint=f"The source's timeout is {limit}; ask for less at a time with max_window",
        ) from None


@contextmanager
def _look_after(
    http: HttpClient, seconds: float, on_slow: Callable[[str], None], at_last: list[str]
) -> Iterator[None]:
    """Tell what a call waits for: after a while, then ever more rarely; and shortly before its end.

    Args:
        http: the client of the call.
        seconds: how long it may take.
        on_slow: called with what it waits for.
        at_last: gets what it waited for shortly before its time was over.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()

    def tell(pause: float) -> None:
        waits_for = next(iter(http.under_way), "the plugin has not answered")
        on_slow(f"{waits_for} after {loop.time() - began:.0f} s")
        timers[0] = loop.call_later(pause, tell, 2 * pause)

    timers = [
        loop.call_later(_SLOW, tell, _SLOW),
        loop.call_later(_SHORTLY_BEFORE * seconds, lambda: at_last.extend(http.under_way)),
    ]
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()


async def _call_in_thread(
    built: BuiltPlugin, source: Source, window: Slice, http: HttpClient
) -> Mapping[str, Any]:
    adopt_orphans()
    proxy = LoopProxy(asyncio.get_running_loop())
    thread = WorkerThread(f"plugin {source.name}")
    try:
        return await thread.call(_call_in_own_loop, built, source, window, http.through(proxy))
    except asyncio.CancelledError:
        # what a plugin asks for that nobody waits for must not keep others from its hosts
        await proxy.cancel()
        raise
    finally:
        thread.close()


def _call_in_own_loop(
    built: BuiltPlugin, source: Source, window: Slice, http: HttpClient
) -> Mapping[str, Any]:
    """The plugin's answer in Python's own values; raises nothing but errors of ours."""

    async def call() -> Mapping[str, Any]:
        return await _call(built, source, window)

    try:
        built.plugin.http = http
        answer = asyncio.run(call())
        return answer if is_built_in(type(built.plugin)) else plain_answer(answer)
    except BaseException as error:
        # nobody but the plugin itself cancels anything in this loop, or ends the program
        raise _plugin_fault(error, source) from error


def _plugin_fault(error: BaseException, source: Source) -> DataportalError:
    try:
        plain = plain_error(error) if isinstance(error, DataportalError) else None
        return plain or _fetch_error(error, source)
    except BaseException:  # noqa: BLE001 - the error's own text fails
        return PluginError(f"the plugin {source.module}.{source.class_name} failed")


async def _call(built: BuiltPlugin, source: Source, window: Slice) -> Mapping[str, Any]:
    plugin = built.plugin
    start = iso(window.ask_from or window.start)
    end = None if window.end is None else iso(window.end)
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
        raise _fetch_error(error, source) from error
    if isinstance(plugin, MultiSeriesPlugin):
        return answer  # type: ignore[no-any-return]  # its shape is checked when it is cleaned
    return {source.series[0].endpoint_prefix: answer}


def _fetch_error(error: BaseException, source: Source) -> DataportalError:
    """What a plugin's own HTTP library raises when the network fails may pass, like our own."""
    family = {kind.__name__ for kind in type(error).__mro__}
    if family & {"TimeoutError", "ConnectionError", "TransportError", "Timeout"}:
        return TransientError(f"the plugin could not reach its provider: {_description(error)}")
    return plugin_error(error, source)


def plugin_error(error: BaseException, source: Source) -> PluginError:
    """The report of a fault in a plugin: what, and the last line of the plugin that it went by."""
    frames = traceback.extract_tb(error.__traceback__)
    module = source.module.rpartition(".")[2]
    frame = next(
        # a plugin's module may be a package
        (
            frame
            for frame in reversed(frames)
            if module in {Path(frame.filename).stem, Path(frame.filename).parent.name}
        ),
        frames[-1] if frames else None,
    )
    where = f" ({frame.filename}:{frame.lineno})" if frame else ""
    return PluginError(
        f"the plugin {source.module}.{source.class_name} failed: {_description(error)}{where}",
        hint="Run again with --log-level debug for the traceback",
    )


def _description(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - an error of a plugin's own class, with a text of its own
        text = ""
    return harmless(redact(f"{type(error).__name__}: {text}".rstrip(": ")), 300)
