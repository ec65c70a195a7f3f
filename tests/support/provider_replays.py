"""Answers of real providers, where the folder with them lies beside the checkout.

Each has what must be asked and what must be stored; see MANIFEST.md there.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from support.declarative_sources import fetch, points
from support.http_server import LocalServer, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.http_server import Request

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "reach" / "answers"

needs_answers = pytest.mark.skipif(not FOLDER.is_dir(), reason="the answers are not at hand")


def reply_of(name: str, request: Request) -> Reply:
    """What the provider answers, by the first rule that fits; 599 where none does."""
    for rule in _expected(name)["requests"]:
        path_fits = re.fullmatch(rule["path"], unquote(request.path))
        query = rule.get("query", {})
        if path_fits and all(
            re.fullmatch(text, given)
            for key, text in query.items()
            for given in request.query.get(key, [""])
        ):
            file = rule.get("answer")
            body = (FOLDER / name / file).read_bytes() if file else rule.get("text", "").encode()
            return Reply(200, body, content_type=rule.get("type", "application/json"))
    return Reply(599)


def check_replay(
    name: str,
    kind: str,
    filters: Mapping[str, Mapping[str, Any]],
    *,
    path: str,
    timezone: str | None = None,
    **params: Any,
) -> list[str]:
    """Ask as described, and compare all that the provider's answers must become.

    Args:
        name: of the provider.
        kind: of the answers: `Json`, `Csv`, `Xml` and so on.
        filters: of the series, by the names that they have there.
        path: where it is asked.
        timezone: of the source.
        params: of the source.

    Returns:
        what was asked, each with its query.
    """
    expected = _expected(name)
    window = expected["window"]["start"], expected["window"]["end"]
    with LocalServer(otherwise=lambda request: reply_of(name, request)) as server:
        given = json.loads(json.dumps(params).replace("@LAB@", server.url))
        batch = fetch(
            kind, filters, window=window, timezone=timezone, url=f"{server.url}{path}", **given
        )
        asked = [request.target for request in server.requests]
    assert filters.keys() == expected["series"].keys()
    for series, values in expected["series"].items():
        assert not batch.rejections
        found = {
            ts: value
            for ts, value in points(batch, series).items()
            if window[0] <= ts < window[1] and value is not None
        }
        assert found == pytest.approx(values, rel=1e-12), series
    return asked


def _expected(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / name / "expected.json").read_text())
    return content
