from __future__ import annotations

import hashlib
import math
from pathlib import Path

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import kstest

from watertight.core.digests import file_digest, ids_digest, json_digest, row_set_digest, unit_interval

ids = st.lists(st.text(max_size=6), max_size=12)
labels = st.floats(allow_nan=False)
labelled_rows = st.dictionaries(st.text(max_size=6), labels, min_size=1, max_size=12)


def table(pairs: dict[str, float]) -> pl.DataFrame:
    return pl.DataFrame({"row_id": list(pairs), "y": list(pairs.values())}, schema={"row_id": pl.String, "y": pl.Float64})


def test_a_file_digest_is_the_sha256_of_its_bytes(tmp_path: Path) -> None:
    body = bytes(range(256)) * 4097
    (tmp_path / "file").write_bytes(body)
    assert file_digest(tmp_path / "file") == hashlib.sha256(body).hexdigest()


def test_a_json_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert json_digest({"a": 1, "b": [1, 2]}) == json_digest({"b": [1, 2], "a": 1})
    assert json_digest({"a": [1, 2]}) != json_digest({"a": [2, 1]})


@given(ids, ids, st.randoms(use_true_random=False))
def test_an_ids_digest_is_that_of_a_set(first: list[str], second: list[str], chance) -> None:
    shuffled = [*first, *first[:3]]
    chance.shuffle(shuffled)
    assert ids_digest(shuffled) == ids_digest(first)
    assert (ids_digest(first) == ids_digest(second)) == (set(first) == set(second))


def test_ids_that_hold_a_line_break_are_not_two_ids() -> None:
    assert ids_digest(["a\nb"]) != ids_digest(["a", "b"])


@given(labelled_rows, st.randoms(use_true_random=False))
def test_a_row_set_digest_does_not_depend_on_row_order_or_other_columns(pairs: dict[str, float], chance) -> None:
    rows = table(pairs)
    order = list(range(rows.height))
    chance.shuffle(order)
    assert row_set_digest(rows[order].with_columns(other=pl.lit(1)), "y") == row_set_digest(rows, "y")


@given(labelled_rows, labels, st.data())
def test_a_row_set_digest_changes_with_one_label_one_id_or_one_row(pairs: dict[str, float], label: float, data) -> None:
    digest, name = row_set_digest(table(pairs), "y"), data.draw(st.sampled_from(sorted(pairs)))
    assume(repr(label) != repr(pairs[name]))
    assert row_set_digest(table(pairs | {name: label}), "y") != digest
    assert row_set_digest(table({f"{key}!" if key == name else key: value for key, value in pairs.items()}), "y") != digest
    assert row_set_digest(table({key: value for key, value in pairs.items() if key != name}), "y") != digest


def test_a_row_set_digest_sees_the_last_bit_of_a_label() -> None:
    assert row_set_digest(table({"a": 0.1}), "y") != row_set_digest(table({"a": math.nextafter(0.1, 1)}), "y")


def test_a_row_set_digest_of_classes_and_of_vectors() -> None:
    classes = pl.DataFrame({"row_id": ["a", "b"], "y": ["yes", "no"]})
    assert row_set_digest(classes, "y") != row_set_digest(classes.with_columns(y=pl.Series(["no", "yes"])), "y")
    vectors = pl.DataFrame({"row_id": ["a"], "y": [[1.0, 2.0]]})
    assert row_set_digest(vectors, "y") == row_set_digest(vectors.with_columns(pl.col("y").cast(pl.Array(pl.Float64, 2))), "y")
    assert row_set_digest(vectors, "y") != row_set_digest(vectors.with_columns(y=pl.Series([[2.0, 1.0]])), "y")


def test_a_row_set_holds_each_row_once() -> None:
    with pytest.raises(ValueError, match="each row_id once"):
        row_set_digest(pl.DataFrame({"row_id": ["a", "b", "a"], "y": [1.0, 2.0, 1.0]}), "y")


def test_the_seeded_hash_is_the_same_for_ever() -> None:
    assert unit_interval(7, "fold", "a0001") == 0.3675439615252518
    assert unit_interval(0) == 0.516288615126363


def test_the_seeded_hash_is_uniform_and_depends_on_every_part() -> None:
    values = [unit_interval(3, "fold", f"group {number}") for number in range(4000)]
    assert 0 <= min(values) < max(values) < 1
    assert kstest(values, "uniform").pvalue > 0.01
    others = [(4, "fold", "group 0"), (3, "test_groups", "group 0"), (3, "fold", "group 1")]
    assert len({values[0], *(unit_interval(*other) for other in others)}) == 4
