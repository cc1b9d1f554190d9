"""Long text as overlapping windows of tokens, and back to one vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

LONGEST_WINDOW = 512


def window_bounds(tokens: int, size: int) -> list[tuple[int, int]]:
    """Where the windows over ``tokens`` tokens begin and end: half-open (start, stop) pairs, in order.

    The rule: windows start at 0, s, 2s, … with the half stride s = ``size // 2``, each ``size`` tokens long,
    and the first that reaches the last token ends there and is the last. So a text of at most ``size`` tokens
    is one window; only the last window can be shorter than ``size``; and none is contained in another, since
    each one reaches at least one token that the one before does not. An empty text has the one empty window
    (0, 0).

    Raises ValueError if ``size`` is below 2 (no half stride) or ``tokens`` is negative.
    """
    if size < 2 or tokens < 0:
        raise ValueError(f"windows need a size of at least 2 and no negative length, not {size} and {tokens}")
    stride = size // 2
    starts = range(0, max(tokens - size, 0) + stride, stride)
    return [(start, min(start + size, tokens)) for start in starts]


def split_windows(tokens: Sequence[int], size: int) -> list[Sequence[int]]:
    """The windows of ``window_bounds`` cut out of a text's token ids; at least one, which is empty for no
    tokens."""
    return [tokens[start:stop] for start, stop in window_bounds(len(tokens), size)]


def join_windows(vectors: ArrayLike, lengths: Sequence[int]) -> NDArray[np.float64]:
    """One unit vector for a text from its windows' vectors (windows by dimension): float64, (dimension,).

    The mean of the window vectors, each weighted by the number of its own tokens (``lengths``; special tokens
    not counted, a token in two windows counted in both), divided by its L2 norm. The one window of an empty
    text weighs 1. A zero mean has no direction and stays zero.
    """
    mean = np.average(np.asarray(vectors, dtype=np.float64), axis=0, weights=np.maximum(lengths, 1))
    norm = np.sqrt(np.sum(mean * mean))
    return mean / norm if norm > 0 else mean
