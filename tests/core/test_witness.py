"""The witness of a fit, and the evidence of predictions, against counts by hand."""

from __future__ import annotations

from collections import Counter
from itertools import chain, combinations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watertight.core.witness import SCHEMA, Witness, evidence, table, witness

REAL, CHILDREN = "abcde", "vwxyz"
ROOTS = {name: name for name in REAL} | dict(zip(CHILDREN, REAL, strict=True))
GROUPS = dict(zip(REAL, ["g", "g", "h", "h", "i"], strict=True))
FOLDS = {"a": 0, "b": 0, "c": 1, "d": 2, "e": None}
ROWS = pl.DataFrame(
    [
        (
            name,
            root if name in CHILDREN else None,
            name in CHILDREN,
            GROUPS[root],
            "test_groups" if root == "e" else "train",
            FOLDS[root],
        )
        for name, root in ROOTS.items()
    ],
    schema={
        "row_id": pl.String,
        "parent_id": pl.String,
        "synthetic": pl.Boolean,
        "group_id": pl.String,
        "split": pl.String,
        "assigned_fold": pl.Int64,
    },
    orient="row",
)
fits = st.lists(st.sampled_from(REAL + CHILDREN), min_size=1, max_size=12)


def fitted(names: list[str]) -> pl.DataFrame:
    """The rows of a fit, some perhaps twice."""
    return pl.DataFrame({"row_id": names}).join(ROWS, on="row_id", maintain_order="left")


def predictions(made: list[tuple[str, str]]) -> pl.DataFrame:
    """A cell's predictions: (row, digest of the fit)."""
    told = pl.DataFrame(made, schema={"row_id": pl.String, "fitted_on": pl.String}, orient="row")
    return told.with_columns(target=pl.lit("y"), cell=pl.lit("all"), seed=pl.lit(0))


@given(fits)
def test_a_witness_lists_roots_and_how_often_each_stood_there_itself(names: list[str]) -> None:
    found = witness(fitted(names))
    itself = Counter(name for name in names if name in REAL)
    roots = sorted({ROOTS[name] for name in names})
    assert found.rows.rows() == [(root, itself[root]) for root in roots]


@given(fits, fits)
def test_two_fits_share_a_digest_where_they_share_their_rows(first: list[str], second: list[str]) -> None:
    one, other = witness(fitted(first)), witness(fitted(second))
    assert (one.digest == other.digest) == one.rows.equals(other.rows)


@given(fits, st.randoms(use_true_random=False))
def test_a_witness_does_not_depend_on_row_order(names: list[str], chance) -> None:
    shuffled = list(names)
    chance.shuffle(shuffled)
    one, other = witness(fitted(names)), witness(fitted(shuffled))
    assert (one.digest, one.rows.rows()) == (other.digest, other.rows.rows())


def test_a_child_is_its_parent() -> None:
    assert witness(fitted(["v", "b"])).rows.rows() == [("a", 0), ("b", 1)]


def test_a_table_of_witnesses_has_each_fit_once_and_its_columns_without_any() -> None:
    one, two = witness(fitted(["a", "v"])), witness(fitted(["b"]))
    found = table({one.digest: one, two.digest: two})
    assert dict(found.schema) == SCHEMA
    assert set(found.rows()) == {(one.digest, "a", 1), (two.digest, "b", 1)}
    assert dict(table({}).schema) == SCHEMA


@given(st.lists(fits, min_size=1, max_size=3), st.data())
def test_evidence_equals_counts_by_hand(folds: list[list[str]], data) -> None:
    witnesses = {found.digest: found for found in (witness(fitted(names)) for names in folds)}
    digests = st.sampled_from([*witnesses, "of nothing"])
    made = data.draw(st.lists(st.tuples(st.sampled_from(REAL + CHILDREN), digests), min_size=1, max_size=8))
    found = evidence(predictions(made), ROWS, table(witnesses))
    assert found.select("row_id", "fitted_on").rows() == made, "every prediction is answered, in its order"
    for (name, digest), answer in zip(made, found.iter_rows(named=True), strict=True):
        known = witnesses.get(digest)
        roots = known.rows["root_id"].to_list() if known else []
        assert answer["own_fits"] == (ROOTS[name] in roots)
        times = dict(known.rows.select("root_id", "times").rows()) if known else {}
        assert answer["own_times"] == times.get(ROOTS[name], 0)
        assert answer["group_fits"] == (GROUPS[ROOTS[name]] in {GROUPS[root] for root in roots})
        assert answer["strange_fits"] == (roots.count("e") if known else None)
        assert answer["predicted"] == sum(other == name for other, _ in made)
        assert answer["refitted"] == (known.rows["times"].max() if known else None)
        assert answer["witnessed"] == (known is not None)


def test_rows_that_are_not_there_are_strange() -> None:
    found = witness(fitted(["a", "b"]))
    made = predictions([("c", found.digest)])
    known = ROWS.filter(~pl.col("row_id").is_in(["a", "v"]))
    assert evidence(made, ROWS, table({found.digest: found}))["strange_fits"].to_list() == [0]
    assert evidence(made, known, table({found.digest: found}))["strange_fits"].to_list() == [1]


def test_predictions_are_counted_per_target_cell_and_seed() -> None:
    found = witness(fitted(["b"]))
    made = predictions([("a", found.digest)] * 3).with_columns(cell=pl.Series(["x", "y", "y"]))
    assert evidence(made, ROWS, table({found.digest: found}))["predicted"].to_list() == [1, 2, 2]


@pytest.mark.parametrize(
    "edit",
    [
        lambda rows: rows.filter(pl.col("root_id") != "a"),
        lambda rows: rows.with_columns(root_id=pl.col("root_id").replace("a", "c")),
        lambda rows: pl.concat([rows, rows[:1].with_columns(root_id=pl.lit("e"))]),
        lambda rows: rows.with_columns(times=pl.lit(0, dtype=pl.Int64)),
    ],
    ids=["a row left out", "a row replaced", "a row added", "counts lowered"],
)
def test_an_edited_witness_is_found(edit) -> None:
    honest = witness(fitted(["a", "b"]))
    made = predictions([("a", honest.digest)])
    edited = table({honest.digest: Witness(honest.digest, edit(honest.rows))})
    assert evidence(made, ROWS, table({honest.digest: honest}))["witnessed"].to_list() == [True]
    assert evidence(made, ROWS, edited)["witnessed"].to_list() == [False]


@pytest.mark.parametrize("k", range(2, 7))
def test_fold_files_laid_end_to_end_are_known_whichever_they_are(k: int) -> None:
    """Every choice of the k files, the rows of folds 1 to k, against how they were made; a child in each fold besides."""
    real = [(f"r{fold}-{place}", None, False, fold) for fold in range(k) for place in range(fold + 1)]
    children = [(f"r{fold}-0-child", f"r{fold}-0", True, fold) for fold in range(k)]
    schema = {"row_id": pl.String, "parent_id": pl.String, "synthetic": pl.Boolean, "assigned_fold": pl.Int64}
    rows = pl.DataFrame([*real, *children], schema=schema, orient="row")
    rows = rows.with_columns(group_id=pl.coalesce("parent_id", "row_id"), split=pl.lit("train"))
    held_out = rows.filter((pl.col("assigned_fold") == 0) & ~pl.col("synthetic"))["row_id"]
    for chosen in chain.from_iterable(combinations(range(k), count) for count in range(1, k + 1)):
        found = witness(pl.concat([rows.filter(pl.col("assigned_fold") != fold) for fold in chosen]))
        made = predictions([(row, found.digest) for row in held_out])
        every = predictions([(row, "elsewhere") for row in rows.filter(~pl.col("synthetic"))["row_id"] if row not in held_out])
        told = evidence(pl.concat([made, every]), rows, table({found.digest: found}))[: len(made)]
        expected = ", ".join(map(str, chosen)) if k > 2 and len(chosen) > 1 else None
        assert told["fold_files"].to_list() == [expected] * len(made), chosen
        assert told["own_times"].to_list() == [len(chosen) - (0 in chosen)] * len(made)


def test_a_fit_that_is_no_row_of_fold_files_is_not_called_so() -> None:
    rows = ROWS.filter(~pl.col("synthetic") & (pl.col("split") == "train"))
    files = [rows.filter(pl.col("assigned_fold") != fold) for fold in (1, 2)]
    for fit in ([rows] * 3, [*files, rows[:1]], [files[0], files[0]], [*files[:1], files[1][1:]]):
        found = witness(pl.concat(fit))
        made = predictions([(row, found.digest) for row in rows["row_id"]])
        assert evidence(made, ROWS, table({found.digest: found}))["fold_files"].to_list() == [None] * len(made)
