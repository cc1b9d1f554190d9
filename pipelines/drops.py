"""What `watertight check FILE`, `ingest FILE` and `profile` do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from pipelines.drop import Drop, read_drop, told, told_reasons
from pipelines.drop_gates import judge_drop, moves
from pipelines.let_in import alone, enter, let_in
from pipelines.source import typed_drops
from watertight.core.digests import ids_digest
from watertight.core.errors import Refusal
from watertight.core.ledger import Reference
from watertight.core.project import Workload
from watertight.core.time import known_at
from watertight.core.versions import merged

SHOWN = 5
"""So many columns or rows are named on a line."""


def check_drop(work: Workload, path: Path, created_at: str | None) -> dict[str, Any]:
    """What a file would bring, touching nothing; raises Refusal where any row, or the whole drop, would not be let in."""
    drop, answer = _examined(work, path, created_at)
    if not drop.aside.is_empty():
        raise Refusal(
            f"{drop.aside.height} of {drop.rows} rows of {path.name} would be quarantined\n{told_reasons(drop.aside)}",
            count=drop.aside.height,
            expected="every row to pass",
            next_step=f"mend them, or let the other {drop.part.height} in: watertight ingest {path} --workload {work.name}",
        )
    return answer


def ingest_drop(work: Workload, path: Path, created_at: str | None) -> dict[str, Any]:
    """Let a file in, whole or but for its bad rows; raises Refusal, and changes nothing, where a gate refuses the drop."""
    with alone(work):
        drop, answer = _examined(work, path, created_at)
        if drop.part.is_empty():
            return answer
        entered = let_in(drop)
    folder = work.drops_folder.relative_to(work.project.root)
    return {
        **answer,
        "part": entered.part,
        **({"see": f"watertight quarantine {work.name}"} if entered.quarantined else {}),
        "next": f"dvc repro; then git add {folder} dvc.lock, and dvc push",
    }


def freeze_profile(work: Workload) -> dict[str, Any]:
    """Let all that is known now be the reference that later drops are compared with."""
    with alone(work):
        drops = list(typed_drops(work))
        rows = merged(drops, work.contract).rows
        names = tuple(drop["drop"][0] for drop in drops)
        ids = ids_digest(rows["row_id"])
        reference = Reference(drops=names, rows=rows.height, groups=rows["group_id"].n_unique(), row_ids=ids)
        enter(work, lambda section: section.model_copy(update={"reference": reference}))
    return {"source": work.params.source.name, **reference.model_dump()}


def _examined(work: Workload, path: Path, created_at: str | None) -> tuple[Drop, dict[str, Any]]:
    drop = read_drop(work, path, created_at)
    answer = told(drop)
    if drop.part.is_empty():
        known = any(part.of == drop.of for part in work.ledger.drops)
        why = f"this file was let in as {drop.name!r}" if known else "every row of it is known"
        return drop, {**answer, "nothing new": why}
    verdicts = list(judge_drop(drop))
    return drop, {**answer, **_changed(drop), "gates": {verdict.gate: verdict.summary() for verdict in verdicts}}


def _changed(drop: Drop) -> dict[str, Any]:
    """What the drop changes of what was known: rows that leave their split, and rows whose history has more in it."""
    moved = moves(drop) if drop.summary["versions"] else pl.DataFrame()
    told = (
        {
            f"{before} → {now}": f"{len(rows)} row(s), first {', '.join(rows[:SHOWN])}"
            for before, now, rows in moved.group_by("before", "now", maintain_order=True).agg("row_id").iter_rows()
        }
        if moved.height
        else {}
    )
    news = drop.part.filter(known_at().is_not_null()).group_by("group_id").agg(known=known_at().min())
    later = drop.before.rows.join(news, on="group_id").filter(pl.col("asked_at") > pl.col("known")).height
    return {**({"moved": told} if told else {}), **({"known rows with another history": later} if later else {})}


def as_text(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer for a terminal: of each gate how many checks passed, and what the others say."""
    gates = answer.get("gates", {})
    return {**answer, **({"gates": {gate: _lines(verdict) for gate, verdict in gates.items()}} if gates else {})}


def _lines(verdict: dict[str, Any]) -> str | dict[str, str]:
    counts = ", ".join(f"{count} {status}" for status, count in verdict["counts"].items() if count)
    others = {_named(check): _why(check) for check in verdict["checks"] if check["status"] != "pass"}
    return {verdict["status"]: counts, **others} if others else f"{verdict['status']}: {counts}"


def _named(check: dict[str, Any]) -> str:
    told = check["severity"] if check["status"] == "fail" else check["status"]
    of = check["kwargs"].get("column")
    return f"{told} {check['type']}{f' ({of})' if of else ''}"


def _why(check: dict[str, Any]) -> str:
    which = check["columns"] or check["row_ids"]
    more = ", …" if len(which) > SHOWN else ""
    return f"{check['reason']} {', '.join(which[:SHOWN])}{more}".strip()
