"""A submission is refused for each planted fault, before it is written and when it is read again, and leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from watertight.core.errors import Misuse, Refusal
from watertight.inference import submission
from watertight.inference.submission import NUMBERS, Asked, demand_submission, read_submission, write_submission

IDS = ("b", "a", "0012", "d, e", 'f "g"')
ASKED = Asked(IDS, 3)
VECTORS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
VECTORS[0] = [1e-30, -3.4e38, 1 / 3]


def table(ids: tuple[str, ...] = IDS, vectors: list[object] | None = None) -> pl.DataFrame:
    return pl.DataFrame({"id": list(ids), "embedding": pl.Series(vectors or VECTORS.tolist(), dtype=NUMBERS)})


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_every_number_comes_back_as_it_was(tmp_path: Path, kind: str) -> None:
    write_submission(table(), ASKED, tmp_path / "new" / f"told.{kind}")
    told = read_submission(tmp_path / "new" / f"told.{kind}")
    assert told.equals(table())
    assert np.array_equal(np.array(told["embedding"].to_list(), dtype=np.float32), VECTORS)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [f"told.{kind}"]


def test_an_embedding_in_csv_is_a_json_list(tmp_path: Path) -> None:
    write_submission(table(), ASKED, tmp_path / "told.csv")
    rows = pl.read_csv(tmp_path / "told.csv", infer_schema=False)
    assert rows.columns == ["id", "embedding"]
    assert [np.array(json.loads(text), dtype=np.float32).tolist() for text in rows["embedding"]] == VECTORS.tolist()


def changed(place: int, vector: object) -> list[object]:
    vectors: list[object] = VECTORS.tolist()
    vectors[place] = vector
    return vectors


FAULTS = {
    "NaN": (table(vectors=changed(1, [0.0, float("nan"), 1.0])), "1 row.* not finite", ["a"]),
    "infinite": (table(vectors=changed(2, [0.0, 1.0, float("-inf")])), "1 row.* not finite", ["0012"]),
    "null number": (table(vectors=changed(2, [0.0, 1.0, None])), "1 row.* not finite", ["0012"]),
    "null": (table(vectors=changed(3, None)), "1 row.* have no embedding", ["d, e"]),
    "too short": (table(vectors=changed(4, [1.0, 2.0])), "1 row.* another length", ['f "g"']),
    "missing": (table().filter(pl.col("id") != "a"), "1 row.* are missing", ["a"]),
    "repeated": (pl.concat([table(), table().head(1)]), "1 row.* more than once", ["b"]),
    "repeated for another": (table(("b", "b", "0012", "d, e", 'f "g"')), "1 row.* more than once", ["b"]),
    "not asked": (pl.concat([table(), table(("x",), [[1.0, 2.0, 3.0]])]), "1 row.* were not asked", ["x"]),
    "nameless": (table().with_columns(pl.Series("id", ["b", "a", None, "d, e", 'f "g"'])), "1 row.* are missing", ["0012"]),
    "reordered": (table().reverse(), "4 row.* another place", ['f "g"', "d, e", "a", "b"]),
    "double": (table().with_columns(pl.col("embedding").cast(pl.List(pl.Float64))), r"List\(Float64\)", []),
    "further column": (table().with_columns(score=1.0), "score", []),
    "renamed": (table().rename({"id": "row_id"}), "row_id", []),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_refused_with_its_rows_and_the_file_stays(tmp_path: Path, fault: str) -> None:
    bad, told, rows = FAULTS[fault]
    (tmp_path / "told.csv").write_text("as it was")
    with pytest.raises(Refusal, match=told) as caught:
        write_submission(bad, ASKED, tmp_path / "told.csv")
    assert list(caught.value.rows) == rows
    assert [path.read_text() for path in tmp_path.iterdir()] == ["as it was"]
    demand_submission(table(), ASKED)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_a_writer_spoils_is_found_when_the_file_is_read_again(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full, say, or a library rounds: the last line is lost."""
    whole = submission.WRITERS[f".{kind}"]
    monkeypatch.setitem(submission.WRITERS, f".{kind}", lambda table, place: whole(table.head(4), place))
    with pytest.raises(Refusal, match=r"1 row.* are missing"):
        write_submission(table(), ASKED, tmp_path / f"told.{kind}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_number_that_comes_back_as_another_is_found(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = submission.WRITERS[f".{kind}"]
    rounded = table(vectors=changed(2, [round(float(number), 3) for number in VECTORS[2]]))
    monkeypatch.setitem(submission.WRITERS, f".{kind}", lambda _, place: whole(rounded, place))
    with pytest.raises(Refusal, match=r"1 row.* other numbers") as caught:
        write_submission(table(), ASKED, tmp_path / f"told.{kind}")
    assert caught.value.rows == ("0012",)


@pytest.mark.parametrize("text", ["id,embedding\nb,[1.0; 2]\n", "id\nb\n", ""])
def test_a_file_that_is_no_submission_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "told.csv").write_text(text)
    with pytest.raises(Refusal, match="is no submission"):
        read_submission(tmp_path / "told.csv")


def test_an_unknown_kind_of_file_is_misuse(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="unknown kind"):
        write_submission(table(), ASKED, tmp_path / "told.txt")
