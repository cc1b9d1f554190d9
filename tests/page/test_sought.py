"""What a page tells of a vector target: planted vectors whose ranks, neighbours and hubs are known."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from made_outputs import EVIL, Made, predictions, rows, write
from read_page import Element, read

from pipelines.report import report
from pipelines.sought import picked, sought_of_targets
from watertight.core.project import Workload
from watertight.core.ranks import gallery, ranks

EYE = np.eye(6)
# Six vectors a right angle apart. A query leans on several, the more the nearer; its own is that of its place.
LEANS = {
    "q0": [9, 1, 0, 0, 0, 0],
    "q1": [8, 9, 0, 0, 0, 0],
    "q2": [9, 8, 7, 0, 0, 0],
    "q3": [9, 8, 0, 7, 0, 0],
    "q4": [9, 0, 0, 0, 5, 0],
    "q5": [9, 8, 7, 6, 5, 1],
}
RANKS = [1, 1, 3, 3, 2, 6]


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Workload, pl.DataFrame, pl.DataFrame]:
    """The made project with six rows of six vectors, of which LEANS are the predictions of the cell `short`, in two seeds."""
    work = write(
        tmp_path / "project", Made(targets=("image",), registered="short", cells=("mean", "short", "long"), texts=("text",))
    )
    table = pl.DataFrame(
        {
            "row_id": list(LEANS),
            "group_id": [f"image {place}" for place in range(6)],
            "image": EYE.tolist(),
            "text": [f"the caption of {place}" for place in range(6)],
        }
    )
    wanted = np.array(list(LEANS.values()), dtype=float)
    off = np.random.default_rng(0).normal(size=wanted.shape)
    given = {("short", 0): wanted + off, ("short", 1): wanted - off, ("mean", 0): np.ones((6, 6)), ("long", 0): wanted[:3]}
    parts = [
        pl.DataFrame(
            {
                "row_id": list(LEANS)[: len(told)],
                "target": "image",
                "cell": cell,
                "seed": seed,
                "fold": 0,
                "vector": told.tolist(),
            }
        )
        for (cell, seed), told in given.items()
    ]
    return work, table, pl.concat(parts).sample(fraction=1, shuffle=True, seed=1)


def test_the_own_image_is_marked_where_it_stands_and_told_with_its_rank_where_it_is_not_among_the_first(
    planted: tuple[Workload, pl.DataFrame, pl.DataFrame],
) -> None:
    found = sought_of_targets(*planted)["image"]
    assert found.ranks["short"].tolist() == RANKS
    assert found.ranks["mean"].tolist() == [3.5] * 6
    assert "long" not in found.ranks, "it predicted other rows, and is in another gallery"
    sheets = {sheet.text: sheet for sheet in found.sheets}
    third = sheets["the caption of 2"]
    assert third.note == "row q2, own vector at rank 3"
    assert [(hit.place, hit.name, hit.own) for hit in third.hits[:3]] == [
        ("1", "image 0", False),
        ("2", "image 1", False),
        ("3", "image 2", True),
    ]
    assert third.hits[2].near == f"{7 / np.sqrt(81 + 64 + 49):.4f}"
    assert third.hits[2].text == "the caption of 2"
    last = sheets["the caption of 5"].hits
    assert [hit.own for hit in last] == [False] * 5 + [True]
    assert (last[-1].place, last[-1].name) == ("6", "image 5")


def test_cosines_and_hubs_are_those_of_the_registered_cell(planted: tuple[Workload, pl.DataFrame, pl.DataFrame]) -> None:
    found = sought_of_targets(*planted)["image"]
    leans = np.array(list(LEANS.values())) / np.linalg.norm(list(LEANS.values()), axis=1, keepdims=True)
    assert found.own == pytest.approx(np.diag(leans), abs=1e-6)
    assert found.other == pytest.approx([np.delete(lean, place).max() for place, lean in enumerate(leans)], abs=1e-6)
    assert (found.size, found.k, found.times.tolist()) == (6, 6, [6] * 6)
    assert found.skew == 0.0
    assert [hub.name for hub in found.hubs] == [f"image {place}" for place in range(5)]


def test_pictured_are_the_first_the_middle_of_those_that_miss_and_the_last() -> None:
    rank = np.array([1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8.5])
    assert picked(rank, [f"r{place:02d}" for place in range(12)]) == [0, 1, 2, 7, 8, 9, 10, 11]
    assert picked(np.array([2.0, 1.0]), ["b", "a"]) == [1, 0]
    assert picked(np.array([1.0, 1.0]), ["b", "a"]) == [1, 0]


def section(page: Element) -> Element:
    return next(part for part in page.all("details", class_="target") if part.all("h2")[0].text == "image")


def test_the_page_shows_them_and_its_numbers_are_those_of_a_recount(plain: str) -> None:
    made = Made()
    shown = section(read(plain))
    truth, fold = np.array(rows(made)["image"].to_list()), rows(made)["fold"].to_numpy()
    told = {
        name: part
        for (name,), part in predictions(rows(made), made).filter(target="image").partition_by("cell", as_dict=True).items()
    }
    tables = {found.all("caption")[0].text: found.table() for found in shown.all("table")}
    for line in tables["image: ranks"]:
        vectors, rank = np.array(told[line["cell"]]["vector"].to_list()), np.empty(len(truth))
        for mine in (fold == one for one in range(4)):
            rank[mine] = ranks(vectors[mine], gallery(truth[mine]))
        assert line["own vector first"] == f"{(rank == 1).mean():.1%}"
        assert line["among the first 10"] == f"{(rank <= 10).mean():.1%}"
        assert line["mean rank"] == f"{rank.mean():.4f}"
    assert len(tables["image: found most often"]) == 5
    sheets = shown.all("article", class_="sheet")
    assert len(sheets) == 9
    assert [len(sheet.all("li", class_="own")) for sheet in sheets] == [1] * 9
    assert all(re.fullmatch(r"row r\d+, own vector at rank [\d.]+", sheet.all("p")[0].text) for sheet in sheets)
    assert "Recall at k of image" in shown.text
    assert "Mean reciprocal rank of image by size of the gallery" in shown.text


def test_a_scalar_has_none_of_this_and_a_caption_is_never_markup(
    planted: tuple[Workload, pl.DataFrame, pl.DataFrame], tmp_path: Path
) -> None:
    work, table, told = planted
    assert sought_of_targets(work, table, told.with_columns(target=pl.lit("mood"))) == {}
    evil = sought_of_targets(work, table.with_columns(text=pl.lit(EVIL * 9)), told)["image"]
    assert all(len(sheet.text) == 160 and sheet.text.endswith("…") for sheet in evil.sheets)
    report(write(tmp_path / "scalar", Made(targets=("mood",))), tmp_path / "page")
    page = read((tmp_path / "page" / "index.html").read_text(encoding="utf-8"))
    assert page.all("article") == []
    assert "gallery" not in page.text
