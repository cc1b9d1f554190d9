"""Counts of the n-grams of texts, each text cut once in a process however many fits read it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from threading import Lock
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Analyzer = Literal["word", "char_wb"]
Span = tuple[int, int]
KEPT_AT_MOST = 20_000_000
"""N-grams of texts that are kept between calls, 8 bytes each beside the names."""


class NGrams:
    """Texts as rows of counts. What is kept between calls is which n-grams a text has, which depends on it alone; the
    columns that a caller gets are those of its own texts, in the order of the alphabet. Safe to ask from several threads.
    """

    def __init__(self, analyzer: Analyzer, span: Span) -> None:
        from sklearn.feature_extraction.text import CountVectorizer  # a second to import

        self._cut = CountVectorizer(analyzer=analyzer, ngram_range=span).build_analyzer()
        self._places: dict[str, int] = {}
        self._rows: dict[str, tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]] = {}
        self._kept = 0
        self._lock = Lock()

    def count(self, texts: Sequence[str], least: int) -> tuple[csr_array, list[str]]:
        """Counts, int32 (texts, n-grams), of the n-grams that stand in at least ``least`` of ``texts``; and these n-grams."""
        with self._lock:
            if self._kept > KEPT_AT_MOST:
                self._places, self._rows, self._kept = {}, {}, 0
            rows = [self._row(text) for text in texts]
            named = list(self._places)
        ends = np.cumsum([0, *(len(places) for places, _ in rows)])
        places, counts = (np.concatenate(parts) for parts in zip(*rows))
        often = np.flatnonzero(np.bincount(places, minlength=len(named)) >= least)
        kept = sorted(often, key=named.__getitem__)
        chosen = csr_array((counts, places, ends), shape=(len(texts), len(named)))[:, np.array(kept, dtype=np.int64)]
        chosen.sort_indices()
        return chosen, [named[place] for place in kept]

    def _row(self, text: str) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """The places of a text's n-grams, and how often each stands in it."""
        if text not in self._rows:
            known = self._places
            found = np.fromiter((known.setdefault(gram, len(known)) for gram in self._cut(text)), np.int32)
            places, counts = np.unique(found, return_counts=True)
            self._rows[text] = places, counts.astype(np.int32)
            self._kept += len(places)
        return self._rows[text]


@cache
def ngrams(analyzer: Analyzer, span: Span) -> NGrams:
    """The one counter of a process for these n-grams, scikit-learn's: lower case, words of two letters or more."""
    return NGrams(analyzer, span)
