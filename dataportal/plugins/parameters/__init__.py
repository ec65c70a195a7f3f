"""Typed parameters of plugins.

A plugin declares its parameters as structs, and reads them from what sources.yaml says:

    class TideParameters(Parameters):
        gauge: Annotated[WholeNumber, about("the number of the gauge")]
        datum: Annotated[str, one_of(("NN", "LAT")), about("what heights are above (NN)")] = "NN"
        ahead: Annotated[Duration, about("how far forecasts reach (2 days)")] = timedelta(days=2)

    class TidePlugin(BasePlugin):
        parameters = (TideParameters,)

        def __init__(self, metadata, default_params):
            super().__init__(metadata, default_params)
            self.tide = read_parameters(default_params, TideParameters)

All faults are raised at once, each with the keys that lead to it, from which file, line and column
are told. From the same structs come the tables of the manual and the JSON Schema. What is read:

- `str`: a text, or a number as it is written; `one_of(…)` these texts, or `matching` a pattern;
- `WholeNumber`, `Count`, `PositiveNumber`, `Annotated[int, Meta(ge=1, le=16)]`, `float`, `bool`;
- `Duration`, `Instant`, `Zone`, `Pattern`, and any class with `written_as(parse)`;
- `Address` of HTTP; `Column`; `TextOrTexts`; `tuple[X, ...]`; `dict[str, X]`; `Any`; another struct
  of `Parameters`;
- `X | None` for what may be left out.

A parameter that stands in a mapping, such as `paging: {page: p}`, is the field of a struct of its
own. Where a plugin is made of parts, or its parameters depend on one another, `Params`
(dataportal.plugins.readers.parameters) reads one struct after the other: `params.read(…)`, then
`params.add_fault("ahead does not go with datum LAT")`, at the end `params.finish()`. A built-in
plugin names all structs that it reads in `parameters`, and in `series_parameters` those of an
`extract_filter`.

To add a parameter of a built-in plugin, add a field with its `about`, and update the manual and the
schema: `python -m support.parameter_tables` in tests, and `dataportal schema`.
"""

from dataportal.plugins.parameters.conversion import read_parameters
from dataportal.plugins.parameters.declaration import (
    Address,
    Column,
    Count,
    Duration,
    Instant,
    Parameters,
    Pattern,
    PositiveNumber,
    TextOrTexts,
    WholeNumber,
    Zone,
    about,
    expectation,
    matching,
    one_of,
    written_as,
)
from dataportal.plugins.parameters.faults import ParameterError

__all__ = [
    "Address",
    "Column",
    "Count",
    "Duration",
    "Instant",
    "ParameterError",
    "Parameters",
    "Pattern",
    "PositiveNumber",
    "TextOrTexts",
    "WholeNumber",
    "Zone",
    "about",
    "expectation",
    "matching",
    "one_of",
    "read_parameters",
    "written_as",
]
