"""Which label key a feature row has: a hash table over the labels' keys, asked for millions of rows."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numba
import numpy as np
import numpy.typing as npt

from watertight.stores.point_in_time.slots import Codes, Longs

Known = npt.NDArray[np.bool_]

NO_KEY = -1
_FIBONACCI = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


class ByteStrings(NamedTuple):
    """Strings as Arrow keeps them: ``data`` uint8, and ``offsets`` (n + 1,) int64 into it."""

    data: npt.NDArray[np.uint8]
    offsets: Longs


class Lookup(Protocol):
    """Codes of keys: 0, 1, … ``count`` - 1 in order of first appearance; ``codes`` (n,) are those of the labels."""

    codes: Codes
    count: int

    def of(self, keys: Any, known: Known) -> Codes:
        """The codes of other keys (m,), -1 where no label has the key or it is not ``known`` (m,)."""
        ...


class LongLookup:
    """Codes of 64-bit keys."""

    def __init__(self, keys: Longs, known: Known) -> None:
        self.table = np.full(_size(len(keys)), NO_KEY, np.int32)
        self.entered = np.empty(len(keys), np.int64)
        self.codes, self.count = _enter_longs(keys, known, self.table, self.entered)

    def of(self, keys: Longs, known: Known) -> Codes:
        """See Lookup."""
        return _find_longs(keys, known, self.table, self.entered)


class BytesLookup:
    """Codes of keys that are strings of bytes."""

    def __init__(self, keys: ByteStrings, known: Known) -> None:
        self.table = np.full(_size(len(known)), NO_KEY, np.int32)
        self.keys = keys
        self.first = np.empty(len(known), np.int64)
        self.codes, self.count = _enter_bytes(keys.data, keys.offsets, known, self.table, self.first)

    def of(self, keys: ByteStrings, known: Known) -> Codes:
        """See Lookup."""
        return _find_bytes(keys.data, keys.offsets, known, self.table, self.first, self.keys.data, self.keys.offsets)


def _size(keys: int) -> int:
    """A power of two, so that the table is at most half full."""
    return 1 << max(4, int(2 * keys).bit_length())


@numba.njit(cache=True, nogil=True)
def _mixed(value: Any) -> Any:
    """Fibonacci hashing (Knuth, TAOCP 6.4), folded before so that keys that differ in high bits only are parted, too."""
    folded = np.uint64(value) ^ (np.uint64(value) >> _HALF)
    return np.int64((folded * _FIBONACCI) >> _HALF)


@numba.njit(cache=True, nogil=True)
def _enter_longs(keys: Longs, known: Known, table: Codes, entered: Longs) -> tuple[Codes, int]:
    codes = np.full(len(keys), NO_KEY, np.int32)
    mask, count = len(table) - 1, 0
    for i in range(len(keys)):
        if not known[i]:
            continue
        place = _mixed(keys[i]) & mask
        while table[place] >= 0 and entered[table[place]] != keys[i]:
            place = (place + 1) & mask
        if table[place] < 0:
            table[place] = count
            entered[count] = keys[i]
            count += 1
        codes[i] = table[place]
    return codes, count


@numba.njit(cache=True, nogil=True)
def _find_longs(keys: Longs, known: Known, table: Codes, entered: Longs) -> Codes:
    codes = np.full(len(keys), NO_KEY, np.int32)
    mask = len(table) - 1
    last, code, asked = np.int64(0), np.int32(NO_KEY), False
    for i in range(len(keys)):
        if not known[i]:
            continue
        # Rows of one key often stand together.
        if not asked or keys[i] != last:
            last, asked = keys[i], True
            place = _mixed(last) & mask
            while table[place] >= 0 and entered[table[place]] != last:
                place = (place + 1) & mask
            code = table[place]
        codes[i] = code
    return codes


@numba.njit(cache=True, nogil=True)
def _hashed(data: npt.NDArray[np.uint8], begin: int, end: int) -> Any:
    """FNV-1a (Fowler, Noll, Vo), mixed at the end since the table takes low bits."""
    value = np.uint64(0xCBF29CE484222325)
    for i in range(begin, end):
        value = (value ^ np.uint64(data[i])) * np.uint64(0x100000001B3)
    return _mixed(np.int64(value))


@numba.njit(cache=True, nogil=True)
def _same(a: npt.NDArray[np.uint8], a_begin: int, a_end: int, b: npt.NDArray[np.uint8], b_begin: int, b_end: int) -> bool:
    if a_end - a_begin != b_end - b_begin:
        return False
    for i in range(a_end - a_begin):  # noqa: SIM110 numba takes no generator
        if a[a_begin + i] != b[b_begin + i]:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _enter_bytes(data: npt.NDArray[np.uint8], offsets: Longs, known: Known, table: Codes, first: Longs) -> tuple[Codes, int]:
    """``first`` becomes the place of the first label of each key."""
    codes = np.full(len(known), NO_KEY, np.int32)
    mask, count = len(table) - 1, 0
    for i in range(len(known)):
        if not known[i]:
            continue
        begin, end = offsets[i], offsets[i + 1]
        place = _hashed(data, begin, end) & mask
        while table[place] >= 0:
            other = first[table[place]]
            if _same(data, begin, end, data, offsets[other], offsets[other + 1]):
                break
            place = (place + 1) & mask
        if table[place] < 0:
            table[place] = count
            first[count] = i
            count += 1
        codes[i] = table[place]
    return codes, count


@numba.njit(cache=True, nogil=True)
def _find_bytes(
    data: npt.NDArray[np.uint8],
    offsets: Longs,
    known: Known,
    table: Codes,
    first: Longs,
    entered: npt.NDArray[np.uint8],
    entered_offsets: Longs,
) -> Codes:
    codes = np.full(len(known), NO_KEY, np.int32)
    mask, last = len(table) - 1, -1
    for i in range(len(known)):
        if not known[i]:
            continue
        begin, end = offsets[i], offsets[i + 1]
        # Rows of one key often stand together.
        if last >= 0 and _same(data, begin, end, data, offsets[last], offsets[last + 1]):
            codes[i] = codes[last]
            continue
        last = i
        place = _hashed(data, begin, end) & mask
        while table[place] >= 0:
            other = first[table[place]]
            if _same(data, begin, end, entered, entered_offsets[other], entered_offsets[other + 1]):
                break
            place = (place + 1) & mask
        codes[i] = table[place]
    return codes
