"""Reads JSON-stat, versions 1.x and 2.0, as a cube.

Format: https://json-stat.org/full/. A dataset has `id` and `size` of its dimensions (in 1.x inside
`dimension`), the categories of each by code, and the values of all cells in row-major order: a
list, or an object by position that leaves out cells without a value.
"""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

from dataportal.plugins.declarative.cubes import (
    TIME_FIELD,
    VALUE_FIELD,
    Cube,
    CubeRecords,
    first_texts,
    is_time_name,
    open_dimension,
    unknown_code,
    unknown_dimension,
)
from dataportal.plugins.readers.expressions import ABSENT_FIELD
from dataportal.plugins.readers.periods import read_period
from dataportal.redaction import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.plugins.declarative.cubes import Conditions
    from dataportal.plugins.http.response import Answer

_MOST_CELLS = 20_000_000
"""A sparse answer of more cells than that is looked up cell by cell."""
_STATUS = "status"


class JsonStatCube(Cube):
    """A dataset of JSON-stat.

    Args:
        content: of the answer, or the part of it that is a dataset or has one.
        times: the dimensions of time; none to find the one there is.
        answer: the answer.

    Raises:
        BadDataError: it is no dataset, or one of another size than it says, or without a dimension
            of time; several datasets of which none is chosen.
    """

    def __init__(self, content: Any, times: Sequence[str], answer: Answer) -> None:
        self._answer = answer
        dataset = _dataset(content, answer)
        dimension = dataset["dimension"]
        ids = dataset.get("id", dimension.get("id"))
        sizes = dataset.get("size", dimension.get("size"))
        if not _is_list_of(ids, str) or not _is_list_of(sizes, int) or len(ids) != len(sizes):
            raise answer.bad("is JSON-stat without the id and size of its dimensions")
        self._codes = {
            name: _codes(name, dimension.get(name), size, answer)
            for name, size in zip(ids, sizes, strict=True)
        }
        self._sizes = sizes
        self._strides = [math.prod(sizes[number + 1 :]) for number in range(len(sizes))]
        self._count = math.prod(sizes)
        role = dataset.get("role", dimension.get("role"))
        self._times = self._time_dimensions(times, role)
        values = dataset.get("value")
        self._is_dense = isinstance(values, list) and bool(values)
        self._values = self._cells(values)
        self._status = dataset.get(_STATUS)

    def __len__(self) -> int:
        return len(self._values)

    def select(self, conditions: Conditions) -> CubeRecords:
        """The cells with these codes, in the order of the dataset."""
        self._check_names(conditions)
        chosen: list[range | list[int]] = []
        for name, codes in self._codes.items():
            if name in conditions:
                positions = [n for n, code in enumerate(codes) if code in conditions[name]]
                if not positions:
                    raise self._answer.bad(unknown_code(name, conditions[name], codes))
                chosen.append(positions)
            elif len(codes) > 1 and name not in self._times:
                raise self._answer.bad(open_dimension(name, codes))
            else:
                chosen.append(range(len(codes)))
        cells = self._cell_numbers(chosen)
        axis_number = [*self._codes].index(self._times[0])
        stride, size = self._strides[axis_number], self._sizes[axis_number]
        axis = self._codes[self._times[0]]
        is_whole_axis = len(cells) == size and isinstance(cells, range)
        places: Sequence[int] = (
            range(size) if is_whole_axis else [cell // stride % size for cell in cells]
        )

        def column(name: str) -> Sequence[Any] | None:
            if name == _STATUS:
                return [self._status_of(cell) for cell in cells]
            codes = self._codes.get(name)
            if codes is None:
                return None
            number = [*self._codes].index(name)
            stride, size = self._strides[number], self._sizes[number]
            return [codes[cell // stride % size] for cell in cells]

        values = self._values_of(cells)
        records = CubeRecords(
            axis,
            places,
            values,
            column,
            self._answer,
            is_dense=self._is_dense,
            is_copy=True,
        )
        if _STATUS in conditions and _STATUS not in self._codes:
            records.keep_texts(_STATUS, conditions[_STATUS])
        return records

    def _check_names(self, conditions: Conditions) -> None:
        for name in conditions:
            if name not in self._codes and name != _STATUS:
                raise self._answer.bad(unknown_dimension(name, self._codes))

    def _cell_numbers(self, chosen: Sequence[Sequence[int]]) -> range | list[int]:
        """The numbers of the cells at these positions of each dimension."""
        offset, varying = 0, []
        for positions, stride in zip(chosen, self._strides, strict=True):
            if len(positions) == 1:
                offset += positions[0] * stride
            else:
                varying.append((positions, stride))
        if not varying:
            return range(offset, offset + 1)
        if len(varying) == 1 and isinstance(varying[0][0], range):
            positions, stride = varying[0]
            return range(offset, offset + len(positions) * stride, stride) if positions else []
        steps = [[position * stride for position in of] for of, stride in varying]
        return [offset + sum(cell) for cell in product(*steps)]

    def _values_of(self, cells: range | list[int]) -> list[Any]:
        values = self._values
        if isinstance(values, dict):
            return [values.get(str(cell), ABSENT_FIELD) for cell in cells]
        if isinstance(cells, range):
            part: list[Any] = values[cells.start : cells.stop : cells.step]
            return part
        return [values[cell] for cell in cells]

    def _status_of(self, cell: int) -> Any:
        status = self._status
        if isinstance(status, dict):
            return status.get(str(cell), "")
        if isinstance(status, list) and status:
            return status[cell] if cell < len(status) else status[0] if len(status) == 1 else ""
        return status if isinstance(status, str) else ""

    def _cells(self, values: Any) -> list[Any] | dict[str, Any]:
        """The values of all cells."""
        if isinstance(values, list):
            if len(values) not in {0, self._count}:
                raise self._answer.bad(
                    f"has {len(values)} values, and dimensions of {self._count} cells"
                )
            return values or [ABSENT_FIELD] * self._count
        if not isinstance(values, dict):
            raise self._answer.bad("is JSON-stat without values")
        if self._count > _MOST_CELLS:
            by_position: dict[str, Any] = values
            return by_position
        cells: list[Any] = [ABSENT_FIELD] * self._count
        try:
            for number, value in zip(map(int, values), values.values(), strict=True):
                cells[number] = value
        except (ValueError, IndexError):
            cells_there = {str(number) for number in range(self._count)}
            far = next((n for n in values if n not in cells_there), "")
            raise self._answer.bad(
                f"has a value at {harmless(far, 40)!r}, and dimensions of {self._count} cells"
            ) from None
        return cells

    def _time_dimensions(self, times: Sequence[str], role: Any) -> list[str]:
        named = [name for name in times if name not in {TIME_FIELD, VALUE_FIELD}]
        for name in named:
            if name not in self._codes:
                raise self._answer.bad(unknown_dimension(name, self._codes))
        roles = role.get("time") if isinstance(role, dict) else None
        found = (
            named
            or [name for name in roles or () if name in self._codes]
            or [name for name in self._codes if is_time_name(name)]
            or [name for name, codes in self._codes.items() if _are_periods(codes)]
        )
        if len(found) == 1 or named:
            return found
        reason = "several dimensions of time" if found else "no dimension of time"
        raise self._answer.bad(
            f"has {reason}; the dimensions are {first_texts(found or self._codes)}",
            hint="ts names the dimension of time",
        )


def _dataset(content: Any, answer: Answer) -> dict[str, Any]:
    """The dataset that a document is, or that it has as its only one."""
    if _is_dataset(content):
        return content  # type: ignore[no-any-return]
    members: dict[str, Any] = content if isinstance(content, dict) else {}
    link = members.get("link")
    items = link.get("item") if isinstance(link, dict) else None
    if members.get("class") == "collection" and isinstance(items, list):
        members = {f"link.item[{number}]": item for number, item in enumerate(items)}
    found = {name: member for name, member in members.items() if _is_dataset(member)}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise answer.bad(
            f"has several datasets: {first_texts(found)}", hint="rows names one of them"
        )
    raise answer.bad("is not JSON-stat: it has no dataset")


def _is_dataset(content: Any) -> bool:
    return isinstance(content, dict) and isinstance(content.get("dimension"), dict)


def _codes(name: str, dimension: Any, size: int, answer: Answer) -> list[str]:
    """The codes of a dimension by their position."""
    category = dimension.get("category") if isinstance(dimension, dict) else None
    index = category.get("index") if isinstance(category, dict) else None
    if index is None and isinstance(category, dict):
        index = [*category.get("label", {})]  # of a single category the index may be left out
    if isinstance(index, list) and len(index) == size:
        return [*map(str, index)]
    if isinstance(index, dict) and len(index) == size:
        if [*index.values()] == [*range(size)]:
            return [*index]
        codes = [""] * size
        positions = {position: code for code, position in index.items()}
        if positions.keys() == {*range(size)}:
            for position, code in positions.items():
                codes[position] = code
            return codes
    raise answer.bad(f"has another number of codes of {name!r} than its size {size}")


def _are_periods(codes: Sequence[str]) -> bool:
    try:
        return bool([read_period(code) for code in codes])
    except (ValueError, OverflowError):
        return False


def _is_list_of(items: Any, kind: type) -> bool:
    return isinstance(items, list) and all(type(item) is kind for item in items)
