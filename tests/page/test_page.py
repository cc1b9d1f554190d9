"""The page: what it shows of each kind of target, that it needs nothing beside itself, and that its bytes stay the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import altair as alt
import pytest
from browser import CHROMIUM, opened
from made_outputs import EVIL, Made, predictions, rows, write
from read_page import Element, read

from pipelines.report import report
from watertight.core.tables import read_table
from watertight.evaluation.slices import whole_and_slices
from watertight.page import charts

ROOT = Path(__file__).parents[2]
Shown = Callable[[Made], Element]


def section(page: Element, target: str) -> Element:
    """What is told of a target."""
    return next(part for part in page.all("details", class_="target") if part.all("h2")[0].text == target)


def table(page: Element, caption: str) -> list[dict[str, str]]:
    """The rows of the table with a caption."""
    return next(found for found in page.all("table") if found.all("caption")[0].text == caption).table()


def test_it_refers_to_nothing_beside_itself(plain: str) -> None:
    page = read(plain)
    assert not re.search(r"https?:|//[a-z]|url\(|@import|src=", plain)
    assert [found for tag in ("script", "iframe", "img", "object", "image", "use", "form") for found in page.all(tag)] == []
    assert [link.attributes["href"] for link in page.all("link")] == ["data:,"]
    ids = [found.attributes["id"] for found in page.all() if "id" in found.attributes]
    assert len(ids) == len(set(ids))
    assert {found.attributes["href"] for found in page.all("a")} <= {f"#{name}" for name in ids}


def test_text_from_data_is_never_markup(shown: Shown, tmp_path: Path) -> None:
    page = shown(Made(about=EVIL, language=EVIL, targets=("mood",), shift=3.0, width=0.1))
    text = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert page.all("script") == []
    assert "<script" not in text
    assert EVIL in page.all("p", class_="about")[0].text
    assert any(EVIL in row["slice"] for row in table(page, "mood: rmse by slice"))
    assert any(f"language: {EVIL}"[: charts.HEAD] in found.text for found in page.all("svg"))


def test_its_bytes_depend_on_its_input_alone(plain: str, tmp_path: Path) -> None:
    """Written again in this process, where many charts were drawn before, and in a fresh one that has other fonts first."""
    work = write(tmp_path / "project", Made())
    report(work, tmp_path / "again")
    assert (tmp_path / "again" / "index.html").read_text(encoding="utf-8") == plain
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    subprocess.run(
        [sys.executable, "-m", "pipelines.report", "toy"], cwd=work.project.root, env=environment, check=True, timeout=60
    )
    assert work.artifacts("report", "index.html").read_text(encoding="utf-8") == plain


def test_no_chart_is_laid_out_by_the_widths_of_its_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """In another font, whose letters have other widths, everything stands where it stood."""
    marks = [charts.Mark(row, row / 7, row / 9, row / 5, row, "one") for row in range(9)]
    names = ["iiii" * row + "WWW" for row in range(9)]
    points = [{"predicted": place / 7, "observed": place * 1000.123} for place in range(5)]

    def drawn() -> list[str]:
        return [
            charts.forest("figure", names, marks, strong=[2]),
            charts.bands("share", names, marks),
            charts.reliability(points, {"other": points[1:]}),
            charts.bars("share", names, [0.1] * 9),
            charts.curves(("k", "share"), [[(1, 0.1), (10, 0.9)], [(1, 0.5), (10, 0.55)]], ticks=[1, 10], log=True),
        ]

    before = drawn()
    configure = alt.LayerChart.configure
    monkeypatch.setattr(alt.LayerChart, "configure", lambda self, **told: configure(self, **{**told, "font": "monospace"}))
    assert drawn() == before
    assert not any("clip" in svg or "id=" in svg for svg in before)


def test_a_point_stands_where_its_figure_is() -> None:
    drawn = charts.forest("figure", ["a", "b"], [charts.Mark(0, 1.0, 0.0, 2.0), charts.Mark(1, 2.0)], width=108)
    domain = (0.0 - 0.08, 2.0 + 0.08)
    points = re.findall(r'<path transform="translate\(([\d.]+),([\d.]+)\)" d="M3', drawn)
    wanted = [((x - domain[0]) / (domain[1] - domain[0]) * 108, y) for x, y in ((1.0, 10.0), (2.0, 30.0))]
    assert [(float(x), float(y)) for x, y in points] == [pytest.approx(place, abs=0.01) for place in wanted]


def test_a_curve_runs_through_its_points_and_a_logarithmic_axis_is_one() -> None:
    drawn = charts.curves(("k", "share"), [[(1, 0.0), (10, 0.5), (100, 1.0)]], ticks=[1, 100], log=True)
    [line] = re.findall(r'd="M([\d.,L-]+)"[^>]*stroke="#0072b2"', drawn)
    points = [tuple(map(float, point.split(","))) for point in line.split("L")]
    assert points == [pytest.approx(place, abs=0.01) for place in ((0, 280), (200, 280 - 140 / 1.04), (400, 280 - 280 / 1.04))]
    assert len(re.findall(r'd="M3', drawn)) == 2, "shapes stand at the ticks alone"


def test_every_cell_is_in_the_table_of_its_target_with_its_role_and_rows(plain: str, tmp_path: Path) -> None:
    told = table(read(plain), "mood: every cell, out of fold")
    figures = read_table(write(tmp_path, Made()).artifacts("evaluate", "figures.parquet")).filter(target="mood", slice="")
    assert [row["cell"] for row in told] == ["mean", "short", "long", "blend", "sure"]
    assert [row["role"] for row in told] == ["baseline", "", "", "", "registered"]
    for row in told:
        [rmse] = figures.filter(cell=row["cell"], metric="rmse").to_dicts()
        assert row["rmse"] == f"{rmse['figure']:.4f} [{rmse['low']:.4f}, {rmse['high']:.4f}]"
        assert (row["rows"], row["row set"]) == ("238", rmse["row_set"])
    assert [row["coverage"] == "–" for row in told] == [True] * 4 + [False]


def test_the_table_of_weights_equals_a_slow_recount(plain: str) -> None:
    made = Made()
    given = {row["row_id"]: row for row in predictions(rows(made), made).filter(target="mood", cell="blend").to_dicts()}
    truth = dict(rows(made).select("row_id", "mood").iter_rows())
    alone = {
        cell: dict(predictions(rows(made), made).filter(target="mood", cell=cell).select("row_id", "mean").iter_rows())
        for cell in ("short", "long")
    }
    scored = rows(made).drop_nulls("mood")
    wanted = {}
    for found in whole_and_slices(scored, {name: tuple(edges) for name, edges in made.slices.items()}):
        if found.rows is not None:
            ids = found.rows["row_id"].to_list()
            row = {"rows": str(len(ids))}
            for place, cell in enumerate(("short", "long")):
                weight = sum(given[name]["weights"][place] for name in ids) / len(ids)
                error = (sum((alone[cell][name] - truth[name]) ** 2 for name in ids) / len(ids)) ** 0.5
                row[cell] = f"{weight:.3f} · {error:.4f}"
            wanted[f"{found.column}: {found.value}" if found.column else "all rows"] = row
    told = table(read(plain), "mood, blend: mean weight · rmse of the member in the same slice")
    assert {row.pop("slice"): row for row in told} == wanted
    assert len(wanted) == 7


def test_slices_stand_as_declared_with_ranges_upwards(plain: str) -> None:
    told = [row["slice"] for row in table(read(plain), "mood: rmse by slice")]
    assert told == ["all rows", "words: ≤ 9", "words: ≤ 100", "words: > 100", "language: de", "language: en", "language: fr"]


@pytest.mark.parametrize(
    ("target", "parts", "reason"),
    [
        (
            "mood",
            ["Figures", "Reliability", "Interval coverage: sure", "Error by slice", "Feature importance", "Weights of blend"],
            "",
        ),
        ("side", ["Figures", "Reliability", "Error by slice", "Feature importance"], "bins are told of scalars, this is a class"),
        (
            "image",
            ["Figures", "Ranks in the gallery", "Own vector and nearest other", "Hubs", "Queries", "Error by slice"],
            "",
        ),
    ],
)
def test_what_a_kind_of_target_does_not_have_is_left_out_or_says_why(
    plain: str, target: str, parts: list[str], reason: str
) -> None:
    found = section(read(plain), target)
    assert [title.text for title in found.all("h3")] == parts
    assert reason in found.text
    assert ("Not applicable" in found.text) == bool(reason)


def test_a_run_of_one_cell_without_slices_and_baselines_has_a_page(shown: Shown) -> None:
    made = Made(targets=("side",), cells=("mean",), registered="mean", absent=False)
    page = shown(made)
    assert len(table(page, "side: every cell, out of fold")) == 1
    assert "no model at or below the registered cell tells what it rests on" in section(page, "side").text


def test_features_are_the_first_fifteen_and_names_are_cut_in_the_middle(plain: str) -> None:
    [chart] = [found for found in read(plain).all("figure") if "What short rests on" in found.text]
    names = [text.text for text in chart.all("text") if "…" in text.text]
    assert len(names) == 15
    assert names[0] == "toy_lexical…_with_a_long_name_00"
    assert all(len(name) == charts.NAME for name in names)


def test_it_can_be_read_by_ear(plain: str) -> None:
    page = read(plain)
    levels = [int(found.tag[1]) for found in page.all() if re.fullmatch("h[1-6]", found.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [found for found in page.all("th") if "scope" not in found.attributes] == []
    pictures = [found for found in page.all("div") if found.attributes.get("role") == "img"]
    assert len(pictures) == len(page.all("svg")) > 10
    assert all(found.attributes["aria-label"] for found in pictures)
    assert [part.attributes.get("open") for part in page.all("details", class_="target")] == ["", None, None]


def test_no_two_of_the_first_49_series_look_alike() -> None:
    marks = charts.legend([str(place) for place in range(49)])
    assert len({(shape, colour) for shape, colour, _ in marks}) == 49
    assert all(colour != charts.RED for _, colour, _ in marks)


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: the page is not opened in a browser")
def test_a_browser_opens_it_without_a_request_and_without_an_error(plain: str, tmp_path: Path) -> None:
    shown, asked, said = opened(plain, tmp_path / "page")
    assert shown.count("<svg") == plain.count("<svg")
    assert (asked, said) == ([], [])
    faulty = plain.replace("</body>", "<img src='http://127.0.0.1:9/x'><script>console.error('boo')</script></body>")
    _, asked, said = opened(faulty, tmp_path / "faulty")
    assert (len(asked), len(said)) == (1, 1), "a request and an error would have been seen"
