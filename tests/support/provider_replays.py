"""Answers of real providers, where the folder with them lies beside the checkout.

Each has what must be asked and what must be stored; see MANIFEST.md there.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from support.declarative_sources import fetch, points
from support.http_server import LocalServer, Reply
from support.recordings import SHARED, needs_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.http_server import Request

FOLDER = SHARED / "reach" / "answers"

needs_answers = needs_folder(FOLDER)


@dataclass
class Replay:
    """A provider that answers by its rules, logs in, and cuts its answers into pages.

    Attributes:
        name: of its folder.
        address: of the server.
        misfits: requests that no rule fits, which are faults.
        logins: how many tokens were given, by their names.
        uses: how often the newest token may still be used.
    """

    name: str
    address: str = ""
    misfits: list[str] = field(default_factory=list)
    logins: dict[str, int] = field(default_factory=dict)
    uses: dict[str, float] = field(default_factory=dict)

    @property
    def expected(self) -> dict[str, Any]:
        """What must be asked, and what must be stored."""
        content: dict[str, Any] = json.loads((FOLDER / self.name / "expected.json").read_text())
        return content

    def reply(self, request: Request) -> Reply:
        """The answer by the first rule that fits; 599 where none does."""
        for name, token in self.expected.get("tokens", {}).items():
            if request.path == token["path"]:
                return self._log_in(name, token, request)
        for rule in self.expected["requests"]:
            if _fits(rule, request):
                if "token" in rule and not self._is_valid(rule["token"], request):
                    return Reply(401, b'{"error": "token"}')
                return self._answer(rule, request)
        self.misfits.append(f"{request.method} {request.target} {request.body.decode()[:300]}")
        return Reply(599)

    def _log_in(self, name: str, token: Mapping[str, Any], request: Request) -> Reply:
        number = self.logins[name] = self.logins.get(name, 0) + 1
        if not any(_logs_in(way, request) for way in (token, *token.get("or", ()))):
            status, text = token.get("wrong", [401, "{}"])
            return Reply(status, text.encode())
        is_first = number == 1 and "first_uses" in token
        self.uses[name] = token["first_uses"] if is_first else token.get("uses", float("inf"))
        if number > token.get("at_most", number):
            self.misfits.append(f"login {number} for {name}")
        text = token.get("answer_text") or json.dumps(token["answer"])
        body = text.replace("$TOKEN", f"T{number}").encode()
        return Reply(
            token.get("status", 200), body, content_type=token.get("type", "application/json")
        )

    def _is_valid(self, name: str, request: Request) -> bool:
        send = self.expected["tokens"][name].get(
            "send", {"header": "Authorization", "format": "Bearer $TOKEN"}
        )
        wanted = send["format"].replace("$TOKEN", f"T{self.logins.get(name, 0)}")
        if request.headers.get(send["header"].lower()) != wanted or self.uses[name] <= 0:
            return False
        self.uses[name] -= 1
        return True

    def _answer(self, rule: Mapping[str, Any], request: Request) -> Reply:
        file = rule.get("answer")
        body = (FOLDER / self.name / file).read_bytes() if file else rule.get("text", "").encode()
        if rule.get("lab"):
            body = body.replace(b"@LAB@", self.address.encode())
        status = rule.get("status", 200)
        if "pick" in rule:
            picked = _pick(json.loads(body), rule["pick"], request)
            if picked is None:
                refused, text = rule["pick"].get("refuse", [400, "{}"])
                return Reply(refused, text.encode())
            body = json.dumps(picked).encode()
        if "page" in rule:
            content, more = _page(json.loads(body), rule["page"], request, self.address)
            body = json.dumps(content).encode()
            status = rule["page"].get("status_more", status) if more else status
        return Reply(status, body, content_type=rule.get("type", "application/json"))


def check_replay(
    name: str,
    kind: str,
    filters: Mapping[str, Mapping[str, Any]],
    *,
    path: str = "",
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
        params: of the source; `@LAB@` in them is the address of the server, and `${NAME}` what the
            provider's environment says.

    Returns:
        what was asked, each with its query.
    """
    replay = Replay(name)
    expected = replay.expected
    window = expected["window"]["start"], expected["window"]["end"]
    with LocalServer(otherwise=replay.reply) as server:
        replay.address = server.url
        text = json.dumps(params).replace("@LAB@", server.url)
        for variable, value in expected.get("env", {}).items():
            text = text.replace(f"${{{variable}}}", value)
        given = json.loads(text)
        if path:
            given["url"] = f"{server.url}{path}"
        batch = fetch(kind, filters, window=window, timezone=timezone, **given)
        asked = [request.target for request in server.requests]
    assert not replay.misfits
    assert filters.keys() == expected["series"].keys()
    assert not batch.rejections, batch.rejections
    for series, values in expected["series"].items():
        found = {
            ts: value
            for ts, value in points(batch, series).items()
            if window[0] <= ts < window[1] and value is not None
        }
        assert found == pytest.approx(values, rel=1e-12), series
    return asked


def _fits(rule: Mapping[str, Any], request: Request) -> bool:
    return (
        rule.get("method", "GET") == request.method
        and re.fullmatch(rule["path"], unquote(request.path)) is not None
        and _all_match(rule.get("query", {}), request.query)
        and _all_match(rule.get("form", {}), request.form if "form" in rule else {})
        and all(
            re.fullmatch(text, request.headers.get(name.lower(), ""))
            for name, text in rule.get("headers", {}).items()
        )
        and re.search(rule.get("body", ""), request.body.decode()) is not None
        and ("json" not in rule or _contains(request.json, rule["json"]))
    )


def _all_match(rules: Mapping[str, str], given: Mapping[str, list[str]]) -> bool:
    return all(
        re.fullmatch(text, value) for name, text in rules.items() for value in given.get(name, [""])
    )


def _contains(given: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(
            name in given and _contains(given[name], item) for name, item in wanted.items()
        )
    if isinstance(wanted, str) and wanted.startswith("~"):
        return re.fullmatch(wanted[1:], str(given)) is not None
    return bool(given == wanted)


def _logs_in(way: Mapping[str, Any], request: Request) -> bool:
    if "basic" in way:
        pair = b64encode(":".join(way["basic"]).encode()).decode()
        if request.headers.get("authorization") != f"Basic {pair}":
            return False
    if "json" in way:
        return _contains(request.json, way["json"])
    form = {name: values[0] for name, values in request.form.items()}
    return all(form.get(name) == value for name, value in way.get("form", {}).items())


def _pick(content: Any, pick: Mapping[str, Any], request: Request) -> Any:
    """The content with the rows asked for alone; None for too many."""
    given: Any = request.json if pick.get("in") == "json" else request.query.get(pick["name"], [])
    if pick.get("in") == "json" and pick["name"]:
        given = given[pick["name"]]
    ids = [item[pick["id"]] if "id" in pick else item for item in given]
    if len(ids) > pick["max"]:
        return None
    rows = _at(content, pick["rows"])
    rows[:] = [row for row in rows if _at(row, pick["key"]) in ids]
    return content


def _at(content: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        content = content[name]
    return content


def _page(
    content: Any, page: Mapping[str, Any], request: Request, address: str
) -> tuple[Any, bool]:
    """One page of the content, and whether more follow."""
    given = _page_parameters(page, request)
    rows = _at(content, page["rows"])
    size = min(int(given.get(page.get("limit", ""), page["default"])), page["cap"])
    position = given.get(page.get(page["kind"], page.get("param", "")))
    if page["kind"] == "page":
        start = (int(position or page["first"]) - page["first"]) * size
    elif page["kind"] == "offset":
        start = int(position or page.get("first", 0)) - page.get("first", 0)
    else:
        start = int(str(position).removeprefix(page.get("prefix", ""))) if position else 0
    count, end = len(rows), start + size
    more = end < count
    rows[:] = rows[start:end]
    if not isinstance(content, dict):
        return content, more
    link = _link(page, request, address, end)
    for name, value in (("total", count), ("last", -(-count // size)), ("more", more)):
        if name in page and (value or not (name == "more" and page.get("more_absent"))):
            parent, _, key = page[name].rpartition(".")
            _at(content, parent)[key] = value
    if page.get("link_list"):
        content[page["link"]] = [{"rel": "next", "href": link}] if more else []
    elif "link" in page:
        content[page["link"]] = link if more else None
    if "link_key" in page and more:
        content[page["link_key"]] = link
    return content, more


def _page_parameters(page: Mapping[str, Any], request: Request) -> dict[str, Any]:
    if page.get("in") != "json":
        return {name: values[0] for name, values in request.query.items()}
    found = {}
    for name in ("page", "offset", "limit"):
        if name in page:
            try:
                found[page[name]] = _at(request.json, page[name])
            except (KeyError, TypeError):
                continue
    return found


def _link(page: Mapping[str, Any], request: Request, address: str, position: int) -> str:
    host = page.get("host", address)
    name = page.get("param") or page.get("offset", "")
    first = page.get("first", 0) if page["kind"] == "offset" else 0
    query = [
        f"{key}={values[0]}".replace(" ", "%20")
        for key, values in request.query.items()
        if key != name
    ]
    query.append(f"{name}={page.get('prefix', '')}{position + first}")
    return f"{host}{request.path}?{'&'.join(query)}"
