"""The model card: what a bundle predicts, from what, how well, and how it was checked. Markdown for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from watertight.registry.bundle import Manifest

NOT_FIGURES = ("target", "cell", "seed", "rows", "groups", "row_set")


def card(manifest: Manifest, facts: Mapping[str, Any]) -> str:
    """The card's text. ``facts``: about, licence, figures (a row per target, cell and seed), split, guard, baselines."""
    registered = manifest.models[0].cell
    shown = [row for row in facts["figures"] if row["cell"] in (registered, *facts["baselines"])]
    parts = [
        f"# {manifest.workload}",
        f"{facts['about'].strip()}\n\nSource `{manifest.source}`, licence: {facts['licence'] or 'not stated'}.",
        f"## Models\n\n{_table(_models(manifest))}",
        f"## Out-of-fold figures\n\nComparable only within one row set.\n\n{_table(_figures(shown))}",
        f"## Rows\n\n{_table({'part': part, **counts} for part, counts in facts['split'].items())}",
        f"## Guard\n\n{', '.join(f'{count} {status}' for status, count in facts['guard'].items())}",
        f"## Features\n\nService `{manifest.service}`, encoder `{manifest.encoder}`.",
    ]
    return "\n\n".join(parts) + "\n"


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


def _figures(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        figures = {name: f"{value:.4f}" for name, value in row.items() if name not in NOT_FIGURES and value is not None}
        yield {"target": row["target"], "cell": row["cell"], **figures, "rows": row["rows"], "row set": row["row_set"]}


def _table(rows: Iterable[Mapping[str, Any]]) -> str:
    listed = list(rows)
    names = list(dict.fromkeys(name for row in listed for name in row))
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(str(row.get(name, "")) for name in names) for row in listed]
    return "\n".join(f"| {line} |" for line in lines)
