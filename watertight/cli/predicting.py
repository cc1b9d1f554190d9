"""Answers of the registered models for new rows."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
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
        from watertight.core.errors import Misuse

        stage, found = _stage("predict"), project.workload(workload)
        if from_file or to_file:
            if not (from_file and to_file) or at or context.args:
                raise Misuse("a file is predicted as it stands", expected="--from FILE --to FILE and nothing else")
            table = stage.predict_file(found, from_file, to_file)
            return {"rows": table.height, "refused": table["refused"].is_not_null().sum(), "to": str(to_file)}
        return stage.predict_one(found, _pairs(context.args), at)

    run(workload, "predict", work, as_json)


def submit(
    workload: WorkloadName,
    from_file: Annotated[Path, typer.Option("--from", resolve_path=True, help="A file of rows in the source's own format.")],
    to_file: Annotated[Path, typer.Option("--to", resolve_path=True, help="Where to write: .csv or .parquet.")],
    as_json: Json = False,
) -> None:
    """Write the predicted vector of each row of a file as id and embedding, checked before it is written and read again after."""

    def work(project: Any) -> Any:
        return _stage("submit").submit(project.workload(workload), from_file, to_file)

    run(workload, "submit", work, as_json)


def search(
    workload: WorkloadName,
    text: Annotated[str | None, typer.Argument(help="What to search for.")] = None,
    from_file: Annotated[Path | None, typer.Option("--from", resolve_path=True, help="A file with a text on each line.")] = None,
    row: Annotated[str | None, typer.Option(help="A row of the project is the query, and the rank of its own is told.")] = None,
    vector: Annotated[
        Path | None, typer.Option(resolve_path=True, help="A .npy file of vectors, embedded as the source's texts were.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many to answer.")] = 10,
    as_json: Json = False,
) -> None:
    """Find what a text describes: the nearest vectors of the online store to what the registered model makes of it."""

    def work(project: Any) -> Any:
        from watertight.core.errors import Misuse

        if sum(given is not None for given in (text, from_file, row, vector)) != 1:
            raise Misuse("a search has one query", expected='one of "TEXT", --from FILE, --row ROW_ID and --vector FILE.npy')
        stage, found = _stage("search"), project.workload(workload)
        if row is not None:
            answers = stage.search_row(found, row, top)
        elif vector:
            answers = stage.search_vectors(found, vector, top)
        else:
            answers = stage.search_texts(found, stage.lines_of(from_file) if from_file else [text or ""], top)
        return answers if as_json else stage.as_text(answers)

    run(workload, "search", work, as_json)


def _stage(name: str) -> Any:
    """A module of ``pipelines``, and behind it Feast as a query needs it; both take seconds to import."""
    from watertight.stores.feast_for_queries import import_feast

    import_feast()
    return import_module(f"pipelines.{name}")


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
