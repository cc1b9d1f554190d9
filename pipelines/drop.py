"""A file that someone wants to let in as a drop: which of its rows may join the history, and which not, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.check import judge_rows, set_aside
from pipelines.source import rows_of_file, typed_drops
from pipelines.split import assigned
from watertight.checks.suite import Check
from watertight.core.digests import file_digest
from watertight.core.dimensions import with_dimensions
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Workload
from watertight.core.rows import filled, good_rows
from watertight.core.time import to_utc
from watertight.core.versions import Merged, as_they_were, fresh, merged, version_faults

FEW = 5
"""So many bad rows are set aside whatever their share: a small file is not refused for one of them."""


@dataclass(frozen=True)
class Drop:
    """What a file would bring.

    ``of`` is the file's sha256, ``rows`` how many it holds. ``part``: the rows that would join the history, typed;
    ``aside``: those that would not, as they came, with a ``reason``; ``repeats``: how many were known already. ``drops``:
    all that was let in before.
    """

    work: Workload
    name: str
    of: str
    rows: int
    part: pl.DataFrame
    aside: pl.DataFrame
    repeats: int
    drops: tuple[pl.DataFrame, ...]

    @cached_property
    def before(self) -> Merged:
        """What is known without the drop."""
        return merged(self.drops, self.work.contract)

    @cached_property
    def after(self) -> Merged:
        """What would be known with it."""
        return merged([*self.drops, self.part], self.work.contract)

    @cached_property
    def kept_before(self) -> pl.DataFrame:
        """The rows that the check stage keeps without the drop."""
        return _kept(self.work, self.before)

    @cached_property
    def kept_after(self) -> pl.DataFrame:
        """The rows that it would keep with it."""
        return _kept(self.work, self.after)

    @cached_property
    def splits_before(self) -> pl.DataFrame:
        """The split and fold of each row without the drop: row_id, split, fold."""
        return assigned(self.work, self.kept_before, self.before.superseded).rows

    @cached_property
    def splits_after(self) -> pl.DataFrame:
        """And with it."""
        return assigned(self.work, self.kept_after, self.after.superseded).rows

    @property
    def summary(self) -> dict[str, int]:
        """How many rows of which kind."""
        versions = self.part.join(self.before.rows, on="row_id", how="semi").height
        return {
            "new": self.part.height - versions,
            "versions": versions,
            "repeats": self.repeats,
            "quarantined": self.aside.height,
        }


def read_drop(work: Workload, path: Path, created_at: str | None = None) -> Drop:
    """A file's rows, sorted into those that may join the history and those that may not.

    ``created_at``, ISO 8601, is when the labels of rows that do not say so themselves were known. Of a file that was let in
    already no row is new. Raises Refusal for what is wrong with the file as a whole: its format, its columns, or that too many
    of its rows are bad.
    """
    raw = _stamped(rows_of_file(work, path), created_at, work)
    of, drops = file_digest(path), tuple(typed_drops(work))
    for part in work.ledger.drops:
        if part.of == of:
            return Drop(work, part.name, of, raw.height, drops[0].clear(), raw.clear(), raw.height, drops)
    drop = _sorted(work, raw, of, _name(path, of, {drop["drop"][0] for drop in drops}), drops)
    _demand_good(drop, path)
    return drop


def _sorted(work: Workload, raw: pl.DataFrame, of: str, name: str, drops: tuple[pl.DataFrame, ...]) -> Drop:
    known = pl.concat(drops)
    good, untyped = good_rows(raw, with_dimensions(work.declared_contract, known), name)
    no_versions = version_faults(pl.concat([known, good]), work.contract)
    candidates = _without(good, no_versions)
    part = fresh(known, candidates, work.contract)
    failed = _failed(work, drops, part)
    aside = _aside(raw, untyped, pl.concat([no_versions, failed]))
    return Drop(work, name, of, raw.height, _without(part, failed), aside, candidates.height - part.height, drops)


def _kept(work: Workload, known: Merged) -> pl.DataFrame:
    aside = set_aside(judge_rows(work, known.rows), known.rows)  # of the source's own drops; a part has no such rows
    return known.rows.join(aside, on="row_id", how="anti", maintain_order="left")


def _stamped(raw: pl.DataFrame, created_at: str | None, work: Workload) -> pl.DataFrame:
    """``raw`` with ``created_at`` for the labels that have none of their own; a row without a label needs none."""
    if created_at is None:
        return raw
    if to_utc(pl.Series([created_at]), work.contract.zone)[0] is None:
        raise Misuse(f"{created_at!r} is no instant", expected="ISO 8601, such as 2026-01-05T09:00:00Z")
    own = pl.col("created_at").cast(pl.String) if "created_at" in raw.columns else pl.lit(None, dtype=pl.String)
    told = [filled(raw[name]) for name in work.contract.targets if name in raw.columns]
    some = pl.any_horizontal(told) if told else pl.lit(False)
    return raw.with_columns(created_at=pl.when(own.is_null() & some).then(pl.lit(created_at)).otherwise(own))


def _name(path: Path, of: str, taken: set[str]) -> str:
    """The file's name without the endings that say its kind; with some of its sha256 where another drop is called so."""
    name = Path(path.name.removesuffix(".gz")).stem
    return f"{name}-{of[:8]}" if name in taken else name


def _failed(work: Workload, drops: tuple[pl.DataFrame, ...], part: pl.DataFrame) -> pl.DataFrame:
    """``row_id`` and ``reason`` of the part's rows of which any version fails a row-level check, beside all that is known."""
    if part.is_empty():
        return pl.DataFrame(schema={"row_id": pl.String, "reason": pl.String})
    known = merged([*drops, part], work.contract)
    also = [_in_living_memory(work, drops)]
    verdicts = [judge_rows(work, rows, also) for rows in (known.rows, *as_they_were(known.rows, known.superseded))]
    failed = [result for verdict in verdicts for result in verdict.failed if result.quarantine or result.severity == "critical"]
    reasons = {row: f"{result.type}({result.kwargs})" for result in reversed(failed) for row in result.row_ids}
    named = pl.DataFrame({"row_id": list(reasons), "reason": list(reasons.values())}, schema=["row_id", "reason"], strict=False)
    children = part.filter(pl.col("parent_id").is_in(list(reasons))).select("row_id", reason=pl.lit("its parent is set aside"))
    every = pl.concat([named.cast(pl.String), children]).unique("row_id", keep="first", maintain_order=True)
    return every.join(part, on="row_id", how="semi", maintain_order="left")


def _in_living_memory(work: Workload, drops: tuple[pl.DataFrame, ...]) -> Check:
    """A row asked years before or after everything that is known was stamped by a wrong clock."""
    leeway = pl.duration(microseconds=round(timedelta(days=work.params.drops.days) / timedelta(microseconds=1)))
    asked = pl.concat([drop.select("asked_at") for drop in drops])
    first, last = asked.select(first=pl.col("asked_at").min() - leeway, last=pl.col("asked_at").max() + leeway).row(0)
    kwargs = {"column": "asked_at", "min_value": first.isoformat(), "max_value": last.isoformat()}
    return Check(type="expect_column_values_to_be_between", kwargs=kwargs)


def _without(rows: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    return rows.join(named, on="row_id", how="anti", maintain_order="left")


def _aside(raw: pl.DataFrame, untyped: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """The rows as they came that were named, by their place or their row_id, with the reason."""
    own = pl.col("row_id").cast(pl.String).str.strip_chars()
    place = pl.int_range(pl.len(), dtype=pl.Int64)
    by_place = dict(untyped.select("place", "reason").iter_rows())
    by_id = dict(named.select("row_id", "reason").iter_rows())
    reasons = [by_place.get(at) or by_id.get(row) for at, row in raw.select(place, own).iter_rows()]
    return raw.with_columns(pl.Series("reason", reasons, dtype=pl.String)).filter(pl.col("reason").is_not_null())


def _demand_good(drop: Drop, path: Path) -> None:
    """Raise Refusal where no row is good though some are new, or where too many are bad for chance."""
    bad, most = drop.aside.height, drop.work.params.drops.most_quarantined
    if bad <= max(FEW, most * drop.rows) and not (bad and drop.part.is_empty()):
        return
    raise Refusal(
        f"{bad} of {drop.rows} rows of {path.name} cannot be let in\n{told_reasons(drop.aside)}",
        count=bad,
        rows=drop.aside["row_id"].cast(pl.String).fill_null("(no row_id)").to_list(),
        expected=f"at most {most:.0%} of a drop's rows, or {FEW}, to be bad, and one to be good",
        next_step="mend the file; nothing was changed",
    )


def told_reasons(aside: pl.DataFrame) -> str:
    """A line per reason: how many rows, and the first of them."""
    counted = aside.group_by("reason", maintain_order=True).agg(pl.len(), pl.col("row_id").cast(pl.String).head(3))
    return "\n".join(
        f"  - {reason}: {count} row(s), first {', '.join(row or '(no row_id)' for row in rows)}"
        for reason, count, rows in counted.sort("len", descending=True, maintain_order=True).iter_rows()
    )


def told(drop: Drop) -> dict[str, Any]:
    """The drop for people and machines."""
    groups = drop.part["group_id"].unique()
    known = groups.is_in(drop.before.rows["group_id"].unique().to_list()).sum()
    return {
        "drop": drop.name,
        "rows": drop.rows,
        **drop.summary,
        "groups": {"known": int(known), "new": len(groups) - int(known)},
    }
