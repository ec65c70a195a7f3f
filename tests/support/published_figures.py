"""Figures that providers published, as public recordings have them, laid out as files of our own.

Only the figures are taken over; each says where it was recorded. The file that a provider sends is
made of them here, so that what is compared is what the plugin makes of it, value for value.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple


class Figures(NamedTuple):
    """Values of intervals that follow each other.

    Attributes:
        recorded: where.
        start: where the first interval begins.
        step: how long they are.
        values: of each.
    """

    recorded: str
    start: datetime
    step: timedelta
    values: list[float]

    @property
    def points(self) -> dict[str, float]:
        """The values by the begin of their intervals, as texts in UTC."""
        return {
            f"{self.start + n * self.step:%Y-%m-%dT%H:%M:%SZ}": value
            for n, value in enumerate(self.values)
        }


def _figures(recorded: str, start: str, step: timedelta, values: str) -> Figures:
    begin = datetime.fromisoformat(start).replace(tzinfo=UTC)
    return Figures(recorded, begin, step, [float(value) for value in values.split()])


_HOUR, _QUARTER = timedelta(hours=1), timedelta(minutes=15)
PRICES = {
    # two days of hours, the second with the highest prices of that winter
    "DE-LU": _figures(
        "Akkudoktor-EOS/EOS, tests/testdata/elecpriceforecast_energycharts.json",
        "2024-12-09T23:00",
        _HOUR,
        """
            92.85 89.33 86.5 83.7 87.21 89.07 112.06 135.18 169.76 182.14 184.75 186.5
            180.62 190.78 189.41 197.64 200.18 202.38 181 180.17 166.6 151.15 137.94 121.37
            115.94 108.22 107.31 106.17 108.69 125.31 163.42 295.5 368.97 377.12 348.64
            379.99 385.87 404.91 371.96 380.94 437.87 445.08 359.92 341.25 206.82 171.2 150
            135.96
        """,
    ),
    # the 9th of October 2026, a day of quarters of an hour
    "AT": _figures(
        "Binda5000/BindaEMS, tests/fixtures/energycharts_at_2026-10-09.json",
        "2026-10-08T22:00",
        _QUARTER,
        """
            154.5 148.27 146.05 145.28 172.72 161.04 148.91 141.39 161.01 147.63 154.56
            161.01 135.07 161.0 161.06 187.24 130.0 148.65 184.68 208.94 125.02 161.04
            161.05 198.3 189.3 214.73 231.92 241.35 225.19 229.89 223.1 214.7 231.92 216.95
            205.0 161.09 253.77 220.31 201.44 197.44 172.18 166.05 161.09 161.01 218.72
            219.99 213.15 231.9 212.8 201.5 191.18 196.69 199.46 206.78 203.0 193.04 195.08
            199.39 199.6 193.68 128.0 151.23 161.06 231.91 144.72 217.45 254.95 266.53
            200.01 218.87 229.14 231.98 223.11 223.1 230.0 223.1 219.33 217.59 222.01 221.07
            252.43 231.9 222.6 175.84 231.99 221.12 206.8 199.98 230.41 227.7 203.31 198.32
            240.0 231.99 213.76 161.08
        """,
    ),
    # and the two days after it, in one answer
    "AT, two days": _figures(
        "Binda5000/BindaEMS, docs/verification/preise-energy_charts-2026-10-10.json",
        "2026-10-09T22:00",
        _QUARTER,
        """
            210.54 191.47 234.58 223.26 220.86 213.39 195.89 175.87 189.15 188.98 188.82
            190.43 179.74 202.22 188.16 175.01 184.99 177.52 196.51 185.01 213.39 196.67
            217.92 231.83 200.57 227.16 206.08 231.84 220.27 249.81 246.01 214.34 231.96
            249.81 206.48 195.66 244.19 199.69 207.89 209.42 204.45 220.97 213.39 208.41
            217.78 213.39 214.94 210.47 212.71 191.56 185.02 187.24 201.19 204.86 206.38
            205.0 197.95 182.54 194.99 176.59 178.0 196.04 209.99 224.28 197.63 231.92 250.0
            250.0 228.17 229.28 235.24 239.1 225.25 230.79 231.95 243.73 228.91 231.9 216.79
            199.96 254.9 228.59 211.58 170.31 231.99 211.58 187.34 161.78 217.29 184.42
            153.67 140.54 216.66 180.55 165.84 144.93 220.05 176.67 212.28 199.32 207.83
            201.72 177.62 174.03 200.63 191.43 189.39 174.95 188.51 175.57 174.1 174.05
            177.54 180.01 174.06 176.66 154.65 174.06 188.68 195.01 188.26 186.22 196.11
            190.61 198.19 182.3 188.58 166.03 215.48 190.2 174.91 168.16 195.53 186.1 164.59
            165.82 171.93 178.62 164.0 149.34 157.23 182.5 173.01 154.71 152.73 122.29
            104.29 106.67 84.99 61.88 14.87 18.94 67.68 63.04 66.57 46.53 81.83 88.49 94.66
            107.25 100.87 146.46 191.08 242.45 157.85 192.24 218.66 243.9 216.93 228.39
            228.8 241.47 223.63 234.01 239.92 241.59 236.73 234.15 231.7 217.99 225.52
            215.61 212.34 217.02 214.47 210.08 209.99 200.65 208.66 199.61 191.46 174.09
        """,
    ),
}
"""Day-ahead prices by Energy-Charts, in EUR/MWh."""

INTERCHANGE = {
    ("FPC", "FPL"): _figures(
        "electricitymaps/electricitymaps-contrib, mocks/EIA/US-FLA-FPC_US-FLA-FPL_exchange.json",
        "2020-01-06T05:00",
        _HOUR,
        """
            -329 -323 -375 -372 -394 -349 -451 -679 -620 -540 -489 -478 -501 -492 -460 -418
            -314 -360 -351 -300 -281 -320 -342 -341 -368
        """,
    ),
    ("FPC", "NSB"): _figures(
        "electricitymaps/electricitymaps-contrib, mocks/EIA/US-FLA-FPC_US-FLA-NSB_exchange.json",
        "2020-01-06T05:00",
        _HOUR,
        """
            16 17 16 17 17 21 27 28 20 17 18 16 16 14 14 11 7 8 8 10 11 9 6 7 4
        """,
    ),
    ("SWPP", "SPC"): _figures(
        "electricitymaps/electricitymaps-contrib, mocks/EIA/US-NW-BPAT-US-NW-NWMT-exchange.json",
        "2022-02-28T22:00",
        _HOUR,
        "-12 -11 -2",
    ),
}
"""Interchange between balancing authorities by EIA, in MWh: positive from the first to the second.
EIA names an hour by its end: the first one of these 2020-01-06T06."""

GENERATION = {
    ("FUELHH", "BIOMASS"): ("2026-05-06T02:30:00Z", "2026-05-06T03:00:00Z", 2821.0),
    ("FUELHH", "CCGT"): ("2026-05-06T02:30:00Z", "2026-05-06T03:00:00Z", 7729.0),
    ("FUELINST", "BIOMASS"): ("2026-05-06T02:55:00Z", "2026-05-06T03:00:00Z", 2712.0),
    ("FUELINST", "CCGT"): ("2026-05-06T02:55:00Z", "2026-05-06T03:00:00Z", 7527.0),
}
"""Begin, time of publication and MW of generation by Elexon, as captured on 2026-05-08 (EBentham's
pages about its data sets FUELHH and FUELINST)."""

BORDERS_OF_CALIFORNIA = {
    "2024-01-21T19:00:00Z": {"AZPS": 979, "BANC": -1186, "BPAT": -845, "IID": 365, "LDWP": -329},
    "2024-02-03T07:00:00Z": {"IID": 249, "LDWP": 695, "NEVP": 1060, "PACW": 36, "TIDC": 20},
}
"""Interchange with CISO by EIA in MWh, by the begin of the hour and the balancing authority that it
is positive from (gridstatus/gridstatus, docs/Examples/EIA/Interchange Data.ipynb)."""

HOURS_OF_FUELS = {
    # by hours that EIA names in the zone of the authority: Arizona has no daylight saving time
    "SRP NUC": (
        {"2023-03-19T23-07": 4000.0, "2023-03-20T00-07": 3998.0},
        {"2023-03-20T05:00:00Z": 4000.0, "2023-03-20T06:00:00Z": 3998.0},
    ),
    "CAL COL": ({"2024-10-24T15": 552.0}, {"2024-10-24T14:00:00Z": 552.0}),
}
"""Net generation by EIA in MWh: as its answers name the hours, and when those begin (examples in
public code that asks for fuel-type-data)."""
