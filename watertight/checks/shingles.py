"""Texts as sets of shingles: two neighbouring words each, in whatever case, script form and spacing they were written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

WORDS = 2
ONE_SIGN_WORDS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
TOKEN = rf"[{ONE_SIGN_WORDS}]|\w+"
ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Shingles:
    """Hashed shingles, uint64: those of text ``i`` are ``hashes[starts[i]:starts[i + 1]]``; one may come twice."""

    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]

    def of(self, texts: NDArray[np.int64]) -> Shingles:
        """The shingles of some texts, by their numbers."""
        sizes = np.diff(self.starts)[texts]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        taken = np.arange(starts[-1]) + np.repeat(self.starts[texts] - starts[:-1], sizes)
        return Shingles(self.hashes[taken], starts)


def normalised(texts: pl.Series) -> pl.Series:
    """``texts`` (strings) in NFKC, lower case and with single blanks; null stays null."""
    plain = texts.str.len_bytes() == texts.str.len_chars()
    composed = texts.filter(~plain.fill_null(True)).str.normalize("NFKC")
    whole = texts.scatter((~plain.fill_null(True)).arg_true(), composed) if len(composed) else texts
    return whole.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def words(texts: pl.Series) -> pl.Series:
    """The words of normalised texts, as lists; in scripts that set no blanks between words each sign is one."""
    return texts.str.extract_all(TOKEN)


def shingles(words: pl.Series) -> Shingles:
    """The shingles of lists of words; a text of fewer than two words has one shingle, filled up with nothing."""
    short = words.list.len() < WORDS
    filled = pl.select(pl.when(short).then(pl.concat_list(words, pl.lit([""] * WORDS)).list.head(WORDS)).otherwise(words))
    lists = filled.to_series()
    sizes = lists.list.len().cast(pl.Int64).to_numpy()
    hashes = lists.explode().hash(seed=0).to_numpy()
    pairs = hashes[:-1] * ODD + hashes[1:] if len(hashes) else hashes
    last = np.cumsum(sizes)[:-1] - 1
    return Shingles(np.delete(pairs, last), np.concatenate([[0], np.cumsum(sizes - 1)]))
