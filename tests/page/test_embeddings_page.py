from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, opened
from made_outputs import EVIL
from read_page import read

from watertight.page.charts import SHADES, shade, shade_legend
from watertight.page.embeddings import Pictured, embeddings_page

ROWS = 40


def pictured(name: str, *, mapped: bool = True, null: int = 0) -> Pictured:
    rng = np.random.default_rng(1)
    places = rng.standard_normal((ROWS, 2)).tolist()
    figures = [{"predictor": "15 nearest", "r2": 0.25, "spearman": None, "mae": 1.0, "rmse": 2.0}]
    truth = np.linspace(0, 10, ROWS).tolist()
    return Pictured(name, 3, 1234, null, truth, places, places if mapped else None, [0.5, 0.3, 0.2], figures)


@pytest.fixture(scope="module")
def page() -> str:
    return embeddings_page("made", "score", (0, 10), [pictured("a__vector"), pictured(EVIL, mapped=False, null=7)])


def test_a_feature_has_its_pictures_figures_and_counts(page: str) -> None:
    figures, first, second = read(page).all("section")
    assert [row["feature"] for row in figures.all("table")[0].table()] == ["a__vector", EVIL]
    assert figures.all("table")[0].table()[0] | {"feature": ""} == {
        "feature": "",
        "predictor": "15 nearest",
        "r2": "0.2500",
        "spearman": "–",
        "mae": "1.0000",
        "rmse": "2.0000",
    }
    assert [len(part.all("svg")) for part in (first, second)] == [3, 2]
    assert "1,234 rows with a vector of 3 numbers; 40 of them are drawn. No row is without one." in first.text
    assert "7 rows have none and are in no figure." in second.text
    assert "No UMAP picture" in second.text
    assert "component 1 (50% of the variance)" in first.text


def test_every_row_that_is_drawn_is_a_dot_of_its_shade(page: str) -> None:
    components, drawn_map, _ = read(page).all("section")[1].all("svg")
    for picture in (components, drawn_map):
        dots = [dot.attributes["fill"] for dot in picture.all("path") if dot.attributes.get("fill") in SHADES]
        assert dots == [colour for colour in SHADES for _ in range(ROWS // len(SHADES))]


def test_shades_cut_the_range_in_five() -> None:
    assert shade([0, 1.99, 2, 9.9, 10, -1, 11], 0, 10) == [0, 0, 1, 4, 4, 0, 4]
    assert [name for _, _, name in shade_legend(0, 10)] == ["0 to 2", "2 to 4", "4 to 6", "6 to 8", "8 to 10"]


def test_it_refers_to_nothing_and_text_from_data_is_never_markup(page: str) -> None:
    tree = read(page)
    assert tree.all("script") == []
    assert [link.attributes["href"] for link in tree.all("link")] == ["data:,"]
    assert {link.attributes["href"] for link in tree.all("a")} == {f"#part-{place}" for place in (1, 2, 3)}


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: the page is not opened in a browser")
def test_a_browser_opens_it_without_a_request_and_without_an_error(page: str, tmp_path: Path) -> None:
    shown, asked, said = opened(page, tmp_path / "page")
    assert shown.count("<svg") == page.count("<svg") == 5
    assert (asked, said) == ([], [])
