"""A LightGBM text that the library would not survive is refused before it sees it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from watertight.core.contract import Target
from watertight.core.errors import Refusal
from watertight.learners.boosting import Boosting
from watertight.learners.matrix import Matrix
from watertight.learners.tree_text import demand_whole

SCALAR, CLASSES = Target(kind="scalar", range=(-9, 9)), Target(kind="class", classes=("a", "b", "c"))


def grown(target: Target, values: np.ndarray) -> Boosting:
    x = Matrix(values.astype(np.float32), ("one", "two"))
    y = np.arange(len(values)) % 3 if target.kind == "class" else values[:, 0]
    return Boosting.declared(target, {"rounds": 6, "min_data_in_leaf": 5}).fit(x, y, np.ones(len(values)), seed=0)


@pytest.fixture(scope="module")
def text() -> str:
    return grown(SCALAR, np.random.default_rng(0).normal(size=(200, 2))).text


@pytest.mark.parametrize("target", [SCALAR, CLASSES])
@pytest.mark.parametrize("rows", ["many", "few, so that trees are stumps"])
def test_what_lightgbm_writes_is_whole(target: Target, rows: str, tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=(200 if rows == "many" else 6, 2))
    model = grown(target, values)
    assert ("num_leaves=1\n" in model.text) is (rows != "many")
    model.save(tmp_path)
    assert Boosting.load(tmp_path).text == model.text


def of_first(line: str, change: Callable[[list[str]], list[str]]) -> Callable[[str], str]:
    """A change of a list of the first tree that keeps its length in bytes, if it can."""

    def changed(text: str) -> str:
        return re.sub(rf"(?m)^{line}=(.*)$", lambda found: f"{line}={' '.join(change(found[1].split()))}", text, count=1)

    return changed


HARM: dict[str, tuple[Callable[[str], str], str]] = {
    "cut off": (lambda text: text[: len(text) // 2], "its trees do not end where the header says"),
    "empty": (lambda text: "", "no 'tree_sizes'"),
    "words": (lambda text: "Nothing\n\nat all", "no 'tree_sizes'"),
    "another size": (lambda text: text.replace("tree_sizes=", "tree_sizes=1 "), "its trees do not end"),
    "trees the other way round": (lambda text: text.replace("Tree=0", "Tree=1", 1), "tree 0 does not stand"),
    "a feature too many": (of_first("split_feature", lambda told: ["9", *told[1:]]), "tree 0 splits on a feature"),
    "a loop": (of_first("left_child", lambda told: ["0", *told[1:]]), "tree 0 does not lead to each node and leaf once"),
    "a word for a number": (of_first("leaf_value", lambda told: ["x" * len(told[0]), *told[1:]]), "could not convert"),
    "a value too few": (of_first("leaf_value", lambda told: [told[0] + "0" * (len(told[1]) + 1), *told[2:]]), "a value per leaf"),
    "categories": (lambda text: text.replace("num_cat=0", "num_cat=1", 1), "or categories"),
}


@pytest.mark.parametrize("harm", HARM)
def test_what_lightgbm_would_not_survive_is_refused(text: str, harm: str) -> None:
    demand_whole(text)
    change, told = HARM[harm]
    assert change(text) != text
    with pytest.raises(Refusal, match="no whole LightGBM model") as caught:
        demand_whole(change(text))
    assert told in caught.value.what


def test_a_tree_that_leads_back_is_refused(text: str) -> None:
    """Every node has one parent, and yet a row would never come to a leaf: two nodes stand above one another."""
    lines = text.splitlines(keepends=True)
    at = next(place for place, line in enumerate(lines) if line.startswith("left_child="))
    left, right = ([int(told) for told in lines[at + side].split("=")[1].split()] for side in (0, 1))
    parent = {child: node for side in (left, right) for node, child in enumerate(side)}
    deep = next(node for node in range(len(left) - 1, 0, -1) if left[node] < 0 and parent[node] > 0)
    above = parent[deep]
    over = left if above in left else right
    over[over.index(above)] = left[deep]
    left[deep] = above
    for side, values in enumerate((left, right)):
        lines[at + side] = f"{lines[at + side].split('=')[0]}={' '.join(map(str, values))}\n"
    with pytest.raises(Refusal, match="leads back to a node before"):
        demand_whole("".join(lines))
