"""Reads lists of files: which there are, and which of them a window needs.

A list is a page of links (HTML), JSON, XML, or a text with an address a line. An entry of it is
taken by a pattern and by what stands in it; a time in it says which data its file has.

More than 500 lines, as half of them declare the parameters of a list and say what each means.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from urllib.parse import unquote, urljoin

import msgspec
from msgspec import field as default

from dataportal.plugins.declarative.body import (
    Body,
    BodyParameters,
    Fields,
    read_template,
)
from dataportal.plugins.declarative.json_records import JsonReader
from dataportal.plugins.declarative.pagination import PagingParameters, paginator_of
from dataportal.plugins.declarative.periods import next_period, period_start
from dataportal.plugins.declarative.ranges import Ranges
from dataportal.plugins.declarative.series_extraction import filter_text
from dataportal.plugins.declarative.templates import finest_unit
from dataportal.plugins.declarative.xml_records import XmlReader
from dataportal.plugins.http.content_encoding import MIB
from dataportal.plugins.parameters import (
    Address,
    Duration,
    Parameters,
    Pattern,
    TextOrTexts,
    Zone,
    about,
)
from dataportal.plugins.readers.expressions import ABSENT_FIELD
from dataportal.plugins.readers.parameters import ParameterError, Params
from dataportal.plugins.readers.times import TimeFormat
from dataportal.redaction import harmless
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import tzinfo

    from dataportal.plugins.declarative.ranges import RangeParameters
    from dataportal.plugins.declarative.records import Document
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.times import Window

LINK, TIME = "link", "time"
_TIMES = ("time", "start", "end")
_LISTED = 5
_MAX_BYTES = 16 * MIB
"""A list of some 100,000 files."""
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that a list names.

    Attributes:
        fields: what the list says of it, by name: `link` is its address.
        time: as it stands in the list, or where its data begin; None if the list does not say it.
        start: the earliest time of its data; None if it may be any.
        end: the first time after them.
        state: what the list says of its state, hashed; empty where it says nothing of it.
    """

    fields: Mapping[str, str]
    time: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None
    state: str = ""

    def is_needed(self, start: datetime, end: datetime) -> bool:
        """Whether its data may lie in a range."""
        if self.start is None or self.end is None:
            return True
        return self.start < end and start < self.end


@dataclass(frozen=True, slots=True)
class ListRequest:
    """One request for a list: address, query and body as the client takes them."""

    url: str
    query: Mapping[str, Any]
    body: Mapping[str, Any] | None


class FileList(NamedTuple):
    """A list, or a page of one.

    Attributes:
        url: that was asked.
        answer: what came.
        document: of JSON and XML; None for a page of links and a text.
        row_count: how many entries that has.
    """

    url: str
    answer: Answer
    document: Document | None
    row_count: int


class IndexSettings(Parameters, kw_only=True):
    """A list of files."""

    url: Annotated[Address, about("the address of the list, with fields")]
    query: Annotated[dict[str, TextOrTexts], about("its query")] = default(default_factory=dict)
    form: Annotated[dict[str, TextOrTexts] | None, about("sent to it as a form, by POST")] = None
    json: Annotated[Any, about("or as a document")] = None
    each: Annotated[
        str | dict[str, Any] | None,
        about("a list for each of these periods or values, such as one a `month`"),
    ] = None
    zone: Annotated[
        Zone | None,
        about("the time zone of `each` (UTC), and of times without one (that of the source)"),
    ] = None
    rows: Annotated[
        str, about("where the entries of JSON or XML are (the links of a page, lines of a text)")
    ] = ""
    link: Annotated[str, about("the place of the address in an entry of JSON or XML")] = ""
    name: Annotated[str, about("the place of what `pattern` is looked for in (the address)")] = ""
    pattern: Annotated[
        Pattern | None,
        about(
            "a regular expression that is found in the address of each file to be taken; its named "
            "groups are fields, and `time`, or `start` and `end`, say which data a file has"
        ),
    ] = None
    filter: Annotated[
        dict[str, TextOrTexts], about("what must stand at which place of an entry")
    ] = default(default_factory=dict)
    fields: Annotated[
        dict[str, str], about("names of further fields, with their places in an entry")
    ] = default(default_factory=dict)
    time: Annotated[str, about("the place of the time in an entry, in place of a group")] = ""
    time_format: Annotated[
        str, about("how times are written (ISO 8601); one that says a day stands for all of it")
    ] = ""
    before: Annotated[Duration, about("how far the data of a file reach before its time (0)")] = (
        timedelta()
    )
    after: Annotated[
        Duration | None, about("how far they reach after it (as far as the time that is written)")
    ] = None

    paging: Annotated[
        PagingParameters | None, about("how the list is cut into pages, as that of the source")
    ] = None


class IndexParameters(Parameters):
    """Whether a list names the files."""

    index: Annotated[
        IndexSettings | None,
        about(
            "a list of files, of which the window's are asked for: see "
            "[Index](declarative.md#index)"
        ),
    ] = None


class Index:
    """The list of the files of a source: `IndexSettings`.

    Args:
        settings: what the parameter `index` says.
        params: takes faults.
        now: tells the present.
        ranges: those of the source, of which those of the list have the bounds.

    Attributes:
        paginator: how lists are cut into pages.
    """

    def __init__(
        self,
        settings: IndexSettings,
        params: Params,
        now: Callable[[], datetime],
        ranges: RangeParameters,
    ) -> None:
        self._settings = settings
        ranges = msgspec.structs.replace(ranges, each=settings.each, zone=settings.zone)
        self._ranges = Ranges(params, now, ranges)
        interval = self._ranges.interval
        self._url = read_template(params, "url", settings.url, interval)
        self._query = Fields(params, "query", settings.query, interval)
        body = BodyParameters(form=settings.form, json=settings.json)
        self._body = Body.read(params, interval, body)
        self._rows, self._link = settings.rows, settings.link
        self._name, self._time = settings.name, settings.time
        self._pattern = settings.pattern
        self._filter = {
            place: [filter_text(text) for text in (texts if isinstance(texts, list) else [texts])]
            for place, texts in settings.filter.items()
        }
        self._places = settings.fields
        self._format = TimeFormat()
        try:
            self._format = TimeFormat(settings.time_format)
        except ValueError as error:
            params.add_fault(f"time_format {error}")
        self._unit = finest_unit(settings.time_format)
        self._json = JsonReader(Params({"rows": self._rows or "@"}), ".")
        self._xml = XmlReader(Params({"rows": self._rows or "."}), ".")
        self.paginator = paginator_of(settings.paging, params)
        if self.paginator.follows_other_hosts:
            params.add_fault("paging.other_hosts is not for a list", "paging", "other_hosts")
        self._check(params)
        self.names = frozenset({LINK, TIME, *self._groups, *self._places})

    @classmethod
    def read(
        cls,
        params: Params,
        now: Callable[[], datetime],
        *,
        base_url: str,
        ranges: RangeParameters,
    ) -> Index | None:
        """The list that the parameters of a source describe; None where there is none."""
        settings = params.read(IndexParameters).index
        if settings is None:
            return None
        if base_url and "://" not in settings.url:
            settings.url = f"{base_url.rstrip('/')}/{settings.url.lstrip('/')}"
        inside = Params({})
        index = cls(settings, inside, now, ranges)
        try:
            inside.finish()
        except ParameterError as error:
            for keys, message in error.faults:
                params.add_fault(f"index.{message}", "index", *keys)
        return index

    @property
    def address_fields(self) -> frozenset[str]:
        """The names of the fields that the extract_filter of each series fills in."""
        body = [] if self._body is None else self._body.templates
        templates = (self._url, *self._query.templates, *body)
        return frozenset().union(*(template.names for template in templates)) - self._ranges.names

    @property
    def has_times(self) -> bool:
        """Whether an entry says which data its file has."""
        return bool(self._time) or not {"time", "start"}.isdisjoint(self._groups)

    def requests(self, window: Window, names: Mapping[str, Any]) -> Iterator[ListRequest]:
        """The requests for the lists of a window, earliest first."""
        for start, end in self._ranges.of(window):
            for fields in self._ranges.values(names):
                body = None
                if self._body is not None:
                    body = {self._body.kind: self._body.fill(start, end, fields)}
                yield ListRequest(
                    self._url.fill(start, end, fields), self._query.fill(start, end, fields), body
                )

    def open(self, url: str, answer: Answer) -> FileList:
        """A list, or a page of one.

        Raises:
            BadDataError: it is none, or it is cut short without a word in sources.yaml.
        """
        if len(answer.body) > _MAX_BYTES:
            raise answer.bad(f"is larger than {_MAX_BYTES // MIB} MiB, and no list of files")
        document, count = None, 0
        if self._rows and not answer.has_no_content:
            is_xml = answer.body.lstrip()[:1] == b"<" and not answer.is_page
            document = (self._xml if is_xml else self._json).read(answer)
            if document is not None:
                count = len(document.records(self._rows))
                is_cut = is_xml and document.find("IsTruncated") == "true"
                if is_cut and not self.paginator.parameter:
                    raise answer.bad(
                        "is only the beginning of the list (IsTruncated)",
                        hint="Say under index how it goes on: paging: {cursor: continuation-token, "
                        "from: NextContinuationToken}",
                    )
        return FileList(url, answer, document, count)

    def needed_entries(
        self, lists: Sequence[FileList], window: Window, zone: tzinfo | None
    ) -> list[Entry]:
        """The files that a window needs, in the order of their times.

        Args:
            lists: all of them.
            window: what is asked for.
            zone: of the source.

        Raises:
            BadDataError: one of them is no list, or no entry is as described.
        """
        found: dict[tuple[tuple[str, str], ...], Entry] = {}
        for page in lists:
            for raw in self._entries(page):
                entry = self._with_times(raw, self._settings.zone or zone or UTC, page.answer)
                found.setdefault(tuple(sorted(entry.fields.items())), entry)
        self._check_any(lists, found)
        start, end = self._ranges.bounds(window)
        needed = [entry for entry in found.values() if entry.is_needed(start, end)]
        latest = datetime.max.replace(tzinfo=UTC)
        return sorted(needed, key=lambda entry: (entry.time or latest, entry.fields[LINK]))

    @property
    def _groups(self) -> frozenset[str]:
        return frozenset(self._pattern.groupindex if self._pattern else ())

    def _check(self, params: Params) -> None:
        """Note what does not go together."""
        given = self._settings
        if self._time and "time" in self._groups:
            params.add_fault("time: give a place or a group of that name in pattern, not both")
        if {"start", "end"} & self._groups and not {"start", "end"} <= self._groups:
            params.add_fault("pattern needs both of the groups start and end", "pattern")
        if {"start", "time"} <= self._groups or (self._time and "start" in self._groups):
            params.add_fault("pattern: give a time, or start and end", "pattern")
        for name in () if self.has_times else ("time_format", "before", "after"):
            if getattr(given, name):
                params.add_fault(f"{name} needs a time: a place, or a group in pattern", name)
        if self._rows:
            self._check_places(params)
            return
        for name in ("name", "link", "time", "filter", "fields"):
            if getattr(given, name):
                params.add_fault(f"{name} is for entries of JSON and XML, which rows finds", name)

    def _check_places(self, params: Params) -> None:
        """Note places that neither JSON nor XML can have."""
        if not (self._link or self._name or self._places):
            params.add_fault("link is missing: the place of the address in an entry", "link")
        for place in (self._rows, *self._all_places):
            faults = []
            for reader in (self._json, self._xml):
                try:
                    (reader.check_rows if place == self._rows else reader.check_field)(place)
                except ValueError as error:
                    faults.append(str(error))
            if len(faults) > 1:
                params.add_fault(f"{faults[0]}; {faults[1]}", "rows")

    def _entries(self, page: FileList) -> Iterator[Entry]:
        """The entries of a list that are as described."""
        for raw in self._raw_entries(page):
            entry = self._take(raw, page)
            if entry is not None:
                yield entry

    def _check_any(self, lists: Sequence[FileList], found: Collection[object]) -> None:
        """Raise a BadDataError if no list has an entry as described, while there are some."""
        filled = [page for page in lists if not page.answer.has_no_content]
        if found or not filled:
            return
        seen = [
            harmless(raw.name or raw.link, 100)
            for page in filled
            for raw in islice(self._raw_entries(page), _LISTED)
        ]
        answer = filled[0].answer
        if not seen:
            if self._rows:
                return
            raise answer.bad("has no link to a file")
        asked = f"{self._pattern.pattern!r} is found in" if self._pattern else "is as filter says"
        raise answer.bad(f"names no file that {asked}, but {', '.join(seen[:_LISTED])}, …")

    def _raw_entries(self, page: FileList) -> Iterator[_RawEntry]:
        answer = page.answer
        if answer.has_no_content:
            return iter(())
        if self._rows:
            return self._rows_of(page.document)
        start = answer.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        if start in (b"{", b"["):
            raise answer.bad("is JSON, and index.rows does not say where its entries are")
        return _html_entries(answer) if start == b"<" else _text_entries(answer)

    def _rows_of(self, document: Document | None) -> Iterator[_RawEntry]:
        """The entries of JSON or XML."""
        if document is None:
            return
        records = document.records(self._rows)
        columns = {place: records.column(place) for place in self._all_places}

        def text(place: str, number: int) -> str:
            cell = columns[place][number] if place else ""
            return "" if cell is ABSENT_FIELD else filter_text(cell)

        for number in range(len(records)):
            row = records.row(number)
            state = row if isinstance(row, bytes) else json.dumps(row, sort_keys=True, default=str)
            says_more = isinstance(row, bytes) or (isinstance(row, Mapping) and len(row) > 1)
            yield _RawEntry(
                text(self._link, number),
                text(self._name, number),
                str(state) if says_more else "",
                partial(text, number=number),
            )

    @property
    def _all_places(self) -> set[str]:
        named = {self._link, self._name, self._time} - {""}
        return {*named, *self._filter, *self._places.values()}

    def _take(self, raw: _RawEntry, page: FileList) -> Entry | None:
        """The entry; None if it is not as described."""
        for place, texts in self._filter.items():
            if raw.find(place).strip() not in texts:
                return None
        link = urljoin(page.url, raw.link.strip()) if raw.link or not self._rows else ""
        fields = {LINK: link}
        if self._pattern is not None:
            match = self._pattern.search(raw.name or unquote(link))
            if match is None:
                return None
            fields |= {name: text or "" for name, text in match.groupdict().items()}
        for name, place in self._places.items():
            fields[name] = raw.find(place)
            if not fields[name]:
                raise page.answer.bad(f"has an entry with nothing at {place!r}: {raw.name or link}")
        if self._time:
            fields[TIME] = raw.find(self._time)
        state = ""
        if raw.state:
            state = hashlib.sha256(f"{link}\n{raw.state}".encode()).hexdigest()[:32]
        return Entry(fields, state=state)

    def _with_times(self, entry: Entry, zone: tzinfo, answer: Answer) -> Entry:
        """The entry with its times, as instants."""
        if not self.has_times:
            return entry
        fields = entry.fields
        is_range = "start" in self._groups
        first, _ = self._period(fields["start" if is_range else TIME], zone, answer)
        last = self._period(fields["end"], zone, answer) if is_range else None
        after = self._period(fields[TIME], zone, answer)[1] if last is None else last[1]
        reach = self._settings.after
        if reach is not None:
            after = (first if last is None else last[1]) + reach
        # of data that may be revised, the file that reaches further is the newer one
        time = first if last is None else last[0]
        return Entry(
            {**fields, TIME: iso(time)},
            time=time,
            start=first - self._settings.before,
            end=after,
            state=entry.state,
        )

    def _period(self, text: str, zone: tzinfo, answer: Answer) -> tuple[datetime, datetime]:
        """The beginning of what a time stands for, and its end."""
        read = self._format.read(text)
        if isinstance(read, str):
            raise answer.bad(f"has a file whose time is {text!r}, which index.time_format is not")
        local = (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(zone)
        unit = self._unit or ("day" if len(text) <= len("2025-01-01") else "second")
        return local.astimezone(UTC), next_period(period_start(local, unit), unit).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class _RawEntry:
    """An entry as the list has it.

    Attributes:
        link: the address, which may be relative.
        name: what the pattern is looked for in; empty for the address.
        state: what the list says further; empty where that tells nothing of a state.
        find: the text at a place of the entry; empty where there is none.
    """

    link: str
    name: str = ""
    state: str = ""
    find: Callable[[str], str] = field(default=lambda _: "", repr=False)


def _html_entries(answer: Answer) -> Iterator[_RawEntry]:
    # the table of entities takes longer to import than all of this
    from dataportal.plugins.declarative.html_links import page_links

    base, links = page_links(answer.text())
    for link in links:
        # a time and a size stand before the link, or after it
        state = f"{link.before}\n{link.after}"
        yield _RawEntry(urljoin(base, link.address), state=state if _DIGIT.search(state) else "")


def _text_entries(answer: Answer) -> Iterator[_RawEntry]:
    for line in answer.text().splitlines():
        if line.strip():
            yield _RawEntry(line.strip().strip('"'))
