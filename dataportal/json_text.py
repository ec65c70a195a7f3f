"""Writes JSON, whatever becomes of `json.dumps`: code from elsewhere may replace it."""

from __future__ import annotations

from json import JSONEncoder


class _Encoder(JSONEncoder):
    # what the class has now, not what somebody puts in its place later
    encode = JSONEncoder.encode
    iterencode = JSONEncoder.iterencode
    default = JSONEncoder.default


to_json = _Encoder().encode
"""The value as JSON on one line, in ASCII, as `json.dumps` has it."""

to_unescaped_json = _Encoder(ensure_ascii=False).encode
r"""The same with characters as they are: only a database in UTF-8 makes one of \u00e9."""

to_indented_json = _Encoder(indent=2).encode
"""The same as `to_json` on many lines, which people can read as well."""
