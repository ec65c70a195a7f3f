"""`dataportal schema`: prints the JSON Schema of sources.yaml."""

import typer

from dataportal.errors import ExitCode
from dataportal.render.console import show

EXAMPLES = ("dataportal schema > sources.schema.json",)


def command(ctx: typer.Context) -> ExitCode:
    """Print the JSON Schema of sources.yaml, for editors.

    A first line "# yaml-language-server: $schema=sources.schema.json" in sources.yaml makes them
    complete and check its keys.
    """
    del ctx
    from dataportal.config.json_schema import json_schema
    from dataportal.render.json_output import format_json

    show([format_json(json_schema())])
    return ExitCode.DONE
