"""The examples of CONTRIBUTING.md are real: each block is a module as it stands, and does what the page says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest

from watertight.checks.suite import Check, judge
from watertight.core.contract import Target
from watertight.core.errors import Misuse
from watertight.learners.matrix import Matrix

PAGE = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
SCORE = Target(kind="scalar", range=(0, 10))


def _module(text: str, path: Path) -> ModuleType:
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModuleType, ModuleType]:
    """The page's two Python blocks, imported."""
    folder = tmp_path_factory.mktemp("contributing")
    family, check = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    return _module(family, folder / "median_example.py"), _module(check, folder / "children_to_differ_example.py")


@pytest.mark.parametrize(("floor", "told"), [(0.0, 2.0), (3.5, 3.5)])
def test_the_median_is_fitted_saved_and_loaded(
    examples: tuple[ModuleType, ModuleType], floor: float, told: float, tmp_path: Path
) -> None:
    family, _ = examples
    x = Matrix(np.array([[0.0], [np.nan], [1.0]], dtype=np.float32), ("toy__a",))
    model = family.Median.declared(SCORE, {"floor": floor}).fit(x, np.array([1.0, 9.0, 2.0]), np.ones(3), seed=0)
    assert model.predict(x)["mean"].tolist() == [told] * 3
    model.save(tmp_path)
    assert family.Median.load(tmp_path).predict(x)["mean"].tolist() == [told] * 3


def test_a_misspelt_option_of_the_median_is_an_error(examples: tuple[ModuleType, ModuleType]) -> None:
    with pytest.raises(Misuse, match="did you mean 'floor'"):
        examples[0].Median.declared(SCORE, {"flor": 1.0})


def test_the_check_names_the_planted_copy_and_passes_its_clean_twin(examples: tuple[ModuleType, ModuleType]) -> None:
    clean = pl.DataFrame(
        {"row_id": ["a", "b", "c"], "parent_id": [None, "a", "a"], "text": ["calm", "quiet", "still"]},
    )
    planted = clean.with_columns(text=pl.Series(["calm", "quiet", "calm"]))
    check = [Check(type="expect_children_to_differ", kwargs={"column": "text"})]
    [found], [passed] = judge("rows", planted, check).results, judge("rows", clean, check).results
    assert (found.status, found.row_ids) == ("fail", ("c",))
    assert passed.status == "pass"
    [skipped] = judge("rows", clean.drop("parent_id"), check).results
    assert skipped.status == "skipped"
