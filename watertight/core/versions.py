"""Drops below one another: each row once, as it is known now, and beside it what was known of it before.

A row may come again with another label: a late one, or a correction. That is a *version* of it, with a ``created_at``
of its own, which is when it was known. What was known before is kept, so that the past can be told as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from watertight.core.contract import SourceContract
from watertight.core.errors import Refusal
from watertight.core.time import known_at

PLACE = "__place"
OF_A_VERSION = ("labelled_at", "created_at", "drop")
CHANGED, NOT_LATER, TAKEN_BACK = (
    "the row_id stands for another row already; only labels may change",
    "it is known with another label already, and created_at is not later",
    "it takes a label back without a labelled_at",
)


@dataclass(frozen=True)
class Merged:
    """``rows``: each row as it is known now, in the order and with the ``drop`` in which it first came.

    ``superseded``: its earlier versions, in the order in which they came. ``repeats``: how many exact repeats of a version
    were left out.
    """

    rows: pl.DataFrame
    superseded: pl.DataFrame
    repeats: int

    @property
    def versions(self) -> pl.DataFrame:
        """Every version of every row."""
        return pl.concat([self.superseded, self.rows])


def merged(drops: Iterable[pl.DataFrame], contract: SourceContract) -> Merged:
    """All drops below one another in their order.

    A version that comes again with the same content is left out and counted. Raises Refusal where a row_id comes again
    and is no version of what it stood for: history is never rewritten in silence.
    """
    every = pl.concat(list(drops))
    once = _once(every, contract)
    faults = version_faults(once, contract)
    if not faults.is_empty():
        raise Refusal(
            f"the same row_id stands for different rows: {faults['reason'][0]}",
            column="row_id",
            count=once.join(faults, on="row_id", how="semi").height,
            rows=faults["row_id"].to_list(),
            expected="one content per row_id; another label comes with a later created_at",
            next_step="give the rows ids of their own, or the new labels the time at which they were known",
        )
    superseded = once.filter(~pl.col("row_id").is_last_distinct())
    return Merged(_in_first_place(once), superseded, every.height - once.height)


def version_faults(versions: pl.DataFrame, contract: SourceContract) -> pl.DataFrame:
    """``row_id`` and ``reason`` of rows that come again and are no versions of one row; ``versions`` as they came."""
    again = _once(versions, contract).filter(pl.col("row_id").is_duplicated())
    fixed = [name for name in again.columns if name not in (*OF_A_VERSION, *contract.targets)]
    changed = again.unique(fixed).filter(pl.col("row_id").is_duplicated()).select("row_id", reason=pl.lit(CHANGED))
    known = again.select("row_id", "created_at", known=known_at())
    last = known.select(pl.col("created_at", "known").shift(1).over("row_id").name.prefix("last_"))
    both = pl.concat([known, last], how="horizontal")
    late = (pl.col("created_at") > pl.col("last_created_at")) & ~(pl.col("known") <= pl.col("last_known")).fill_null(False)
    not_later = both.filter(pl.col("last_created_at").is_not_null() & ~late).select("row_id", reason=pl.lit(NOT_LATER))
    lost = pl.col("last_known").is_not_null() & pl.col("known").is_null()
    back = both.filter(lost).select("row_id", reason=pl.lit(TAKEN_BACK))
    return pl.concat([changed, not_later, back]).unique("row_id", keep="first", maintain_order=True)


def first_versions(rows: pl.DataFrame, superseded: pl.DataFrame) -> pl.DataFrame:
    """Each of ``rows`` as it first came, in their order."""
    first = superseded.unique("row_id", keep="first", maintain_order=True)
    return rows.update(first, on="row_id", how="left", include_nulls=True) if first.height else rows


def fresh(known: pl.DataFrame, come: pl.DataFrame, contract: SourceContract) -> pl.DataFrame:
    """Those of the rows that ``come`` which are no repeats, each once; ``known`` are all versions so far, as they came."""
    before = _once(known, contract).height
    return _once(pl.concat([known, come]), contract)[before:]


def as_they_were(rows: pl.DataFrame, superseded: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """All ``rows`` with some in an earlier version, until every superseded version was among them once."""
    numbered = superseded.with_columns(pl.int_range(pl.len()).over("row_id").alias(PLACE))
    for layer in numbered.partition_by(PLACE, maintain_order=True, include_key=False):
        yield rows.update(layer, on="row_id", how="left", include_nulls=True)


def _once(versions: pl.DataFrame, contract: SourceContract) -> pl.DataFrame:
    """Without repeats: copies of any version, and what says of a row the same as the version before it.

    When it says so is no matter: a label that is told again is no correction.
    """
    numbered = versions.with_row_index(PLACE)
    # To compare rows with vectors in them takes long, and one that came once is no repeat.
    again = numbered.filter(pl.col("row_id").is_duplicated())
    repeats = again.join(_without_repeats(again), on=PLACE, how="anti")
    return numbered.join(repeats, on=PLACE, how="anti", maintain_order="left").drop(PLACE)


def _without_repeats(versions: pl.DataFrame) -> pl.DataFrame:
    content = [name for name in versions.columns if name not in ("drop", PLACE)]
    said = [name for name in content if name not in OF_A_VERSION and name != "row_id"]
    once = versions.unique(subset=content, keep="first", maintain_order=True)
    told = once.select("row_id", said=pl.struct(said).hash()).select(
        again=pl.col("said").eq(pl.col("said").shift(1).over("row_id")).fill_null(False)
    )
    return once.filter(~told["again"])


def _in_first_place(once: pl.DataFrame) -> pl.DataFrame:
    """The last version of each row, where and in the drop in which the first one stood."""
    placed = once.with_row_index(PLACE).with_columns(pl.col(PLACE).min().over("row_id"), pl.col("drop").first().over("row_id"))
    return placed.unique("row_id", keep="last", maintain_order=True).sort(PLACE).drop(PLACE)
