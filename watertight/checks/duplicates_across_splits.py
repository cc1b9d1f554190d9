"""No text, or nearly the same text, stands both where it is learnt from and where it is predicted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from watertight.checks.base import Found, TableCheck
from watertight.checks.near_duplicates import Pairs, similar_pairs
from watertight.checks.places import places
from watertight.checks.shingles import normalised, shingles, words

SHOWN = 5


class ExpectNoDuplicatesAcrossSplits(TableCheck):
    """No two rows in places that must be apart have the same or nearly the same text in ``column``.

    Apart are two folds of train, and train and either test set (a copy in test_future counts, though it shares groups with
    train); rows set aside or unlabelled do not matter. The same: equal in NFKC, lower case and single blanks. Nearly: the
    pairs of neighbouring words that both have are at least ``threshold`` (in (0, 1]) of those that either has (Jaccard); of
    a text of 60 words three may be changed. Texts of fewer than ``least_words`` words repeat by chance and are not judged;
    null matches nothing. Every row with a twin is named. Figures: ``rows``, ``pairs`` of rows, how many of these are
    ``exact``, and the ``first`` pairs with their similarity.
    """

    column: str
    threshold: float = 0.8
    least_words: int = 8

    def reads(self) -> tuple[str, ...]:
        """The text, and where it stands."""
        return ("row_id", "split", "fold", self.column)

    def find(self, frame: pd.DataFrame) -> Found:
        """The rows with a twin elsewhere."""
        where = places(frame)
        texts = normalised(pl.from_pandas(frame[self.column]).cast(pl.String))
        listed = words(texts)
        judged = np.flatnonzero((listed.list.len() >= self.least_words).fill_null(False).to_numpy() & (where.of >= 0))
        text, firsts = _numbered(texts.gather(judged))
        held = _Held(frame["row_id"].iloc[judged].astype(str).to_numpy(), text, where.of[judged], where.apart)
        pairs = similar_pairs(shingles(listed.gather(judged[firsts])), self.threshold, held.meet)
        rows = held.twins(pairs).tolist()
        return Found(not rows, rows, figures={"rows": len(rows), **held.figures(pairs)})


class _Held:
    """Which rows hold which text in which place; texts and places by their numbers."""

    def __init__(self, rows: NDArray[np.object_], text: NDArray[np.int64], place: NDArray[np.int64], apart: NDArray[np.bool_]):
        self.rows, self.text, self.place, self.apart = rows, text, place, apart
        self.counts = np.zeros((int(text.max(initial=-1)) + 1, len(apart)), dtype=np.int64)
        np.add.at(self.counts, (text, place), 1)
        self.elsewhere = self.counts @ apart

    def meet(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Per pair of texts, whether they stand in places that must be apart."""
        return self._between(one, other) > 0

    def twins(self, pairs: Pairs) -> NDArray[np.object_]:
        """The rows whose text, or one like it, stands elsewhere too."""
        like = np.zeros_like(self.counts)
        np.add.at(like, pairs.first, self.counts[pairs.second])
        np.add.at(like, pairs.second, self.counts[pairs.first])
        return self.rows[(self.elsewhere + like @ self.apart)[self.text, self.place] > 0]

    def figures(self, pairs: Pairs) -> dict[str, Any]:
        """How many pairs of rows there are, how many of them exact, and the first of each."""
        exact = int((self.elsewhere * self.counts).sum()) // 2
        near = int(self._between(pairs.first, pairs.second).sum())
        return {"pairs": exact + near, "exact": exact, "first": list(islice(self._shown(pairs), SHOWN))}

    def _between(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
        return (self.elsewhere[one] * self.counts[other]).sum(axis=1)

    def _shown(self, pairs: Pairs) -> Iterator[list[Any]]:
        """Per text that stands in two places, and per two texts that are alike, two rows and their similarity."""
        for text in np.flatnonzero((self.elsewhere * self.counts).sum(axis=1)):
            yield [*self._two(text, text), 1.0]
        for place in np.argsort(-pairs.similarity, kind="stable"):
            yield [*self._two(pairs.first[place], pairs.second[place]), round(float(pairs.similarity[place]), 3)]

    def _two(self, one: np.int64, other: np.int64) -> tuple[str, str]:
        ways = product(np.flatnonzero(self.text == one), np.flatnonzero(self.text == other))
        first, second = next((a, b) for a, b in ways if self.apart[self.place[a], self.place[b]])
        return str(self.rows[first]), str(self.rows[second])


def _numbered(texts: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Per text a number that equal texts share, and per number where it comes first."""
    number, _ = pd.factorize(texts.to_numpy())
    _, firsts = np.unique(number, return_index=True)
    return number, firsts
