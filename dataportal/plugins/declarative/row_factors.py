"""Multiplies numbers by what their rows say: a power of ten, decimals, a factor, a unit."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import field as default

from dataportal.plugins.declarative.records import TRUNCATED_ROW
from dataportal.plugins.declarative.series_extraction import filter_text
from dataportal.plugins.parameters import Column, Parameters, about
from dataportal.plugins.readers.expressions import ABSENT_FIELD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.plugins.readers.numbers import NumberFormat

FACTORS = ("power_of_ten", "decimals", "factor", "unit")
"""The parameters that name a place; one of them at most."""
_LARGEST_POWER = 30


class FactorParameters(Parameters):
    """What numbers are multiplied by."""

    scale: Annotated[float | None, about("the number is multiplied by this")] = None
    power_of_ten: Annotated[
        Column | None, about("the place of the power of ten that the number is multiplied by")
    ] = None
    decimals: Annotated[
        Column | None, about("the place of the number of its digits that are decimals")
    ] = None
    factor: Annotated[
        Column | None, about("the place of a factor that the number is multiplied by")
    ] = None
    unit: Annotated[Column | None, about("the place of its unit; see `factors`")] = None
    factors: Annotated[dict[str, float], about("what numbers are multiplied by, by their unit")] = (
        default(default_factory=dict)
    )

    @property
    def place_of_factors(self) -> str | int | None:
        """Where each row says what its number is multiplied by; None if it does not."""
        return next((place for key in FACTORS if (place := getattr(self, key)) is not None), None)


def scale_values(
    factors: FactorParameters,
    cells: Sequence[Any],
    beside: Sequence[Any] | None,
    numbers: NumberFormat,
) -> list[Any]:
    """Numbers, multiplied and rounded once; texts, for the run to refuse, for what cannot be.

    Args:
        factors: what they are multiplied by.
        cells: the numbers as they are written.
        beside: what each row says of them.
        numbers: how they are written.
    """
    fixed = Decimal(1) if factors.scale is None else Decimal(repr(factors.scale))
    texts = [""] * len(cells) if beside is None else [_text(cell) for cell in beside]
    known = {text: _factor(factors, text) for text in {*texts}}
    products: list[Any] = []
    for cell, text in zip(cells, texts, strict=True):
        is_there = cell is not ABSENT_FIELD and cell is not TRUNCATED_ROW
        number = numbers.value(cell) if is_there else cell
        if isinstance(number, int | float) and not isinstance(number, bool):
            factor = known[text]
            if factor is None:
                number = f"{number} beside {text!r}, by which nothing can be multiplied"
            else:
                number = _product(number, factor * fixed)
        products.append(number)
    return products


def _text(cell: Any) -> str:
    return "" if cell is TRUNCATED_ROW else filter_text(cell)


def _factor(factors: FactorParameters, text: str) -> Decimal | None:
    """The factor that a text stands for; None if it stands for none."""
    if factors.place_of_factors is None:
        return Decimal(1)
    if factors.unit is not None:
        return Decimal(repr(factors.factors[text])) if text in factors.factors else None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if factors.factor is not None:
        return number if number.is_finite() else None
    if not number.is_finite() or number % 1 or abs(number) > _LARGEST_POWER:
        return None
    return Decimal(1).scaleb(int(number) if factors.decimals is None else -int(number))


def _product(number: float, factor: Decimal) -> float:
    """The number times the factor; what is not finite stays as it is."""
    decimal = Decimal(repr(number))
    return float(decimal * factor) if decimal.is_finite() else number
