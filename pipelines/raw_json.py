"""JSON: a list of records, or a record a line."""

from __future__ import annotations

import io
import json
import re

import polars as pl

from pipelines.raw_bytes import LONGEST_LINE, Raw

MOST_JSON = 2**29


def listed(raw: Raw) -> pl.DataFrame:
    """One JSON list of records; line ends mean nothing in it."""
    data = raw.text(MOST_JSON, longest_line=None)
    if not re.match(rb"\s*\[", data):
        raise raw.refused("is no list of records", 'JSON such as [{"name": 1}, {"name": 2}]', "write the records as one list")
    found = pl.read_json(bytes(data), infer_schema_length=None)
    if not found.width:
        raise raw.refused("holds no records", "at least one record", "get the whole file")
    return found


def by_line(raw: Raw) -> pl.DataFrame:
    """A JSON record on each line."""
    data = raw.text(MOST_JSON, LONGEST_LINE)
    try:
        return pl.read_ndjson(bytes(data), infer_schema_length=None)
    except pl.exceptions.PolarsError:
        demand_records(raw, data)
        raise


def demand_records(raw: Raw, data: bytearray) -> None:
    """Raise Refusal for the first line that is no JSON record, UnicodeDecodeError where it is not UTF-8."""
    for number, line in enumerate(io.BytesIO(data), start=1):
        if line.strip() and not _is_record(line):
            reason = f"is cut off or is no record in line {number}"
            raise raw.refused(reason, 'a whole JSON record on every line, such as {"name": 1}', lines=[number])


def _is_record(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except UnicodeDecodeError:
        raise
    except (ValueError, RecursionError):
        return False
