"""Answers of the registered models for new rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from watertight.cli.running import Json, WorkloadName, run


def predict(
    context: typer.Context,
    workload: WorkloadName,
    at: Annotated[str | None, typer.Option(help="The moment asked about, ISO 8601; default: now.")] = None,
    from_file: Annotated[
        Path | None, typer.Option("--from", resolve_path=True, help="A file of rows in the source's own format.")
    ] = None,
    to_file: Annotated[
        Path | None, typer.Option("--to", resolve_path=True, help="Where to write: .csv, .parquet or .jsonl.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Predict one row (--text "…" --author a0001 [--at …]) or a file of rows (--from FILE --to FILE).

    The options of one row are the workload's own texts and entity keys, the keys with or without their "_id".
    """

    def work(project: Any) -> Any:
        from pipelines import predict as stage  # seconds to import
        from watertight.core.errors import Misuse

        found = project.workload(workload)
        if from_file or to_file:
            if not (from_file and to_file) or at or context.args:
                raise Misuse("a file is predicted as it stands", expected="--from FILE --to FILE and nothing else")
            table = stage.predict_file(found, from_file, to_file)
            return {"rows": table.height, "refused": table["refused"].is_not_null().sum(), "to": str(to_file)}
        return stage.predict_one(found, _pairs(context.args), at)

    run(workload, "predict", work, as_json)


def _pairs(arguments: list[str]) -> dict[str, str]:
    from watertight.core.errors import Misuse  # light, but beside the others

    apart = list(_apart(arguments))
    names, values = apart[::2], apart[1::2]
    if len(names) != len(values) or any(not name.startswith("--") for name in names):
        raise Misuse(f"cannot read {' '.join(arguments)!r}", expected='--name value pairs, such as --text "…" --author a0001')
    return {name[2:].replace("-", "_"): value for name, value in zip(names, values, strict=True)}


def _apart(arguments: list[str]) -> Iterator[str]:
    """Names and values in turn; ``--name=value`` is both. A value, which follows its name, is left as it is."""
    rest = iter(arguments)
    for name in rest:
        if name.startswith("--") and "=" in name:
            yield from name.split("=", 1)
        else:
            yield name
            yield from islice(rest, 1)
