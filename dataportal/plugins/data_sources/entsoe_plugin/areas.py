"""The areas of the European electricity market: names, Energy Identification Codes, time zones.

A code has 16 characters, the last of which checks the others (ENTSO-E, "The Energy Identification
Coding Scheme (EIC) Reference Manual", section 3.3), so that one that was mistyped is found at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

MARKET_ZONE = "Europe/Brussels"
"""The time zone of the days of the European market, unless an area has another."""

_CODE = re.compile(r"[0-9]{2}[A-Z][A-Z0-9-]{13}")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
_BASE = 37


@dataclass(frozen=True, slots=True)
class Area:
    """A bidding zone, control area or country.

    Attributes:
        code: its Energy Identification Code.
        zone: the IANA time zone of its days.
    """

    code: str
    zone: str = MARKET_ZONE


AREAS: dict[str, Area] = {
    "DE-LU": Area("10Y1001A1001A82H", "Europe/Berlin"),
    "DE-AT-LU": Area("10Y1001A1001A63L", "Europe/Berlin"),
    "DE": Area("10Y1001A1001A83F", "Europe/Berlin"),
    "DE-50HERTZ": Area("10YDE-VE-------2", "Europe/Berlin"),
    "DE-AMPRION": Area("10YDE-RWENET---I", "Europe/Berlin"),
    "DE-TENNET": Area("10YDE-EON------1", "Europe/Berlin"),
    "DE-TRANSNETBW": Area("10YDE-ENBW-----N", "Europe/Berlin"),
    "AL": Area("10YAL-KESH-----5", "Europe/Tirane"),
    "AT": Area("10YAT-APG------L", "Europe/Vienna"),
    "BA": Area("10YBA-JPCC-----D", "Europe/Sarajevo"),
    "BE": Area("10YBE----------2", "Europe/Brussels"),
    "BG": Area("10YCA-BULGARIA-R", "Europe/Sofia"),
    "CH": Area("10YCH-SWISSGRIDZ", "Europe/Zurich"),
    "CZ": Area("10YCZ-CEPS-----N", "Europe/Prague"),
    "DK": Area("10Y1001A1001A65H", "Europe/Copenhagen"),
    "DK1": Area("10YDK-1--------W", "Europe/Copenhagen"),
    "DK2": Area("10YDK-2--------M", "Europe/Copenhagen"),
    "EE": Area("10Y1001A1001A39I", "Europe/Tallinn"),
    "ES": Area("10YES-REE------0", "Europe/Madrid"),
    "FI": Area("10YFI-1--------U", "Europe/Helsinki"),
    "FR": Area("10YFR-RTE------C", "Europe/Paris"),
    "GB": Area("10YGB----------A", "Europe/London"),
    "GR": Area("10YGR-HTSO-----Y", "Europe/Athens"),
    "HR": Area("10YHR-HEP------M", "Europe/Zagreb"),
    "HU": Area("10YHU-MAVIR----U", "Europe/Budapest"),
    "IE-SEM": Area("10Y1001A1001A59C", "Europe/Dublin"),
    "IT": Area("10YIT-GRTN-----B", "Europe/Rome"),
    "IT-NORTH": Area("10Y1001A1001A73I", "Europe/Rome"),
    "IT-CENTRE-NORTH": Area("10Y1001A1001A70O", "Europe/Rome"),
    "IT-CENTRE-SOUTH": Area("10Y1001A1001A71M", "Europe/Rome"),
    "IT-SOUTH": Area("10Y1001A1001A788", "Europe/Rome"),
    "IT-CALABRIA": Area("10Y1001C--00096J", "Europe/Rome"),
    "IT-SICILY": Area("10Y1001A1001A75E", "Europe/Rome"),
    "IT-SARDINIA": Area("10Y1001A1001A74G", "Europe/Rome"),
    "LT": Area("10YLT-1001A0008Q", "Europe/Vilnius"),
    "LU": Area("10YLU-CEGEDEL-NQ", "Europe/Luxembourg"),
    "LV": Area("10YLV-1001A00074", "Europe/Riga"),
    "ME": Area("10YCS-CG-TSO---S", "Europe/Podgorica"),
    "MK": Area("10YMK-MEPSO----8", "Europe/Skopje"),
    "NL": Area("10YNL----------L", "Europe/Amsterdam"),
    "NO": Area("10YNO-0--------C", "Europe/Oslo"),
    "NO1": Area("10YNO-1--------2", "Europe/Oslo"),
    "NO2": Area("10YNO-2--------T", "Europe/Oslo"),
    "NO3": Area("10YNO-3--------J", "Europe/Oslo"),
    "NO4": Area("10YNO-4--------9", "Europe/Oslo"),
    "NO5": Area("10Y1001A1001A48H", "Europe/Oslo"),
    "PL": Area("10YPL-AREA-----S", "Europe/Warsaw"),
    "PT": Area("10YPT-REN------W", "Europe/Lisbon"),
    "RO": Area("10YRO-TEL------P", "Europe/Bucharest"),
    "RS": Area("10YCS-SERBIATSOV", "Europe/Belgrade"),
    "SE": Area("10YSE-1--------K", "Europe/Stockholm"),
    "SE1": Area("10Y1001A1001A44P", "Europe/Stockholm"),
    "SE2": Area("10Y1001A1001A45N", "Europe/Stockholm"),
    "SE3": Area("10Y1001A1001A46L", "Europe/Stockholm"),
    "SE4": Area("10Y1001A1001A47J", "Europe/Stockholm"),
    "SI": Area("10YSI-ELES-----O", "Europe/Ljubljana"),
    "SK": Area("10YSK-SEPS-----K", "Europe/Bratislava"),
}
"""By the names that the market uses."""

_BY_CODE = {area.code: area for area in AREAS.values()}


def find_area(text: str) -> Area:
    """The area with a name such as DE-LU or FR, or with an Energy Identification Code.

    Raises:
        ValueError: it is neither a known name nor a code.
    """
    code = text.strip().upper()
    name = code.replace("_", "-")
    if name in AREAS:
        return AREAS[name]
    if _CODE.fullmatch(code):
        if code[-1] == check_character(code[:-1]):
            return _BY_CODE.get(code, Area(code))
        raise ValueError(f"{text!r} is no Energy Identification Code: its last character is wrong")
    near = get_close_matches(name, AREAS, n=1)
    advice = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(AREAS)}"
    raise ValueError(
        f"{text!r} is neither an area known by name nor an Energy Identification Code; {advice}"
    )


def check_character(first: str) -> str:
    """The last character of the code that begins with these fifteen characters."""
    weighted_sum = sum(
        weight * _DIGITS.index(character)
        for weight, character in zip(range(16, 1, -1), first, strict=True)
    )
    return _DIGITS[_BASE - 1 - (weighted_sum - 1) % _BASE]
