"""Read a source: a simulator, or a SQL query over a raw file, as its contract says."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.raw_file import read_raw
from watertight.core.contract import RAW, ROLES, RawFile, SourceContract
from watertight.core.declare import nearest, pick
from watertight.core.digests import file_digest
from watertight.core.dimensions import with_dimensions
from watertight.core.errors import Misuse, Refusal
from watertight.core.ledger import Part
from watertight.core.project import Workload
from watertight.core.rows import typed_rows
from watertight.core.tables import read_table


def typed_drops(work: Workload) -> Iterator[pl.DataFrame]:
    """The typed rows of every drop in their order: those of the source, then those that were let in.

    Vectors whose dimension the contract leaves open have that of the first row in all of them.
    """
    contract = work.declared_contract
    for name, raw in _every_drop(work):
        rows = typed_rows(raw, contract, name)
        contract = with_dimensions(contract, rows)
        yield rows


def _every_drop(work: Workload) -> Iterator[tuple[str, pl.DataFrame]]:
    yield from _own_drops(work)
    for part in work.ledger.drops:
        yield part.name, rows_of_part(work, part)


def rows_of_part(work: Workload, part: Part) -> pl.DataFrame:
    """The rows of a part; raises Misuse where it is not there, and Refusal where it is not what the ledger says."""
    path = work.drops_folder / f"{part.part}.parquet"
    if not path.is_file():
        raise Misuse(
            f"the drop {part.name!r} is in the ledger, and its part is not there",
            expected=f"{path.relative_to(work.project.root)}",
            next_step=f"dvc checkout {path.relative_to(work.project.root)}.dvc, or dvc pull it",
        )
    if file_digest(path) != part.part:
        told = f"the part of drop {part.name!r} is not what it was when it was let in"
        raise Refusal(told, expected=f"sha256 {part.part}", next_step=f"delete {path.name}, then dvc checkout or dvc pull")
    return read_table(path)


def _own_drops(work: Workload) -> Iterator[tuple[str, pl.DataFrame]]:
    """The raw rows of the source's own drops, in their declared order, as (name, rows)."""
    simulator = work.source_folder / f"{work.params.source.name}.py"
    if simulator.is_file():
        yield work.params.source.name, _simulated(work, simulator)
        return
    for name in _declared_drops(work):
        yield Path(name).stem, rows_of_file(work, _pinned(work, name, work.contract.files))


def rows_of_file(work: Workload, path: Path, unlabelled: bool = False) -> pl.DataFrame:
    """The rows of a file in the source's own format; raises Refusal where it is not such a file.

    A source with a query reads the raw file that the query is for; one without (a simulator) reads rows whose columns
    bear the contract's names, of which all but row_id, asked_at, keys and texts may be absent. Rows that were set aside,
    with a ``reason`` each, bear these names too and are read so for any source. ``unlabelled``: the rows are to be
    predicted; where the contract says how such a file looks, it is read so, no label in it is, and the query is told by the
    variable ``unlabelled``.
    """
    asked = unlabelled and bool(work.contract.unlabelled)
    raw, source = read_raw(path, asked), work.params.source.name
    query = work.source_folder / f"{source}.sql"
    mended = {"row_id", "reason"} <= set(raw.columns) and "reason" not in (*work.contract.required, *work.contract.optional)
    said = f"{path.name} has other columns than its source, {source}"
    if query.is_file() and not mended:
        tables = {name: read_raw(_pinned(work, name, work.contract.lookups)) for name in work.contract.lookups}
        return _queried({RAW: _with_optional(raw, _file_columns(work.contract, asked), said), **tables}, query, path, asked)
    return _with_optional(raw.drop("reason", strict=False), _row_columns(work.contract), said)


def _queried(tables: dict[str, pl.DataFrame], query: Path, path: Path, unlabelled: bool) -> pl.DataFrame:
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        connection.execute("SET VARIABLE unlabelled = ?", [unlabelled])
        for name, table in tables.items():
            connection.register(name, table.to_arrow())
        try:
            return pl.DataFrame(connection.sql(query.read_text(encoding="utf-8")).to_arrow_table())
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            told = f"{query.name} cannot be applied to {path.name}: {reason}"
            raise Refusal(told, next_step="mend the file or the query; nothing was changed") from error


def _simulated(work: Workload, path: Path) -> pl.DataFrame:
    spec = importlib.util.spec_from_file_location(f"pipelines.sources.{work.name}.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise Misuse(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where a dataclass looks its module up
    spec.loader.exec_module(module)
    return module.simulate(**_bound(module.simulate, work))


def _bound(simulate: Any, work: Workload) -> dict[str, Any]:
    options, known = work.params.source.chosen, inspect.signature(simulate).parameters
    for name in options:
        if name not in known:
            raise Misuse(f"source {work.params.source.name!r} has no option {name!r}; {nearest(name, known)}")
    return options


def _declared_drops(work: Workload) -> list[str]:
    options, contract = work.params.source.chosen, work.contract
    for name in options:
        if name != "drops":
            raise Misuse(f"source {work.params.source.name!r} has no option {name!r}; known: drops")
    if not contract.files:
        raise Misuse(
            f"the source {work.params.source.name!r} names no raw file",
            expected="files: {NAME: {path: PLACE UNDER raw_root, sha256: ITS DIGEST}} in its contract",
            next_step=f"pin yours in {_contract_file(work)}",
        )
    return list(options.get("drops", contract.files))


def _contract_file(work: Workload) -> str:
    """The contract's file below the project; of a link what it points to, since that is what there is to edit."""
    place = work.source_folder / f"{work.params.source.name}.yaml"
    root = work.project.root.resolve()
    return place.resolve().relative_to(root).as_posix() if place.resolve().is_relative_to(root) else str(place.resolve())


def _pinned(work: Workload, name: str, files: dict[str, RawFile]) -> Path:
    """The raw file of a drop or a lookup, if it is there and has the bytes that the contract pins."""
    declared = pick(files, name, "raw file")
    path = work.project.raw_root / declared.path
    source = f"{work.name}/{work.params.source.name}"
    if not path.is_file():
        raise Misuse(
            f"the raw file {name} is not there",
            expected=f"{declared.path} under {work.project.raw_root}",
            next_step=f"watertight fetch {source}   (or set WATERTIGHT_RAW to the folder that holds {declared.path})",
        )
    digest = file_digest(path)
    if digest != declared.sha256:
        raise Refusal(
            f"the raw file {name} is not the one that the contract pins",
            expected=f"sha256 {declared.sha256}, found {digest}",
            next_step=f"watertight fetch {source}, or pin the new file under a name of its own in {_contract_file(work)}",
        )
    return path


@dataclass(frozen=True)
class Columns:
    """The columns that a file must have, may have, may have with a default of their own, and may have and are not read."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    allowed: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def _with_optional(raw: pl.DataFrame, columns: Columns, said: str) -> pl.DataFrame:
    """``raw`` with a null column for each optional one that the file lacks, and for each that is not read.

    Raises Refusal for any other difference, of which ``said`` is said first.
    """
    raw = raw.drop(columns.unread, strict=False)
    known = (*columns.required, *columns.optional)
    missing = [name for name in columns.required if name not in raw.columns]
    strange = [name for name in raw.columns if name not in (*known, *columns.allowed)]
    problems = [f"lacks {name!r}; {nearest(name, strange or raw.columns)}" for name in missing]
    problems += [f"has {name!r}, which the contract does not name; {nearest(name, known)}" for name in strange]
    if problems:
        raise Refusal(
            f"{said}\n" + "\n".join(f"  - {line}" for line in problems),
            column=", ".join(missing or strange),
            expected=f"{', '.join(columns.required)}; optional: {', '.join(columns.optional) or 'none'}",
            next_step="mend the header, or the contract if the source has changed; nothing was changed",
        )
    absent = [name for name in (*columns.optional, *columns.unread) if name not in raw.columns]
    return raw.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)


def _file_columns(contract: SourceContract, unlabelled: bool) -> Columns:
    """Those of a raw file; of a source that names none, those of its rows."""
    if unlabelled:
        unread = tuple(name for name in contract.required if name not in contract.unlabelled)
        return Columns(contract.unlabelled, contract.optional, unread=unread)
    return Columns(contract.required, contract.optional) if contract.required else _row_columns(contract)


def _row_columns(contract: SourceContract) -> Columns:
    needed = ("row_id", "asked_at", *contract.keys, *contract.text)
    # Which drop a row is of is not for the row to say.
    allowed = tuple(name for name in ROLES if name not in (*needed, "drop"))
    return Columns(needed, (*contract.targets, *contract.columns), allowed)
