"""The model card: what a bundle predicts, from what, how well, and how it was checked. Markdown for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from watertight.registry.bundle import Manifest

FIGURES_NOTE = "Comparable only within one row set. In brackets an interval from resamples of whole groups."


def card(manifest: Manifest, facts: Mapping[str, Any]) -> str:
    """The card's text. ``facts``: about, licence, figures (a record per target, cell, seed, slice and metric), split, guard,
    baselines.
    """
    registered = manifest.cell
    cells = (registered, *facts["baselines"])
    shown = [line for line in facts["figures"] if line["cell"] in cells and not line["slice"]]
    parts = [
        f"# {manifest.workload}",
        f"{facts['about'].strip()}\n\nSource `{manifest.source}`, licence: {facts['licence'] or 'not stated'}.",
        f"## Models\n\n{_table(_models(manifest))}",
        f"## Out-of-fold figures\n\n{FIGURES_NOTE}\n\n{_table(_figures(shown))}",
        f"## Rows\n\n{_table({'part': part, **counts} for part, counts in facts['split'].items())}",
        f"## Guard\n\n{', '.join(f'{count} {status}' for status, count in facts['guard'].items())}",
        f"## Features\n\nService `{manifest.service}`, {_encoder(manifest)}.",
        *_search(manifest),
    ]
    return "\n\n".join(parts) + "\n"


def _encoder(manifest: Manifest) -> str:
    return f"encoder `{manifest.encoder}`" if manifest.encoder_fingerprint else "no encoder"


def _search(manifest: Manifest) -> Iterator[str]:
    if manifest.correction:
        yield f"## Search\n\nCorrected for hubs by {manifest.correction.told}. A promotion is judged by cosine."


def _models(manifest: Manifest) -> Iterator[dict[str, Any]]:
    for model in manifest.models:
        yield {
            "target": model.target,
            "kind": model.kind,
            "family": model.family,
            "cell": model.cell,
            "features": len(model.columns),
            "fitted on": model.fitted_on,
        }


def _figures(lines: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """A row per target and cell. The record of a cell's mean prediction comes behind those of its seeds, and stands for it."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for line in lines:
        name = {"target": line["target"], "cell": line["cell"]}
        row = rows.setdefault((line["target"], line["cell"]), name)
        row |= {line["metric"]: _told(line), "rows": line["rows"], "row set": line["row_set"]}
    for row in rows.values():
        row |= {name: row.pop(name) for name in ("rows", "row set")}
    return iter(rows.values())


def _told(line: Mapping[str, Any]) -> str:
    if line["figure"] is None:
        return ""
    return f"{line['figure']:.4f}" + (f" [{line['low']:.4f}, {line['high']:.4f}]" if line["low"] is not None else "")


def _table(rows: Iterable[Mapping[str, Any]]) -> str:
    listed = list(rows)
    names = list(dict.fromkeys(name for row in listed for name in row))
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(str(row.get(name, "")) for name in names) for row in listed]
    return "\n".join(f"| {line} |" for line in lines)
