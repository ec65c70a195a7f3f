"""sources.yaml, read for a command, with what there is to say about it on stderr."""

from typing import TYPE_CHECKING

from dataportal.cli.database import say

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation
    from dataportal.config import Configuration
    from dataportal.settings import Settings


def configured(settings: "Settings", invocation: "Invocation") -> "Configuration":
    """What sources.yaml says; its warnings are shown unless -q.

    Raises:
        ConfigurationError: nothing of it can be used; all problems are listed.
    """
    from dataportal.config import load

    configuration = load(settings.config_path, invocation.env)
    if not invocation.quiet:
        for warning in configuration.warnings:
            say(f"warning: {warning}")
    return configuration
