"""Searches the files of sources that are shipped, and tells how to include what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from dataportal.config.files import load
from dataportal.config.includes import CATALOGUE, catalogue_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dataportal.config.sources import Source
    from dataportal.series import SeriesDescription


@dataclass(frozen=True, slots=True)
class ShippedSource:
    """A source that could be included, and those of its series that are asked for."""

    source: Source
    series: tuple[SeriesDescription, ...]


@dataclass(frozen=True, slots=True)
class ShippedFile:
    """A file that could be included.

    Attributes:
        name: as `include:` names it.
        sources: those asked for.
        is_whole: whether these are all of its sources.
    """

    name: str
    sources: tuple[ShippedSource, ...]
    is_whole: bool

    @property
    def path(self) -> Path:
        """Where it lies."""
        return CATALOGUE / Path(self.name).name

    @property
    def line(self) -> str:
        """What to write in the list under `include:`."""
        if self.is_whole:
            return f"- {self.name}"
        names = ", ".join(source.source.name for source in self.sources)
        return f"- {{file: {self.name}, only: [{names}]}}"

    def values(self, key: str) -> list[str]:
        """What the metadata of its series say under a key, each text once, in their order."""
        texts: dict[str, None] = {}
        for source in self.sources:
            for series in source.series:
                value = series.metadata.get(key)
                items = value if isinstance(value, list) else [] if value is None else [value]
                texts |= dict.fromkeys(map(str, items))
        return list(texts)


def search_catalogue(
    env: Mapping[str, str], text: str = "", only: Sequence[str] = ()
) -> list[ShippedFile]:
    """The shipped files with what is asked for of them.

    Args:
        env: the environment; only asked which variables are set.
        text: words that must all occur in what is known of a series, in any case.
        only: globs of names and tags of sources.
    """
    words = text.casefold().split()
    files = []
    for name in catalogue_files():
        all_sources = load(Path(name), env, text=f"include: {name}").sources
        sources = tuple(_selection(name, all_sources, words, only))
        if sources:
            files.append(ShippedFile(name, sources, len(sources) == len(all_sources)))
    return files


def _selection(
    file: str, sources: Sequence[Source], words: Sequence[str], only: Sequence[str]
) -> Iterator[ShippedSource]:
    for source in sources:
        names = (source.name, *source.tags)
        if only and not any(fnmatchcase(name, glob) for name in names for glob in only):
            continue
        series = source.series
        if words:
            known = " ".join((file, *names))
            series = tuple(s for s in series if _has_all(f"{known} {_text(s)}", words))
        if series:
            yield ShippedSource(source, series)


def _text(series: SeriesDescription) -> str:
    """All that is known of a series."""
    known = (
        series.endpoint_prefix,
        series.name,
        series.description,
        series.granularity,
        series.unit,
        series.domain,
        series.category,
        series.subcategory,
        *map(str, series.metadata.values()),
    )
    return " ".join(text for text in known if text)


def _has_all(text: str, words: Sequence[str]) -> bool:
    lowered = text.casefold()
    return all(word in lowered for word in words)
