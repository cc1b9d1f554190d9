"""The page of a run, built by the graph for a class and for a vector."""

from __future__ import annotations

import re

import pytest
from project_copies import ProjectCopy

SECTIONS = ["Figures", "Reliability", "Error by slice", "Feature importance"]


@pytest.mark.parametrize(("toy", "target", "kind"), [("toy_pair", "preferred", "class"), ("toy_vector", "image", "vector")])
def test_a_toy_has_a_page_with_what_its_kind_of_target_has(built: ProjectCopy, toy: str, target: str, kind: str) -> None:
    page = (built.root / "artifacts" / toy / "report" / "index.html").read_text(encoding="utf-8")
    assert f"<summary><h2>{target}</h2></summary>" in page
    assert re.findall("<h3>(.*)</h3>", page) == SECTIONS
    assert f"Not applicable: bins are told of scalars, this is a {kind}." in page
    assert page.index('<section id="conditions">') < page.index(f"<h2>{target}</h2>")
    assert str(built.root) not in page
