"""The page itself: facts in, one HTML text out, with the same bytes for the same facts."""

from __future__ import annotations

from typing import Any

from watertight.page import sections
from watertight.page.facts import Run
from watertight.page.made import made
from watertight.page.red import conditions
from watertight.page.templates import render

TEMPLATE = "page.html.j2"


def page(run: Run) -> str:
    """The whole page. It names no other place: no script, no font, no image, no link but to itself."""
    found = conditions(run)
    return render(
        TEMPLATE,
        run=run,
        found=found,
        sets=[_row_set(run, target) for target in run.predicted],
        opening=[sections.split(run), *made(run), sections.gates(run)],
        targets=[(target, run.targets[target], sections.of_target(run, target)) for target in run.predicted],
        closing=[sections.provenance(run)],
    )


def _row_set(run: Run, target: str) -> dict[str, Any]:
    digest = run.row_set(target)
    told = run.of(target, slice="", row_set=digest).row(0, named=True)
    return {"target": target, "digest": digest, "rows": told["rows"], "groups": told["groups"]}
