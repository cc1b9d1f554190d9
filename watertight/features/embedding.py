"""The embedding kernel: texts to vectors, each text once per encoder, and their likeness to anchor phrases.

Vectors are rounded to whole multiples of 1/4096 before they are stored. Processors add float32 numbers in
different orders, which moves a component by up to 2e-7. Rounded, up to 4 in 100 vectors still differ, in one
component by one step (unrounded all do, at four decimals 13 in 100; MiniLM on one processor, told in turn to
use older instruction sets). The step costs 1e-6 of cosine. A power of two rather than decimals, because such
numbers and their products are exact in float32: a dot product below 1 has no rounding error, whatever the
order of addition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watertight.core.caches import default_root
from watertight.core.digests import json_digest
from watertight.features.cache import Vector, VectorCache, text_digest
from watertight.features.encoder import Encoder, encoder_folder, fingerprint, load_encoder
from watertight.features.windows import LONGEST_WINDOW, join_windows, split_windows

Progress = Callable[[Iterable[Any], int], Iterable[Any]]

GRID = 4096
# Raise the number whenever the same text and encoder files may give another vector.
RECIPE = {"recipe": 1, "window": LONGEST_WINDOW, "stride": "half", "mean": "tokens", "grid": GRID}
SIMILARITY_DECIMALS = 4

_BLOCK_TEXTS = 1024
_BLOCK_BYTES = 2**17


@dataclass(frozen=True)
class EmbeddingReport:
    """What ``embed`` did, in distinct texts: ``cached`` were in the cache, ``encoded`` are now."""

    cached: int
    encoded: int


def embed(
    texts: pl.Series,
    encoder_name: str,
    *,
    cache_root: Path | None = None,
    progress: Progress | None = None,
) -> tuple[pl.Series, EmbeddingReport]:
    """Each text's vector, and how many were found and how many computed.

    ``texts``: String; a null text gives a null, an empty text the encoder's vector of the empty text. The
    answer has the name and order of ``texts`` and dtype List(Float32), which Parquet holds as a plain
    list<float>: unit vectors but for their rounding to multiples of 1/4096, -1 to 1. A text longer than a
    window of the encoder (at most 512 tokens, special ones included) is the token-weighted mean of windows
    with half stride; ``windows.py`` states the rule.

    A vector depends on its text and the encoder's files alone: not on the other texts, their order, or what
    the cache holds. The encoder is loaded only if a text is missing from the cache, which is in
    ``cache_root``, by default as in ``watertight.core.caches``. ``progress`` wraps the stored texts as they come:
    (iterable, how many).

    Raises TypeError if ``texts`` are not strings, ``EncoderUnavailable``, ``CacheUnusable``, and ValueError
    if the encoder gives a number that is not finite.
    """
    if texts.dtype not in (pl.String, pl.Null):
        raise TypeError(f"texts to embed are strings, but {texts.name!r} is {texts.dtype}")
    distinct = texts.cast(pl.String).drop_nulls().unique(maintain_order=True)
    by_digest = {text_digest(text): text for text in distinct}
    with VectorCache(cache_root or default_root(), space(encoder_name)) as cache:
        vectors = cache.read(list(by_digest))
        missing = {digest: text for digest, text in by_digest.items() if digest not in vectors}
        report = EmbeddingReport(cached=len(vectors), encoded=len(missing))
        vectors |= _encode_missing(missing, encoder_name, cache, progress)
    return _spread(texts, distinct, [vectors[digest] for digest in by_digest]), report


def anchor_similarities(
    vectors: pl.Series,
    anchors: Mapping[str, str | Sequence[str]],
    encoder_name: str,
    *,
    cache_root: Path | None = None,
) -> pl.DataFrame:
    """Likeness of each text to each anchor: a Float32 column per anchor, named and ordered as in ``anchors``.

    ``vectors``: as ``embed`` gave them with the same encoder. An anchor is a phrase or several; its vector is
    the mean of its phrases' vectors. A value is the cosine, -1 to 1, rounded to 4 decimals; null for a null
    vector.

    Raises ValueError if an anchor has no phrase or an empty one, if ``vectors`` have another dimension than
    the encoder's, and all that ``embed`` raises.
    """
    phrases = {name: [given] if isinstance(given, str) else list(given) for name, given in anchors.items()}
    if not phrases:
        return pl.DataFrame()
    directions = _directions(phrases, encoder_name, cache_root)
    likeness = np.full((len(vectors), len(phrases)), np.nan)
    present = vectors.is_not_null().to_numpy()
    likeness[present] = _cosines(_matrix(vectors.drop_nulls(), directions.shape[1]), directions)
    # Adding zero turns -0.0 into 0.0.
    rounded = (np.round(likeness, SIMILARITY_DECIMALS) + 0.0).astype(np.float32)
    return pl.DataFrame(rounded, schema=list(phrases), orient="row").fill_nan(None)


def space(encoder_name: str) -> str:
    """An encoder's place in the cache: 64 hexadecimal digits, from its files' contents and RECIPE."""
    return json_digest({"encoder": fingerprint(encoder_folder(encoder_name)), **RECIPE})


def encode_texts(encoder: Encoder, texts: Sequence[str]) -> Vector:
    """The vectors of ``texts`` without the cache: float32 (texts by dimension), multiples of 1/4096."""
    windows = [split_windows(tokens, encoder.limit) for tokens in encoder.tokens(texts)]
    flat = encoder.encode_windows([window for of_text in windows for window in of_text])
    ends = np.cumsum([len(of_text) for of_text in windows])
    joined = [
        join_windows(flat[end - len(of_text) : end], [len(window) for window in of_text])
        for end, of_text in zip(ends, windows, strict=True)
    ]
    return on_grid(np.reshape(joined, (len(texts), encoder.dimension)))


def on_grid(vectors: NDArray[np.float64]) -> Vector:
    """Vectors rounded to whole multiples of 1/4096, float32."""
    # Adding zero turns -0.0 into 0.0.
    return (np.rint(vectors * GRID) / GRID + 0.0).astype(np.float32)


def _encode_missing(
    missing: Mapping[bytes, str], encoder_name: str, cache: VectorCache, progress: Progress | None
) -> dict[bytes, Vector]:
    if not missing:
        return {}
    stored = _stored_one_by_one(missing, load_encoder(encoder_name), cache)
    return dict(progress(stored, len(missing)) if progress else stored)


def _stored_one_by_one(missing: Mapping[bytes, str], encoder: Encoder, cache: VectorCache) -> Iterator[tuple[bytes, Vector]]:
    for block in _blocks(missing):
        rows = encode_texts(encoder, [missing[digest] for digest in block])
        if not np.isfinite(rows).all():
            raise ValueError(f"the encoder {encoder.name} gave a vector with a number that is not finite")
        cache.write(block, rows)
        yield from zip(block, rows, strict=True)


def _blocks(missing: Mapping[bytes, str]) -> Iterator[list[bytes]]:
    """Digests in blocks that are stored at once, like lengths together: little padding, bounded memory."""
    sizes = {digest: len(text.encode()) for digest, text in missing.items()}
    block: list[bytes] = []
    room = _BLOCK_BYTES
    for digest in sorted(sizes, key=lambda each: (-sizes[each], each)):
        if block and (sizes[digest] > room or len(block) == _BLOCK_TEXTS):
            yield block
            block, room = [], _BLOCK_BYTES
        block.append(digest)
        room -= sizes[digest]
    if block:
        yield block


def _spread(texts: pl.Series, distinct: pl.Series, vectors: Sequence[Vector]) -> pl.Series:
    if not vectors:
        return pl.Series(texts.name, [None] * len(texts), dtype=pl.List(pl.Float32))
    matrix = np.stack(vectors)
    once = pl.DataFrame({"text": distinct, "vector": pl.Series(matrix).arr.to_list()})
    asked = texts.cast(pl.String).to_frame("text")
    return asked.join(once, on="text", how="left", maintain_order="left")["vector"].alias(texts.name)


def _directions(phrases: Mapping[str, Sequence[str]], encoder_name: str, cache_root: Path | None) -> NDArray[np.float64]:
    if bare := [name for name, given in phrases.items() if not given or not all(given)]:
        raise ValueError(f"anchors without a phrase, or with an empty one: {', '.join(bare)}")
    every = pl.Series([phrase for given in phrases.values() for phrase in given], dtype=pl.String)
    vectors, _ = embed(every, encoder_name, cache_root=cache_root)
    matrix = _matrix(vectors, len(vectors[0]))
    ends = np.cumsum([len(given) for given in phrases.values()])
    return np.stack([part.mean(axis=0) for part in np.split(matrix, ends[:-1])])


def _matrix(vectors: pl.Series, dimension: int) -> NDArray[np.float64]:
    lists = vectors.cast(pl.List(pl.Float64))
    lengths = lists.list.len()
    if others := lengths.filter(lengths != dimension).unique().to_list():
        raise ValueError(f"vectors of {others[0]} numbers, but anchors of {dimension}; use the same encoder")
    return np.reshape(lists.explode(empty_as_null=False).to_numpy(), (len(lists), dimension))


def _cosines(vectors: NDArray[np.float64], directions: NDArray[np.float64]) -> NDArray[np.float64]:
    norms = np.linalg.norm(vectors, axis=1)[:, None] * np.linalg.norm(directions, axis=1)
    cosines: NDArray[np.float64] = (vectors @ directions.T) / norms
    return cosines
