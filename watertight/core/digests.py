"""Digests that say *which rows*: of files, of row sets, of the rows that a model was fitted on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

SHORT = 16


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def json_digest(value: Any) -> str:
    """sha256 of a JSON-able value in canonical form (sorted keys, UTF-8)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def ids_digest(ids: Iterable[str]) -> str:
    """Digest of a *set* of ids: sorted, each once, so that order and repeats do not matter."""
    return json_digest(sorted(set(ids)))[:SHORT]


def row_set_digest(rows: pl.DataFrame, target: str) -> str:
    """Digest of the pairs (row_id, value of ``target``), in order of row_id.

    Two figures may be compared only if these digests are equal: the same rows with the same labels. Scalars enter
    with all their digits, classes as text, vectors by a digest of their numbers. Raises ValueError if a row_id stands twice.
    """
    pairs = rows.select("row_id", target).sort("row_id")
    if pairs["row_id"].n_unique() != pairs.height:
        raise ValueError("a row set holds each row_id once")
    if pairs.schema[target].is_nested():
        return json_digest(list(zip(pairs["row_id"], map(_numbers_digest, pairs[target]), strict=True)))[:SHORT]
    return json_digest(pairs.rows())[:SHORT]


def _numbers_digest(vector: pl.Series | None) -> str | None:
    """Of float64 numbers, whichever type holds them; null where there is no vector."""
    if vector is None:
        return None
    numbers = vector.cast(float).to_numpy()
    return hashlib.sha256(numbers.tobytes()).hexdigest()[:SHORT]


def unit_interval(seed: int, *parts: str) -> float:
    """A number in [0, 1) that depends on ``seed`` and ``parts`` alone: the same on every machine, for ever."""
    digest = hashlib.blake2b("\x1f".join([str(seed), *parts]).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
