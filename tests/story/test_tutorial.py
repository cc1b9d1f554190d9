"""The tutorial as its reader works through it: every block of the page, in order, in a project of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from project_copies import REPOSITORY, ProjectCopy, environment, new_project
from tutorial_page import Block, blocks, not_printed, refused

PAGE = (REPOSITORY / "docs" / "tutorial.md").read_text(encoding="utf-8")
COMMAND = "#!/bin/sh\nexec python -c 'from watertight.cli import app; app()' \"$@\"\n"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """The product under git and DVC, with this very `watertight` on the path."""
    folder = tmp_path_factory.mktemp("tutorial")
    command = folder / "bin" / "watertight"
    command.parent.mkdir()
    command.write_text(COMMAND)
    command.chmod(0o755)
    settings = environment(folder)
    settings["PATH"] = f"{command.parent}:{settings['PATH']}"
    return new_project(folder / "project", settings, [])


def test_every_block_of_the_tutorial_does_what_the_page_says(reader: ProjectCopy) -> None:
    for block in blocks(PAGE):
        if block.kind == "console":
            _run(block, reader)
        elif block.saved_as:
            (reader.root / block.saved_as).write_text("\n".join(block.lines) + "\n")
        else:
            written = (reader.root / block.part_of).read_text(encoding="utf-8")
            assert not_printed(block.lines, written) == [], f"not in {block.part_of}"
    assert "tickets.csv" in reader.git("status", "--porcelain"), "the reader's own files are left to the reader"


def _run(block: Block, reader: ProjectCopy) -> None:
    for command, shown in block.commands():
        done = reader.ended("bash", "-c", command)
        assert bool(done.returncode) == refused(shown), f"$ {command}\n{done.stdout}"
        assert not_printed(shown, done.stdout) == [], f"$ {command}\n{done.stdout}"


def test_a_page_that_says_otherwise_is_found_out() -> None:
    printed = "cell  rmse\n mean  1.4112 [1.318, 1.515]\nmore\n"
    assert not_printed(["cell rmse", "mean 1.4100 [1.318, 1.520]"], printed) == []
    assert not_printed(["mean 1.5112 [1.318, 1.515]"], printed) == ["mean 1.5112 [1.318, 1.515]"]
    assert not_printed(["mean …", "cell rmse"], printed) == ["cell rmse"], "in their order"
    assert not_printed(["mean"], printed) == ["mean"], "a line is shown whole, or its end is said to be left out"
    assert refused(["  next: mend it"]) and not refused(["next: dvc repro"])


def test_every_kind_of_block_is_one_that_the_story_runs() -> None:
    found = list(blocks(PAGE))
    assert {block.kind for block in found} == {"python", "console", "sql", "yaml"}
    assert [block.saved_as for block in found if block.saved_as] == ["make_tickets.py"]
    assert PAGE.count("```") == 2 * len(found)
    assert all(Path(block.part_of).suffix for block in found if block.kind in ("sql", "yaml"))
