"""What providers really answered is read whole, value for value; how much that is, is counted.

Each is worked out once more by something that shares nothing with our readers. The recordings lie
beside the checkout; where they are not at hand, what needs them is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.declarative_sources import fetch
from support.http_server import Reply
from support.manual import HOME
from support.real_answer import FIGURES, count_figures
from support.real_answers import ANSWERS
from support.recordings import RECORDINGS, recording

from dataportal.errors import FetchError

if TYPE_CHECKING:
    from support.http_server import LocalServer

ENOUGH_FIGURES, ENOUGH_ANSWERS = 200, 3
ERROR = "worldbank/error_120_http200.json"
NO_ANSWER = {"MANIFEST.md", ERROR}
"""Files that hold no values: what they are about, and an error."""
_COMPARED = re.compile(r"^\| compared with \| (.*) \|$", re.MULTILINE)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_value_of_a_real_answer_is_read(server: LocalServer, name: str) -> None:
    """Those that something else works out from the same answer, and no others."""
    answer = ANSWERS[name]
    for file in answer.recordings:
        recording(file)
    expected = answer.expected()
    values = answer.read(server)
    assert values.keys() == expected.keys()
    for series, own in expected.items():
        assert values[series] == own, series


def _read(server: LocalServer, name: str) -> dict[str, list[float]]:
    """The numbers of each series of a real answer, as our reader has them."""
    for file in ANSWERS[name].recordings:
        recording(file)
    return {
        series: [value for value in own.values() if value is not None]
        for series, own in ANSWERS[name].read(server).items()
    }


def test_flows_that_leave_great_britain_are_negative(server: LocalServer) -> None:
    """And nothing else is: that evening power came from France, and went to Ireland."""
    values = _read(server, "elexon FUELINST of 2024")
    assert {fuel[:3] for fuel, own in values.items() if min(own) < 0} == {"INT"}
    assert max(values["INTFR"]) > 0


@pytest.mark.parametrize(("area", "least", "most"), [("DK1", 2000, 4000), ("DK2", 1000, 3000)])
def test_exchanges_of_denmark_are_positive_for_imports(
    server: LocalServer, area: str, least: int, most: int
) -> None:
    """With them production makes the load of each half of the country, which is never far off."""
    values = _read(server, f"energi-data-service {area}")
    # the exchange of Bornholm is part of that with Sweden
    parts = [own for name, own in values.items() if own and name != "BornholmSE4"]
    loads = [sum(numbers) for numbers in zip(*parts, strict=True)]
    assert loads
    assert least < min(loads) <= max(loads) < most


def test_pumping_of_france_is_negative_and_so_are_its_exports(server: LocalServer) -> None:
    """In a night with 34 GW of nuclear power and wind, and 36 GW of consumption."""
    values = _read(server, "eco2mix real-time-2023-09-21")
    assert max(values["pompage"]) <= 0 > min(values["pompage"])
    assert values["ech_physiques"][0] < -10_000 < 0 < values["nucleaire"][0]
    for name in ("eco2mix definitive-2023-01-01", "eco2mix consolidated-2024-01-01"):
        assert max(_read(server, name)["pompage"]) <= 0


def test_what_is_charged_is_negative(server: LocalServer) -> None:
    """Net generation by EIA of a plant that stands still, and storage in Belgium."""
    assert _read(server, "eia generation") == {"it": [-3.0]}
    assert max(_read(server, "elia generation")["Energy Storage"]) < 0


def test_every_recording_is_read() -> None:
    """A file that is new in the folder needs an answer in the list, or it tells nothing."""
    recording("MANIFEST.md")
    files = {
        file.relative_to(RECORDINGS).as_posix() for file in RECORDINGS.rglob("*") if file.is_file()
    }
    assert files
    of_answers = {file for answer in ANSWERS.values() for file in answer.recordings}
    assert files == of_answers | NO_ANSWER


def test_the_recorded_error_is_one(server: LocalServer) -> None:
    """The World Bank's error under HTTP 200, with its reason."""
    url = server.answer("/data", Reply(body=recording(ERROR), content_type="application/json"))
    error = "[0].message[0].value"
    with pytest.raises(FetchError, match="The provided parameter value is not valid"):
        fetch("Json", url=url, rows="[1]", ts="date", value="value", error=error)


def test_every_file_of_figures_is_read() -> None:
    """And says where its figures were recorded."""
    text = "".join(
        file.read_text(encoding="utf-8")
        for file in (FIGURES.parent / "support").glob("*real_answers.py")
    )
    for file in FIGURES.glob("*.csv"):
        assert f'"{file.stem}"' in text, file
        second = file.read_text(encoding="utf-8").splitlines()[1]
        assert second.startswith("# as recorded in "), file


def test_each_page_says_with_how_much_its_provider_was_compared() -> None:
    """Two hundred figures of three real answers at least; where they could not be had, it says so.

    Figures are counted as they are compared: one by one.
    """
    recording("MANIFEST.md")
    figures: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    for answer in ANSWERS.values():
        figures[answer.provider] += answer.is_counted * count_figures(answer.expected())
        answers[answer.provider] += answer.is_counted * answer.answers
    pages = {page.stem: page.read_text(encoding="utf-8") for page in HOME.glob("providers/*.md")}
    assert set(figures) == set(pages)
    for provider, page in pages.items():
        count, number = figures[provider], answers[provider]
        match = _COMPARED.search(page)
        if provider == "csv":
            assert match is None  # tables of anybody
            assert count >= ENOUGH_FIGURES
            continue
        assert match, provider
        if count:
            noun = "answer" if number == 1 else "answers"
            assert match[1].startswith(f"{count:,} figures of {number} real {noun}"), provider
        if count < ENOUGH_FIGURES or number < ENOUGH_ANSWERS:
            assert re.search("could (not )?be had", match[1]), provider
