"""The options that `read` and `history` share: of which times, in which format, to which file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.render.table_formats import AnswerFormat, answer_format_of_name

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation

RecordedOption = Annotated[
    str | None,
    typer.Option(
        "--recorded",
        metavar="K2",
        help="With --by published: only what was recorded here by K2, so that the answer can be "
        "final.",
    ),
]
FromOption = Annotated[
    str | None, typer.Option("--start", metavar="T", help="Observations from T on.")
]
UntilOption = Annotated[
    str | None, typer.Option("--end", metavar="T", help="Observations before T.")
]
FormatOption = Annotated[
    AnswerFormat | None,
    typer.Option(
        "--format",
        help="csv and json give times in UTC; parquet and arrow need the extra frames and "
        "-o [table; as FILE ends]",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write it there, whole or not at all; of parquet and arrow also a folder, by "
        "series and year.",
    ),
]


def choose_format(
    invocation: "Invocation", option: AnswerFormat | None, output: Path | None
) -> AnswerFormat:
    """The format of an answer: of --json, of the option, or of the name of the file.

    JSON on stdout is what --json asks for: then errors are JSON, too.
    """
    form = AnswerFormat.JSON if invocation.json else option or answer_format_of_name(output)
    invocation.answers_in_file = output is not None
    invocation.json = invocation.json or (form is AnswerFormat.JSON and output is None)
    return form
