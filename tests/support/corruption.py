"""Fuzzing: spoils texts and documents as providers, editors and wires do.

What `mangle` makes is near to a good text: bytes changed, cut or doubled, words replaced by words
that are awkward elsewhere, and for JSON also parts taken out, doubled or put in place of others.
The same chance gives the same.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

AWKWARD = [
    *(
        "",
        "0",
        "-1",
        "-0.0",
        "1_000",
        "1,5",
        "1.5.2",
        "0x10",
        "1e400",
        "-1e-400",
        "1e5",
        "+7",
        " 7 ",
    ),
    *(
        "NaN",
        "Infinity",
        "null",
        "None",
        "true",
        "\u0661\u0662",
        "9" * 400,
        "1" + "0" * 40,
        "½",
        "\u066b5",
    ),
    *("2025-13-01", "2025-02-30T00:00Z", "0000-00-00", "9999-12-31T23:59:59.999999Z", "24:00"),
    *(
        "0001-01-01T00:00:00+14:00",
        "2025-03-30T02:30",
        "2025-W01",
        "253402300800000",
        "-62135596801",
    ),
    *(
        "\u0000",
        "\ufeff",
        "\u202e",
        "\x1b[31m",
        "<",
        "&amp;",
        "&x;",
        "]]>",
        "'",
        '"',
        "\\",
        "\\u0000",
    ),
    *(
        "a" * 5000,
        "[" * 2000,
        "{}",
        "[]",
        "<a>" * 500,
        "%s",
        "${X}",
        "*a",
        "&a",
        "!!python/x",
        "?",
        "- ",
    ),
]
_WORD = re.compile(r"[\w.+:/-]+")
_LEAVES: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 10**30, -0.0, [], {}, [None], {"a": 1}, [[[]]], "x"),
    *AWKWARD[:-12],
]


def mangle(body: bytes, chance: Random) -> bytes:
    """A body near to this one, and now and then the same."""
    ways = [_bytes, _words, _words]
    try:
        json.loads(body)
    except ValueError:
        pass
    else:
        ways += [_parts] * 3
    once = chance.choice(ways)(body, chance)
    return chance.choice([once, once, once, _words(once, chance), _bytes(once, chance), body])


def numbers_in(body: bytes) -> set[float]:
    """Every number that anybody could read in it, with a point or a comma for decimals."""
    text = body.decode("utf-8", "replace")
    return {
        float(number.replace(",", "."))
        for mark in (r"\.", ",")
        for number in re.findall(
            rf"[+-]?(?:\d+(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?", text, re.ASCII
        )
    }


def _bytes(body: bytes, chance: Random) -> bytes:
    at = chance.randint(0, len(body))
    length = chance.choice([0, 1, 2, 7, len(body)])
    middle = chance.choice([chance.randbytes(chance.randint(0, 4)), body[at : at + length] * 2])
    return body[:at] + middle + body[at + length :]


def _words(body: bytes, chance: Random) -> bytes:
    text = body.decode("utf-8", "surrogateescape")
    spans = [word.span() for word in _WORD.finditer(text)] or [(0, 0)]
    first, last = chance.choice(spans)
    return (text[:first] + chance.choice(AWKWARD) + text[last:]).encode("utf-8", "surrogateescape")


def _parts(body: bytes, chance: Random) -> bytes:
    root = [json.loads(body)]
    for _ in range(chance.randint(1, 3)):
        slots = list(_slots(root))
        holder, key = chance.choice(slots)
        deed = chance.choice(["replace", "replace", "remove", "double", "move"])
        if deed == "remove" and holder is not root:
            del holder[key]
        elif deed == "double" and isinstance(holder, list):
            holder.insert(key, holder[key])
        elif deed == "move":
            other, name = chance.choice(slots)
            holder[key] = json.loads(json.dumps(other[name]))
        else:
            holder[key] = json.loads(json.dumps(chance.choice(_LEAVES)))
    return json.dumps(root[0]).encode()


def _slots(holder: Any) -> Iterator[tuple[Any, Any]]:
    items = holder.items() if isinstance(holder, dict) else enumerate(holder)
    for key, value in items:
        yield holder, key
        if isinstance(value, dict | list):
            yield from _slots(value)
