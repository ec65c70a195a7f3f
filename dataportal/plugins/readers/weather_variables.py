"""The variables of Open-Meteo: how long their intervals are, and which end has the stamp."""

from __future__ import annotations

import re
from datetime import timedelta

STEPS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "minutely_15": timedelta(minutes=15),
}
"""How long an interval is, by the block of the answer that a variable stands in."""

_OVER_AN_INTERVAL = re.compile(
    r"\w+_(radiation|irradiance)|sunshine_duration|precipitation(_probability)?|rain|showers"
    r"|snowfall(_water_equivalent)?|(et0_fao_)?evapotranspiration|wind_gusts_10m"
)
_OF_AN_EARLIER_RUN = re.compile(r"_previous_day\d$")


def is_stamped_at_end(block: str, variable: str) -> bool:
    """Whether the variable is stamped with the end of its interval, as the API's manual has it.

    Sums, means and extremes are, except for those of days; what is measured at a moment is not.
    Source: https://open-meteo.com/en/docs, the column "Valid time" of its tables.
    """
    name = _OF_AN_EARLIER_RUN.sub("", variable)
    return block != "daily" and bool(_OVER_AN_INTERVAL.fullmatch(name))
