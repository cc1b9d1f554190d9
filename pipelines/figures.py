"""figures: what evaluate found, for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from watertight.core.errors import Misuse
from watertight.core.project import Workload
from watertight.core.tables import read_table
from watertight.evaluation.figures import of_cells, wide
from watertight.evaluation.inventory import INVENTORY
from watertight.evaluation.metrics import METRICS

HEADLINES = {name for metrics in METRICS.values() for name, metric in metrics.items() if metric.headline}

COVERED = ("target", "part", "level", "slice", "value", "rows", "coverage", "low_bound", "high_bound", "within")
LEAST_COVERED = 20


def figures_of(work: Workload) -> list[dict[str, Any]]:
    """A row per target and cell: each metric as figure, low and high, then the number of rows and groups, and the row set.

    Where a cell has several seeds, of their mean prediction. A metric is null where the cell does not give it.
    """
    path = work.artifacts("evaluate", "figures.parquet")
    if not path.is_file():
        raise Misuse("nothing was evaluated yet", expected=f"{path}", next_step="dvc repro, or dvc checkout")
    return wide(of_cells(read_table(path)).filter(pl.col("slice") == ""), "target", "cell")


def inventory_of(work: Workload) -> list[dict[str, Any]]:
    """A row per model that was trained, as ``evaluate`` wrote it: what is in ``watertight.evaluation.inventory.INVENTORY``."""
    path = work.artifacts("evaluate", "inventory.csv")
    if not path.is_file():
        raise Misuse("nothing was evaluated yet", expected=f"{path}", next_step="dvc repro, or dvc checkout")
    return pl.read_csv(path, schema=INVENTORY).to_dicts()


def inventory_as_text(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, str]]]:
    """The inventory for a terminal, under a heading per target: the figure with its interval, shares in hundredths."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        figure = {} if row["figure"] is None else {row["metric"]: f"{row['figure']:.4f}"}
        within = "" if row["low"] is None else f" [{row['low']:.3f}, {row['high']:.3f}]"
        told = {name: str(row[name]) for name in ("cell", "family", "seed", "data", "digest", "rows")}
        told |= {name: text + within for name, text in figure.items()}
        told |= {"in": row["ensemble"] or "", "weight": "" if row["weight"] is None else f"{row['weight']:.2f}"}
        found.setdefault(_heading(row, ["target"]), []).append(told)
    return {name: _without_empty(part) for name, part in found.items()}


def as_text(rows: Sequence[Mapping[str, Any]], *heading: str) -> dict[str, list[dict[str, str]]]:
    """Rows for a terminal, under headings of what they share: figures as text, intervals of the headline metrics alone."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        told = {name: _text(name, value) for name, value in row.items() if name not in heading}
        found.setdefault(_heading(row, heading), []).append(told)
    return {name: _without_empty(part) for name, part in found.items()}


def look_as_text(look: Mapping[str, Any]) -> dict[str, Any]:
    """A look at the test sets for a terminal: figures, differences of the headline metrics, and coverage by slice."""
    compared: dict[tuple[str, ...], dict[str, Any]] = {}
    for line in look["differences"]:
        if line["metric"] in HEADLINES:
            row = {name: line[name] for name in ("target", "part", "cell", "other")}
            compared.setdefault(tuple(row.values()), {"less": row.pop("other"), **row})[line["metric"]] = line
    covered = [{name: line[name] for name in COVERED} for line in look["intervals_cover"] if line["rows"] >= LEAST_COVERED]
    differences = as_text(list(compared.values()), "target", "part", "cell")
    coverage = as_text([{name: _rounded(value) for name, value in row.items()} for row in covered], "target", "part", "level")
    return {**as_text(look["figures"], "target", "part"), **differences, **coverage}


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def _heading(row: Mapping[str, Any], names: Sequence[str]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {row[name]}" for name in names)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, Mapping):
        return "" if value is None else str(value)
    if value["figure"] is None:
        return ""
    has = name in HEADLINES and value["low"] is not None
    return f"{value['figure']:.4f}" + (f" [{value['low']:.3f}, {value['high']:.3f}]" if has else "")


def _without_empty(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Without the columns that are empty in every row: metrics of another kind of target, outputs that nobody gives."""
    return [{name: text for name, text in row.items() if any(other.get(name) for other in rows)} for row in rows]
