"""What an entity's labelled texts said, on average: labels and the vectors of their texts in, state rows out.

How an author rates, beside what the texts say: the labels' mean less what a linear model makes of the texts' mean
is the mean residual of the past, which with the count is all that a random intercept needs (Laird & Ware 1982).
The rules of time are those of ``docs/point-in-time.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watertight.features.timelines import STAMPS, check_names, count_so_far, mean_so_far, news_of, source_so_far, timelines

PLACE = "vector_place"


def temporal_texts(labels: pl.DataFrame, vectors: pl.Series, names: Sequence[str]) -> pl.DataFrame:
    """Fold each entity's labels, and the vectors of the texts that they label, into one row per instant of news.

    What is known when, what enters together, and what a correction changes: as in
    :func:`watertight.features.temporal_state.temporal_state`, of whose rows these have the keys and times. A
    corrected version brings its own text along.

    Args:
        labels: as for ``temporal_state``.
        vectors: one per row of ``labels``, lists of numbers, all of one length, as ``embed`` gives them: multiples
            of 1/4096, -1 to 1, or means of two such. Null for a row without a text.
        names: the label columns.

    Returns:
        One row per (key, known_at), sorted by (key, event_timestamp): ``key``, ``event_timestamp``,
        ``created_timestamp``; and for each name L:

        - ``L_count`` (Int64) and ``L_mean`` (Float32): every label known, with a text or without, as in
          ``temporal_state``, bit for bit;
        - ``L_text`` (List(Float32)): the mean vector of the texts whose label L is counted, each component in
          [-1, 1]; null without one. A label without a text is counted and has no part in it.

        Then ``source_at`` (Int64, microseconds since 1970): the newest ``known_at`` among the labels folded in.

        Sums are Float64, in which multiples of 1/8192 add up exactly to 2^40 texts. So a mean depends neither on the
        order of addition nor on what else is in the batch; it is rounded to Float32 once, at the end.

        Time grows as in ``temporal_state``, times the vectors' length. Memory: the vectors and the answer in
        Float32, and a key's longest timeline twice in Float64.

    Raises:
        ValueError: vectors that do not fit the labels or one another, and all that ``temporal_state`` raises.
    """
    check_names(names)
    there, matrix = vectors.is_not_null().to_numpy(), _matrix(vectors, labels.height)
    known = timelines(labels.with_columns(pl.int_range(pl.len()).alias(PLACE)), names, carry=[PLACE])
    figures = [figure.over("timeline") for name in names for figure in (count_so_far(name), mean_so_far(name))]
    folded = known.with_columns(*figures, source_so_far().over("timeline"), row_place=pl.int_range(pl.len()))
    news = news_of(folded)
    texts = [_texts_so_far(folded, news["row_place"].to_numpy(), name, there, matrix) for name in names]
    return news.with_columns(*texts).select(
        *STAMPS,
        *[column for name in names for column in _columns(name)],
        pl.col("source_at").dt.epoch("us"),
    )


def _columns(name: str) -> Iterator[pl.Expr]:
    yield pl.col(f"{name}_count")
    yield pl.col(f"{name}_mean").cast(pl.Float32)
    yield pl.col(f"{name}_text")


def _texts_so_far(
    known: pl.DataFrame, at: NDArray[np.int64], name: str, there: NDArray[np.bool_], matrix: NDArray[np.float32]
) -> pl.Series:
    """``<name>_text`` after the rows ``at`` of ``known``: the mean vector of their timeline up to there."""
    place = known[PLACE].to_numpy()
    counted = known[name].is_not_null().to_numpy() & there[place]
    means = np.empty((len(at), matrix.shape[1]), dtype=np.float32)
    some = np.empty(len(at), dtype=np.bool_)
    for begin, end in _spans(known["timeline"]):
        mine = slice(*np.searchsorted(at, [begin, end]))
        rows, asked = slice(begin, end), at[mine] - begin
        sums = np.where(counted[rows, None], matrix[place[rows]], 0.0).cumsum(axis=0, dtype=np.float64)[asked]
        counts = counted[rows].cumsum()[asked]
        means[mine] = sums / np.maximum(counts, 1)[:, None]
        some[mine] = counts > 0
    lists = pl.Series(values=means, dtype=pl.Array(pl.Float32, means.shape[1])).arr.to_list()
    return lists.to_frame("mean").select(pl.when(pl.Series(some)).then("mean")).to_series().alias(f"{name}_text")


def _spans(timeline: pl.Series) -> Iterator[tuple[int, int]]:
    """Where each timeline begins and ends."""
    begins = timeline.is_first_distinct().arg_true().to_list()
    return pairwise([*begins, len(timeline)])


def _matrix(vectors: pl.Series, rows: int) -> NDArray[np.float32]:
    """The vectors one below another, float32 (rows, their length); zeros for a null."""
    lists = vectors.cast(pl.List(pl.Float32))
    lengths = lists.list.len().drop_nulls().unique().to_list()
    if len(vectors) != rows or len(lengths) > 1:
        raise ValueError(f"{rows} rows of labels need as many vectors of one length; got {len(vectors)} of lengths {lengths}")
    matrix = np.zeros((rows, max(lengths, default=0)), dtype=np.float32)
    flat = lists.drop_nulls().explode(empty_as_null=False).to_numpy()
    matrix[lists.is_not_null().to_numpy()] = flat.reshape(-1, matrix.shape[1]) if matrix.size else 0.0
    return matrix
