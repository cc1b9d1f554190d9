"""The working tree under a promotion: as committed, but for looks at the test sets, which a promotion commits with itself."""

from __future__ import annotations

import re
from pathlib import Path

from watertight.core.errors import Refusal
from watertight.core.project import Project
from watertight.registry.repository import demand_clean, succeeds, unclean

LOOK = re.compile(r"models/(?P<model>[^/]+)/looks/[0-9a-f]+\.json")


def demand_committed(project: Project) -> None:
    """Raise Refusal, with the files, where something else than a new look is not committed."""
    demand_clean(project.root, LOOK)
    edited = [place for place in unclean(project.root) if succeeds(project.root, "ls-files", "--error-unmatch", "--", place)]
    if edited:
        raise Refusal(
            f"a look at the test sets was edited: {', '.join(edited)}",
            expected="looks as they were recorded",
            next_step=f"git checkout -- {' '.join(edited)}",
        )


def uncommitted_looks(project: Project, model: str) -> list[Path]:
    """The looks of ``model`` that are not committed yet."""
    found = ((place, LOOK.fullmatch(place)) for place in unclean(project.root))
    return [project.root / place for place, look in found if look and look["model"] == model]
