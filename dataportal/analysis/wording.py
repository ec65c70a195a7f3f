"""How messages call what somebody asked by: options of the command line, or arguments of Python."""

from __future__ import annotations

from enum import Enum


class Wording(Enum):
    """Whose words a message uses.

    Example:
        Wording.COMMAND.option("as_of", "2026")    # --as-of 2026
        Wording.PYTHON.option("as_of", "2026")     # as_of='2026'
    """

    COMMAND = "command"
    PYTHON = "python"

    def option(self, name: str, value: object = None) -> str:
        """An option, or an argument, by its name as Python has it, and perhaps with its value."""
        if self is Wording.COMMAND:
            option = f"--{name.replace('_', '-')}"
            return option if value is None else f"{option} {value}"
        return name if value is None else f"{name}={value!r}"

    def quoted_option(self, name: str, value: str) -> str:
        """The same with a value that may have blanks in it."""
        return self.option(name, repr(value) if self is Wording.COMMAND else value)
