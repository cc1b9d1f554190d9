"""When authors write and when their texts are labelled: irregular rhythms, late labels, a few exact ties."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

START = datetime(2025, 1, 1, tzinfo=UTC)
DAY_SECONDS = 86_400
_DELAY_MEDIAN_HOURS = 14.0
_DELAY_SPREAD = 1.1
_ROWS_PER_TIE = 650
_STAYING = 0.7


def visits(authors: int, reflections: int, days: int, rng: np.random.Generator) -> pl.DataFrame:
    """Who wrote when: `author` and `second` (since START), Int64, one row a reflection, by author then time.

    Every author has at least one row; the numbers are heavy-tailed. About one row in 650 (but at least one,
    where an author has two) is written in the very same second as the author's row before it.
    """
    author = np.repeat(np.arange(authors), _row_counts(authors, reflections, rng))
    day = np.floor(_moments(author, authors, days, rng)).astype(np.int64)
    hour = rng.uniform(7, 24, authors)[author] + rng.normal(0, 2.5, len(author))
    second = day * DAY_SECONDS + (hour % 24 * 3600).astype(np.int64)
    second = second[np.lexsort((second, author))]
    return pl.DataFrame({"author": author, "second": _tied(author, second, rng)})


def label_seconds(second: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """The second in which each row is labelled: a lognormal delay, median 14 h, 98 % in 1 h to 8 days."""
    hours = rng.lognormal(np.log(_DELAY_MEDIAN_HOURS), _DELAY_SPREAD, len(second))
    return second + np.maximum(60, (hours * 3600).astype(np.int64))


def _row_counts(authors: int, reflections: int, rng: np.random.Generator) -> NDArray[np.int64]:
    activity = rng.lognormal(0.0, 1.1, authors)
    return 1 + rng.multinomial(reflections - authors, activity / activity.sum())


def _moments(author: NDArray[np.int64], authors: int, days: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Days since START, increasing per author: gamma gaps over an own span, steady to bursty."""
    shape = np.exp(rng.uniform(np.log(0.4), np.log(4.0), authors))
    gaps = np.maximum(rng.standard_gamma(shape[author]), 1e-9)
    total = np.bincount(author, gaps, authors)
    cumulated = np.cumsum(gaps) - (np.cumsum(total) - total)[author]
    fraction = cumulated / (total + rng.standard_gamma(shape))[author]
    joined = days * rng.uniform(0, 0.7, authors)
    stayed = rng.random(authors) < _STAYING
    span = (days - joined) * np.where(stayed, 1.0, rng.beta(3, 1, authors))
    return np.asarray(np.minimum(joined[author] + span[author] * fraction, np.nextafter(days, 0)))


def _tied(author: NDArray[np.int64], second: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    candidates = np.flatnonzero(author[1:] == author[:-1]) + 1
    ties = min(len(candidates), max(1, len(author) // _ROWS_PER_TIE))
    tied = second.copy()
    for row in np.sort(rng.choice(candidates, ties, replace=False)) if ties else ():
        tied[row] = tied[row - 1]
    return tied
