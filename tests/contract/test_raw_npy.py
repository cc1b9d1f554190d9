"""An array as a raw file: a row per place, and each fault told; nothing is unpickled."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipelines.raw_file import read_raw
from watertight.core.errors import Refusal

VECTORS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


def written(folder: Path, values: Any) -> Path:
    np.save(folder / "vectors.npy", values, allow_pickle=True)
    return folder / "vectors.npy"


@pytest.mark.parametrize("values", [VECTORS, VECTORS.astype(np.float64), np.asfortranarray(VECTORS), VECTORS.astype(">f4")])
def test_a_matrix_is_a_vector_for_each_place(tmp_path: Path, values: Any) -> None:
    found = read_raw(written(tmp_path, values))
    assert found.schema == {"place": pl.Int64(), "vector": pl.List(pl.Float32)}
    assert found["place"].to_list() == [0, 1, 2, 3, 4]
    assert np.array_equal(np.array(found["vector"].to_list(), np.float32), VECTORS)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([3, -1, 2**40]), pl.Int64),
        (np.array([3, 1], np.uint8), pl.Int64),
        (np.array([0.5, 2.0], np.float32), pl.Float64),
        (np.array([0.5, 2.0], np.float16), pl.Float64),
        (np.array([True, False]), pl.Boolean),
        (np.array(["img0", "Straße"]), pl.String),
        (np.array([b"img0", b"img1"]), pl.String),
    ],
    ids=str,
)
def test_one_dimension_is_a_value_for_each_place(tmp_path: Path, values: Any, kind: Any) -> None:
    found = read_raw(written(tmp_path, values))
    assert found.schema == {"place": pl.Int64(), "value": kind()}
    assert found["value"].to_list() == [value.decode() if isinstance(value, bytes) else value for value in values.tolist()]


def test_one_packed_with_gzip_reads_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, VECTORS)
    packed = tmp_path / "vectors.npy.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_raw(packed).equals(read_raw(path))


def spoilt(value: float) -> Any:
    values = VECTORS.copy()
    values[3] = value
    return values


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (spoilt(np.nan), r"1 vector\(s\) in the file that are zero or not finite; rows \(from 0\): 3"),
        (spoilt(np.inf), r"1 vector\(s\) in the file that are zero or not finite; rows \(from 0\): 3"),
        (spoilt(0), r"1 vector\(s\) in the file that are zero or not finite; rows \(from 0\): 3"),
        (VECTORS.astype(int), r"is an array of int64 \(5, 3\)"),
        (VECTORS[:, :0], r"is an array of float32 \(5, 0\)"),
        (VECTORS[None], r"is an array of float32 \(1, 5, 3\)"),
        (np.float32(3), r"is an array of float32 \(\)"),
        (VECTORS[0].astype(complex), r"is an array of complex128 \(3,\)"),
        (np.array([2**63], np.uint64), r"is an array of uint64 \(1,\)"),
        (np.array([b"\xff"]), "has text in the file that is not UTF-8"),
    ],
    ids=["NaN", "infinite", "zero", "whole numbers", "no numbers", "a block", "a number", "complex", "too large", "not UTF-8"],
)
def test_a_fault_is_told(tmp_path: Path, values: Any, told: str) -> None:
    with pytest.raises(Refusal, match=told) as caught:
        read_raw(written(tmp_path, values))
    assert "vectors.npy" in str(caught.value)
    assert "nothing was changed" in str(caught.value)


class Trap:
    """What would write a file if it were unpickled."""

    def __init__(self, to: Path) -> None:
        self.to = to

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.to, "run"))


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    path = written(tmp_path, np.array([Trap(tmp_path / "ran")], dtype=object))
    assert b"ran" in path.read_bytes()
    with pytest.raises(Refusal, match="pickled objects in the file"):
        read_raw(path)
    assert not (tmp_path / "ran").exists()


def test_a_file_that_is_cut_off_or_has_more_behind_it_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, VECTORS)
    whole = path.read_bytes()
    for part in (b"", whole[:4], whole[:40], whole[:128], whole[: len(whole) // 2], whole[:-1], whole + b"\0"):
        path.write_bytes(part)
        with pytest.raises(Refusal, match=r"vectors\.npy"):
            read_raw(path)
