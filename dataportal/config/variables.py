"""Replaces `${VAR}` in parameters by environment variables, and remembers secrets to mask."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dataportal.redaction import remember_secret, sounds_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_VARIABLE = re.compile(
    r"\$(?P<escaped>\$(?=\{))|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^}]*)?\}"
)
_LONG_ENOUGH = 8
"""Of a secret whose only sign is its variable's name: shorter ones are switches and numbers."""


class UnsetVariable(LookupError):  # noqa: N818 - says what is wrong
    """A variable without a default is not set; the text is its name."""


def expand(value: Any, env: Mapping[str, str], *, key: str = "") -> Any:
    """The value with every `${VAR}` and `${VAR:-default}` in its texts replaced; `$${` is `${`.

    What comes from a variable, or stands under a key, whose name sounds secret is never shown.

    Raises:
        UnsetVariable: a variable is not set (or empty) and has no default.
    """
    if isinstance(value, dict):
        return {k: expand(v, env, key=str(k)) for k, v in value.items()}
    if isinstance(value, list):
        return [expand(item, env, key=key) for item in value]
    if not isinstance(value, str):
        return value

    def replacement(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        name, default = match["name"], match["default"]
        content = env.get(name) or (None if default is None else default.removeprefix(":-"))
        if content is None:
            raise UnsetVariable(name)
        if sounds_secret(name):
            remember_secret(content)
        return content

    text = _VARIABLE.sub(replacement, value)
    if sounds_secret(key):
        remember_secret(text)
    return text


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
