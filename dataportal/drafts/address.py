"""Takes an address apart for an entry: query, secrets, the window that it names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from dataportal.drafts.rows import words_of
from dataportal.drafts.time_columns import guess_times
from dataportal.redaction import remember_secret, sounds_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

_START = {
    *(
        "start",
        "from",
        "since",
        "begin",
        "after",
        "startdate",
        "datefrom",
        "startperiod",
        "starttime",
    ),
    *("gte", "ge", "desde", "von", "startdt", "deb", "fromdate", "min", "inicio", "starttimestamp"),
    *(
        "startdatetime",
        "datedeb",
        "datestart",
        "sincetimeperiod",
        "periodstart",
        "fromutc",
        "lower",
    ),
}
_END = {
    *(
        "end",
        "to",
        "until",
        "before",
        "enddate",
        "dateto",
        "endperiod",
        "endtime",
        "lt",
        "lte",
        "le",
    ),
    *("hasta", "bis", "enddt", "fin", "todate", "max", "stop", "endtimestamp", "enddatetime"),
    *("datefin", "dateend", "untiltimeperiod", "periodend", "toutc", "upper"),
}
_DAY = {"date", "day", "datum", "fecha", "businessdate", "deliverydate", "reportdate"}
_SIZE = {"limit", "size", "pagesize", "perpage", "rows", "count", "rowcount", "top", "max"}
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^}]*)?\}")
_ORDINARY = {
    "www",
    "api",
    "data",
    "opendata",
    "rest",
    "services",
    "service",
    "open",
    "public",
    "localhost",
}


@dataclass(slots=True)
class Address:
    """What an entry says of where to ask.

    Attributes:
        url: without its query and without secrets.
        query: its parameters.
        auth: the parameters that are secrets, as variables.
        headers: sent with the request, secrets as variables.
        variables: the variables that the entry needs.
        notes: why, by parameter.
    """

    url: str
    query: dict[str, Any] = field(default_factory=dict)
    auth: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def params(self) -> dict[str, Any]:
        """As parameters of a source."""
        params: dict[str, Any] = {"url": self.url}
        if self.query:
            params["query"] = self.query
        if self.headers:
            params["headers"] = self.headers
        if self.auth:
            params["auth"] = self.auth
        return params


def address_of(url: str, headers: Mapping[str, str]) -> Address:
    """An address as an entry says it: what is secret in it becomes a variable.

    Args:
        url: as it was asked; it may have `${VARIABLES}` in it.
        headers: sent along, which may have some too.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    prefix = _prefix(host)
    auth: dict[str, Any] = {}
    variables: dict[str, str] = {}
    netloc = parts.netloc
    if parts.password:
        remember_secret(unquote(parts.password))
        user = f"{prefix}_USER"
        auth["basic"] = {"user": f"${{{user}}}", "password": f"${{{prefix}_PASSWORD}}"}
        variables.update({user: "the user of the address", f"{prefix}_PASSWORD": "its password"})
        netloc = netloc.rpartition("@")[2]
    query: dict[str, Any] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if _is_secret(name) and not _VARIABLE.search(value):
            remember_secret(value)
            variable = _variable(prefix, name)
            auth.setdefault("query", {})[name] = f"${{{variable}}}"
            variables[variable] = f"{name} of the address"
        elif _is_secret(name):
            auth.setdefault("query", {})[name] = value
            variables.update(_variables_in(value))
        elif name in query:
            before = query[name]
            query[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            query[name] = value
            variables.update(_variables_in(value))
    plain: dict[str, str] = {}
    for name, value in headers.items():
        if _is_secret(name):
            text = value
            if not _VARIABLE.search(value):
                scheme, _, rest = value.partition(" ")
                secret = rest or scheme
                remember_secret(secret)
                variable = _variable(prefix, name)
                text = f"{scheme} ${{{variable}}}" if rest else f"${{{variable}}}"
                variables[variable] = f"the header {name}"
            else:
                variables.update(_variables_in(value))
            auth.setdefault("header", {})[name] = text
        else:
            plain[name] = value
    bare = urlunsplit((parts.scheme, netloc, parts.path, "", ""))
    variables.update(_variables_in(bare))
    return Address(bare, query, auth, plain, variables)


def _is_secret(name: str) -> bool:
    return sounds_secret(name) or name.lower() in {
        "auth",
        "authorization",
        "apikey",
        "api_key",
        "key",
    }


def _variables_in(text: str) -> dict[str, str]:
    """The variables that a text names and that have no default."""
    names = re.findall(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", text)
    return dict.fromkeys(names, "the address")


def _prefix(host: str) -> str:
    parts = [part for part in host.lower().split(".")[:-1] if part not in _ORDINARY]
    name = re.sub("[^A-Z0-9]+", "_", (parts[-1] if parts else "").upper()).strip("_")
    return name if re.match("[A-Z]", name) else "SOURCE"


def _variable(prefix: str, name: str) -> str:
    own = re.sub("[^A-Z0-9]+", "_", name.upper()).strip("_")
    own = own if sounds_secret(own) else f"{own}_KEY"
    return own if own.startswith(prefix) else f"{prefix}_{own}"


def source_name(url: str, stem: str) -> str:
    """A name for the source: of the host and the last words of the path, or of a file."""
    if not url:
        return slug(stem) or "my-source"
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    labels = [label for label in host.split(".")[:-1] if label not in _ORDINARY]
    is_number = re.fullmatch(r"[\d.:]+", host) is not None
    head = "" if is_number or not labels else labels[-1]
    segments = [segment for segment in unquote(parts.path).split("/") if segment]
    words = [
        slug(re.sub(r"\.\w{1,5}$", "", segment))
        for segment in segments
        if not re.fullmatch(
            r"v?\d+(?:\.\d+)*|api|rest|json|csv|data|public|services?", segment.lower()
        )
    ]
    names = [word for word in words if word][-2:]
    text = "-".join(dict.fromkeys([head, *names] if head else names)) or head or "my-source"
    return text[:60].strip("-")


def slug(text: str) -> str:
    """A text as a part of a name: small letters, digits and dashes."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return re.sub(r"[^\w]+|_+", "-", plain.lower()).strip("-")


def describe_window(address: Address, zone: str) -> dict[str, Any]:
    """Put the window in place of the days that the query names; further parameters of the source.

    Args:
        address: whose query is changed.
        zone: of local times; empty if nobody knows it.
    """
    further: dict[str, Any] = {}
    for name, value in address.query.items():
        if not isinstance(value, str):
            continue
        joined = "".join(words_of(name))
        words = {joined, *words_of(name)}
        pattern = _format_of(value)
        if pattern is None:
            continue
        at = (
            f"@{zone}"
            if zone and not pattern.startswith("unix") and not pattern.endswith("Z")
            else ""
        )
        at = "" if zone == "UTC" else at
        if words & _START and not joined.startswith("end"):
            address.query[name] = f"{{start:{pattern}{at}}}"
            address.notes[f"query.{name}"] = f"was {value}; a run asks from where it left off"
        elif words & _END:
            address.query[name] = f"{{end:{pattern}{at}}}"
            address.notes[f"query.{name}"] = f"was {value}"
        elif words & _DAY:
            address.query[name] = f"{{start:{pattern}{at}}}"
            address.notes[f"query.{name}"] = f"was {value}: one request for each day"
            further["each"] = "day"
            if zone and zone != "UTC":
                further["zone"] = zone
    return further


def _format_of(value: str) -> str | None:  # noqa: PLR0911 - a branch for each way
    """How a window is written in this parameter; None for what is no time."""
    if re.fullmatch(r"\d{4}", value):
        return "%Y"
    if re.fullmatch(r"\d{4}-\d\d", value):
        return "%Y-%m"
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value):
        return "%Y-%m-%dT%H:%M:%SZ"
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", value):
        return "%Y-%m-%dT%H:%MZ"
    if match := re.fullmatch(r"\d{4}-\d\d-\d\d(?:([T ])\d\d:\d\d(:\d\d)?)?", value):
        clock = f"{match[1]}%H:%M" + (":%S" if match[2] else "") if match[1] else ""
        return f"%Y-%m-%d{clock}"
    guess = guess_times([value], named_so=True)
    if guess is None or guess.pattern in {"", "period"}:
        return None
    return guess.pattern if "%z" not in guess.pattern else None


def paging_of(address: Address, content: Any, rows: int, link: str) -> tuple[Any, str]:  # noqa: C901 - a branch for each way
    """How an answer is cut into pages, as `paging` says it, and why; nothing for a whole one.

    Args:
        address: what was asked.
        content: the document, if it is JSON.
        rows: how many came.
        link: the header `Link` of the answer.
    """
    if re.search(r'rel="?next', link):
        return {"next": "header:Link"}, "the header Link names the next page"
    found = _next_link(content, "", 0)
    if found is not None:
        return {"next": found}, "the answer names the address of the next page here"
    total = _find_count(
        content, ("total", "totalrows", "totalcount", "numbermatched", "totalelements"), "", 0
    )
    sizes = {
        n: v
        for n, v in address.query.items()
        if "".join(words_of(n)) in _SIZE and str(v).isdecimal()
    }
    paging: dict[str, Any] = {}
    for name, value in address.query.items():
        joined = "".join(words_of(name))
        if (
            joined in {"offset", "skip", "startrow", "startindex", "resultoffset"}
            and str(value).isdecimal()
        ):
            paging = {"offset": name}
            if int(str(value)) == 1:
                paging["first"] = 1
            break
        if joined in {"page", "pagenumber", "pageno"} and str(value).isdecimal():
            paging = {"page": name}
            if int(str(value)) == 0:
                paging["first"] = 0
            break
    if paging:
        for name, value in sizes.items():
            paging.update({"size": int(str(value)), "size_param": name})
            address.query.pop(name)
            break
        address.query.pop(paging.get("offset") or paging["page"])
        if total is not None and total[1] >= rows:
            paging["total"] = total[0]
        return paging, "the address asks for a page"
    if total is not None and total[1] > rows:
        return "TODO", (
            f"{total[0]} says {total[1]:,} rows, and {rows:,} came: how are more asked for? "
            "Such as {offset: offset, size: 1000, size_param: limit}"
        )
    return None, ""


def _next_link(content: Any, path: str, depth: int) -> str | None:  # noqa: C901 - a branch for each way
    from dataportal.drafts.json_rows import quote_key

    if not isinstance(content, dict) or depth > 2:  # noqa: PLR2004 - links stand near the top
        return None
    for key, item in content.items():
        place = f"{path}.{quote_key(key)}" if path else quote_key(key)
        joined = "".join(words_of(key))
        if joined in {
            "next",
            "nextlink",
            "odatanextlink",
            "nextpage",
            "nextpageurl",
            "nexturl",
            "nexthref",
        }:
            if item is None or (isinstance(item, str) and re.search("[/?]", item)):
                return place
            if isinstance(item, dict) and isinstance(item.get("href"), str):
                return f"{place}.href"
    for key, item in content.items():
        place = f"{path}.{quote_key(key)}" if path else quote_key(key)
        if key.lower() == "links" and isinstance(item, list):
            rels = [
                entry for entry in item if isinstance(entry, dict) and entry.get("rel") == "next"
            ]
            if rels and isinstance(rels[0].get("href"), str):
                return f"{place}[?rel=='next'].href | [0]"
        if isinstance(item, dict):
            link = _next_link(item, place, depth + 1)
            if link is not None:
                return link
    return None


def _find_count(
    content: Any, names: tuple[str, ...], path: str, depth: int
) -> tuple[str, int] | None:
    from dataportal.drafts.json_rows import quote_key

    if not isinstance(content, dict) or depth > 2:  # noqa: PLR2004 - counts stand near the top
        return None
    for key, item in content.items():
        place = f"{path}.{quote_key(key)}" if path else quote_key(key)
        if "".join(words_of(key)) in names and str(item).isdecimal() and not isinstance(item, bool):
            return place, int(item)
        if isinstance(item, dict):
            count = _find_count(item, names, place, depth + 1)
            if count is not None:
                return count
    return None
