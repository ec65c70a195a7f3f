"""Replaces `${VAR}` in parameters by environment variables, and remembers secrets to mask."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dataportal.redaction import remember_secret, sounds_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_VARIABLE = re.compile(
    r"\$(?P<escaped>\$(?=\{))|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^}]*)?\}"
)
_LONG_ENOUGH = 8
"""Of a secret whose only sign is its variable's name: shorter ones are switches and numbers."""


class UnsetVariable(LookupError):  # noqa: N818 - says what is wrong
    """A variable without a default is not set; the text is its name."""


def expand(
    value: Any,
    env: Mapping[str, str],
    *,
    keys: tuple[str | int, ...] = (),
    unset: Callable[[tuple[str | int, ...], str], None] | None = None,
) -> Any:
    """The value with every `${VAR}` and `${VAR:-default}` in its texts replaced; `$${` is `${`.

    What comes from a variable, or stands under a key, whose name sounds secret is never shown.

    Args:
        value: of sources.yaml.
        env: the environment.
        keys: those that lead to the value.
        unset: gets the keys and the name of a variable that is not set (or empty) and has no
            default, which then stays as it is.

    Raises:
        UnsetVariable: there is such a variable, and nothing to tell it to.
    """
    if isinstance(value, dict):
        return {k: expand(v, env, keys=(*keys, str(k)), unset=unset) for k, v in value.items()}
    if isinstance(value, list):
        return [
            expand(item, env, keys=(*keys, number), unset=unset)
            for number, item in enumerate(value)
        ]
    if not isinstance(value, str):
        return value
    missing: list[str] = []
    text = _VARIABLE.sub(lambda match: _content(match, env, missing), value)
    for name in missing:
        if unset is None:
            raise UnsetVariable(name)
        unset(keys, name)
    key = next((key for key in reversed(keys) if isinstance(key, str)), "")
    if sounds_secret(key) and not missing:
        remember_secret(text)
    return text


def variable_names(value: Any) -> Iterator[str]:
    """The names of the variables that texts of the value mention, each once."""
    names: dict[str, None] = {}
    pending = [value]
    while pending:
        part = pending.pop(0)
        if isinstance(part, dict):
            pending += part.values()
        elif isinstance(part, list):
            pending += part
        elif isinstance(part, str):
            names |= {m["name"]: None for m in _VARIABLE.finditer(part) if m["name"]}
    yield from names


def _content(match: re.Match[str], env: Mapping[str, str], missing: list[str]) -> str:
    """What a `${VAR}` becomes; one that is not set stays, and is added to `missing`."""
    if match["escaped"]:
        return "$"
    name, default = match["name"], match["default"]
    content = env.get(name) or (None if default is None else default.removeprefix(":-"))
    if content is None:
        missing.append(name)
        return match[0]
    if sounds_secret(name):
        remember_secret(content)
    return content


def remember_secrets_of(env: Mapping[str, str], required: Iterable[str] = ()) -> None:
    """Never show the values of variables whose names sound secret: a plugin may read them itself.

    Args:
        env: the environment.
        required: names of variables that sources require.
    """
    required_names = set(required)
    for name, value in env.items():
        if sounds_secret(name) and (name in required_names or len(value) >= _LONG_ENOUGH):
            remember_secret(value)
