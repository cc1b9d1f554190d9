"""Bytes of many rows at once, against bytes put together row by row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from watertight.stores.wire.pieces import data_of, joined, lengths_of, of_buffer, varint, varints

PIECES = st.lists(st.binary(max_size=300))


@given(PIECES)
def test_pieces_are_joined_row_by_row(rows: list[bytes]) -> None:
    pieces = pa.array(rows, pa.large_binary())
    assert joined(b"<", pieces, b"|", pieces).to_pylist() == [b"<" + row + b"|" + row for row in rows]


@given(PIECES, st.integers(0, 3))
def test_a_slice_is_measured_and_read_as_its_rows(rows: list[bytes], skipped: int) -> None:
    pieces = pa.array(rows, pa.large_binary()).slice(skipped)
    assert bytes(data_of(pieces)) == b"".join(rows[skipped:])
    assert lengths_of(pieces).tolist() == [len(row) for row in rows[skipped:]]


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1))
def test_varints_of_a_column_are_those_of_each_number(numbers: list[int]) -> None:
    assert varints(np.array(numbers)).to_pylist() == [varint(number) for number in numbers]


def test_a_varint_of_more_than_seven_bits() -> None:
    """The example of https://protobuf.dev/programming-guides/encoding/#varints."""
    assert varint(150) == b"\x96\x01"


def test_a_buffer_is_cut_without_a_copy() -> None:
    data = np.arange(6, dtype=np.uint8)
    pieces = of_buffer(data, np.array([0, 2, 2, 6]))
    data[0] = 9
    assert pieces.to_pylist() == [b"\x09\x01", b"", b"\x02\x03\x04\x05"]
