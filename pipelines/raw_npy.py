"""A NumPy array as a raw file: a row per place along its first axis. Nothing in it is unpickled."""

from __future__ import annotations

import io

import numpy as np
import polars as pl

from pipelines.raw_arrays import Array, demand_directions, demand_whole, header, lists, texts_of
from pipelines.raw_bytes import Raw

NAME = "the file"
NUMBERS = (np.bool_, np.int64, np.float64)


def array(raw: Raw) -> pl.DataFrame:
    """``place``, from 0, and of a matrix of floats ``vector`` (List(Float32)), of numbers or texts in one dimension ``value``.

    Raises Refusal where the file is cut off, of objects (pickled) or of another shape, and where a vector is zero or not finite.
    """
    values = _array(raw)
    column = _column(raw, values)
    return pl.DataFrame({"place": pl.Series(range(len(values)), dtype=pl.Int64), **column})


def _array(raw: Raw) -> Array:
    if raw.packed:
        data = np.frombuffer(raw.whole(), dtype=np.uint8)
    else:
        data = np.memmap(raw.path, dtype=np.uint8, mode="r") if raw.path.stat().st_size else np.empty(0, np.uint8)
    stream = io.BytesIO(data[: 2**16].tobytes())
    shape, fortran, dtype = header(raw, NAME, stream)
    begins = stream.tell()
    demand_whole(raw, NAME, len(data) - begins, shape, dtype)
    return data[begins:].view(dtype).reshape(shape, order="F" if fortran else "C")


def _column(raw: Raw, values: Array) -> dict[str, pl.Series]:
    if values.ndim == 2 and values.dtype.kind == "f" and values.shape[1]:
        demand_directions(raw, NAME, values)
        return {"vector": lists(values)}
    if values.ndim == 1 and values.dtype.kind in "US":
        return {"value": pl.Series(texts_of(raw, NAME, values), dtype=pl.String)}
    wide = next((kind for kind in NUMBERS if np.can_cast(values.dtype, kind)), None)
    if values.ndim == 1 and wide is not None and values.dtype != np.uint64:
        return {"value": pl.Series(values.astype(wide))}
    raise raw.refused(
        f"is an array of {values.dtype} {values.shape}", "vectors of floats (n, any dimension), or numbers or texts (n,)"
    )
