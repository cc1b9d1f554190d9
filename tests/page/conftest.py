from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from made_outputs import Made, write
from read_page import Element, read

from pipelines.report import report

Shown = Callable[[Made], Element]


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    """The page of made-up outputs; they lie in ``tmp_path / "project"``."""

    def show(made: Made) -> Element:
        report(write(tmp_path / "project", made), tmp_path / "report")
        return read((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))

    return show


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of made-up outputs with a scalar, a class and a vector, a blend and intervals."""
    folder = tmp_path_factory.mktemp("plain")
    report(write(folder / "project", Made()), folder / "report")
    return (folder / "report" / "index.html").read_text(encoding="utf-8")
