"""NumPy arrays in raw files: the header is looked at first, objects are never unpickled, and every vector has a direction."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from pipelines.raw_bytes import Raw

Array = npt.NDArray[Any]

BLOCK = 2**14


def header(raw: Raw, name: str, stream: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and type; raises Refusal for objects, which only unpickling could read."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        shape, fortran, dtype = readers[np.lib.format.read_magic(stream)](stream)
    except (ValueError, KeyError) as error:
        raise raw.refused(f"has no array in {name}: {error}", "arrays as numpy.savez writes them") from error
    if dtype.hasobject:
        raise raw.refused(
            f"has pickled objects in {name}, which are never loaded: they could run any code",
            "numbers and fixed-width text, such as dtype float32 or <U200",
            "write the array with a dtype of its own (texts: np.asarray(texts, dtype=str))",
        )
    return shape, fortran, dtype


def demand_whole(raw: Raw, name: str, has: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise Refusal where the bytes behind the header are not as many as it promises."""
    promised = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if has != promised:
        told = f"has {has:,} bytes of numbers in {name}, where its header promises {promised:,}"
        raise raw.refused(told, "an array of the size that its header says", "get the whole file")


def demand_directions(raw: Raw, name: str, values: Array) -> None:
    """Raise Refusal for vectors, the rows of ``values``, that are zero or not finite."""
    blocks = (values[start : start + BLOCK] for start in range(0, len(values), BLOCK))
    lengths = [np.linalg.norm(block.astype(np.float64), axis=1) for block in blocks]
    bad = np.flatnonzero(~np.concatenate([np.isfinite(length) & (length > 0) for length in lengths] or [np.empty(0, bool)]))
    if len(bad):
        raise raw.refused(
            f"has {len(bad)} vector(s) in {name} that are zero or not finite; rows (from 0): {', '.join(map(str, bad[:5]))}",
            "finite vectors with a direction",
            "embed these anew, or leave them out",
        )


def texts_of(raw: Raw, name: str, values: Array) -> list[str]:
    """Fixed-width text as strings; raises Refusal where bytes are not UTF-8."""
    try:
        return [value.decode() if isinstance(value, bytes) else value for value in values.tolist()]
    except UnicodeDecodeError as error:
        raise raw.refused(f"has text in {name} that is not UTF-8", "text in UTF-8") from error


def lists(values: Array) -> pl.Series:
    """The rows of a matrix as lists of Float32."""
    flat = pa.array(np.ascontiguousarray(values, dtype=np.float32).reshape(-1))
    return pl.Series(pa.FixedSizeListArray.from_arrays(flat, values.shape[1])).cast(pl.List(pl.Float32))
