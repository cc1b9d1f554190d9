"""The page of a run, built by the graph for a class and for a vector."""

from __future__ import annotations

import re

import pytest
from project_copies import ProjectCopy

OF_A_CLASS = ["Reliability"]
OF_A_VECTOR = ["Ranks in the gallery", "Own vector and nearest other", "Hubs", "Queries"]


@pytest.mark.parametrize(
    ("toy", "target", "own"),
    [("toy_pair", "preferred", OF_A_CLASS), ("toy_vector", "image", OF_A_VECTOR)],
    ids=["class", "vector"],
)
def test_a_toy_has_a_page_with_what_its_kind_of_target_has(built: ProjectCopy, toy: str, target: str, own: list[str]) -> None:
    page = (built.root / "artifacts" / toy / "report" / "index.html").read_text(encoding="utf-8")
    assert f"<summary><h2>{target}</h2></summary>" in page
    assert re.findall("<h3>(.*)</h3>", page) == ["Figures", *own, "Error by slice", "Feature importance"]
    assert ("Not applicable: bins are told of scalars, this is a class." in page) == (own == OF_A_CLASS)
    assert page.index('<section id="conditions">') < page.index(f"<h2>{target}</h2>")
    assert str(built.root) not in page
