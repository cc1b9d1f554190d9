"""What is told of each vector that was predicted: its errors, and its own truth's place among the truths of a gallery.

A rank depends on how many there are to choose from, and on whether the model was fitted on them: what it was fitted on draws its
predictions, and an image that is new to it stands behind. So the gallery is that of the whole part, or out of fold that of the
row's fold, none of which its model saw. The rank is taken once and stands beside the prediction: a slice keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from watertight.core.contract import Target
from watertight.core.correction import Correction
from watertight.core.hubness import rescored
from watertight.core.ranks import AT_ONCE, Gallery, directions, gallery, ranks, recall_in, reciprocal_in
from watertight.core.workload import EvaluateParams
from watertight.evaluation.row_sets import Floats, Places, as_array

Banks = Sequence[tuple[Places, Places]]
"""Places of rows, and of those whose predictions are the bank of queries for these."""


@dataclass(frozen=True)
class Ranking:
    """The rows of a whole part, by their ``truth``, (n, d). ``banks``: where they are out of fold, which rows have a gallery of
    their own, and by which others inductive corrections are judged, see ``other_folds``; where it is empty there is one
    gallery, and a ``bank`` of other rows has to be given, or these are not told.
    """

    truth: Floats
    declared: EvaluateParams
    banks: Banks = ()

    @cached_property
    def galleries(self) -> list[tuple[Places, Gallery]]:
        """Places of rows, and their gallery."""
        parts = [rows for rows, _ in self.banks] or [np.arange(len(self.truth))]
        return [(rows, gallery(self.truth[rows])) for rows in parts]

    @cached_property
    def least(self) -> int:
        """How many the smallest gallery has."""
        return min(len(among.vectors) for _, among in self.galleries)

    def of(self, predicted: Floats, bank: Floats | None = None) -> dict[str, Floats]:
        """Per row of the part, by name, what is told of ``predicted``, (n, d); nothing where a gallery has but one.

        ``rank``, from 1, and ``gallery``, how many it is among; ``mrr_at_<g>`` and ``recall_1_at_<g>``, what 1 / rank and
        rank = 1 are on average in a gallery of g, of declared sizes that are not larger; ``mrr_<name>`` and
        ``recall_1_<name>`` by each declared correction, ``_transductive`` behind the name of one that is.
        """
        if self.least < 2:
            return {}
        found = self._laid([self._ranked(predicted[rows], among) for rows, among in self.galleries])
        for name, correction in self.declared.corrections.items():
            corrected = self._corrected(predicted, correction, bank)
            if corrected is not None:
                named = named_correction(name, correction)
                found[f"mrr_{named}"] = 1 / corrected
                found[f"recall_1_{named}"] = (corrected <= 1).astype(np.float64)
        return found

    def _ranked(self, predicted: Floats, among: Gallery) -> dict[str, Floats]:
        rank, size = ranks(predicted, among), len(among.vectors)
        found = {"rank": rank, "gallery": np.full(len(rank), float(size))}
        for smaller in (given for given in self.declared.galleries if given <= self.least):
            found[f"mrr_at_{smaller}"] = reciprocal_in(rank, size, smaller)
            found[f"recall_1_at_{smaller}"] = recall_in(rank, size, smaller, 1)
        return found

    def _laid(self, parts: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
        """What is told of each gallery's rows, in the places of these."""
        places = np.argsort(np.concatenate([rows for rows, _ in self.galleries]), kind="stable")
        return {name: np.concatenate([part[name] for part in parts])[places] for name in parts[0]}

    def _corrected(self, predicted: Floats, declared: Correction, bank: Floats | None) -> Floats | None:
        found = []
        for place, (rows, among) in enumerate(self.galleries):
            queries = self._bank(place, predicted, declared, bank)
            if not len(queries):
                return None
            corrected = ranks(predicted[rows], among, rescored(declared, directions(queries), among.vectors))
            found.append({"rank": corrected})
        return self._laid(found)["rank"]

    def _bank(self, place: int, predicted: Floats, declared: Correction, bank: Floats | None) -> Floats:
        """The queries by which the rows of the gallery at ``place`` are corrected; none where there is no bank."""
        if declared.bank == "transductive":
            return predicted[self.galleries[place][0]]
        if bank is not None:
            return bank
        return predicted[self.banks[place][1]] if self.banks else predicted[:0]


def named_correction(name: str, declared: Correction) -> str:
    """How a correction is called in the names of its metrics."""
    return f"{name}_transductive" if declared.bank == "transductive" else name


def other_folds(rows: pl.DataFrame) -> Banks:
    """Out of fold, the bank for a fold's rows: the rows of other folds, none of whose groups has a row in the fold.

    ``rows``: group_id and ``fold``; without ``fold``, as of a test set, there is none.
    """
    if "fold" not in rows.columns or rows["fold"].null_count():
        return ()
    fold, group = rows["fold"].to_numpy(), rows["group_id"].to_numpy()
    own = [np.flatnonzero(fold == one) for one in np.unique(fold)]
    return [(mine, np.flatnonzero((fold != fold[mine[0]]) & ~np.isin(group, np.unique(group[mine])))) for mine in own]


def errors(truth: Floats, predicted: Floats) -> dict[str, Floats]:
    """Per row: ``squared_error`` and ``absolute_error``, means over its numbers, and ``cosine``, 0 where either is zero."""
    names = ("squared_error", "absolute_error", "cosine")
    blocks = [slice(start, start + AT_ONCE) for start in range(0, len(truth), AT_ONCE)]
    parts = [_errors(truth[block], predicted[block]) for block in blocks]
    return {name: np.concatenate([part[place] for part in parts]) for place, name in enumerate(names)}


def _errors(truth: Floats, predicted: Floats) -> tuple[Floats, Floats, Floats]:
    apart = truth - predicted
    lengths = np.linalg.norm(truth, axis=1) * np.linalg.norm(predicted, axis=1)
    dots = np.sum(truth * predicted, axis=1)
    cosine = np.divide(dots, lengths, out=np.zeros_like(dots), where=lengths > 0)
    return (apart**2).mean(axis=1), np.abs(apart).mean(axis=1), cosine


def with_ranks(told: pl.DataFrame, rows: pl.DataFrame, name: str, target: Target, declared: EvaluateParams) -> pl.DataFrame:
    """``told`` with what ``Ranking`` tells of its vectors beside them; as it is, where the target is no vector.

    ``told`` has row_id, once each, ``vector``, and ``fold`` where it is out of fold. ``rows``, all of the part: row_id, group_id
    and the column ``name``, null where there is no truth; the figures of such rows are null.
    """
    if target.kind != "vector":
        return told
    known = rows.select("row_id", "group_id", name).drop_nulls(name)
    read = told.select(column for column in ("row_id", "vector", "fold") if column in told.columns)
    own = known.join(read, on="row_id", how="inner", maintain_order="left")
    if own.is_empty():
        return told
    found = Ranking(as_array(own[name]), declared, other_folds(own)).of(as_array(own["vector"]))
    return told.join(own.select("row_id").with_columns(**_series(found)), on="row_id", how="left", maintain_order="left")


def _series(found: Mapping[str, Floats]) -> dict[str, pl.Series]:
    return {name: pl.Series(values) for name, values in found.items()}
