"""The ledger of drops: which parts were let in after a source's own drops, in their order, and which are the reference.

``drops/<workload>/ledger.json`` is in git, a section per source. The parts lie beside it, DVC's, each named by its sha256.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from watertight.core.declare import Declaration, parse
from watertight.core.tables import read_json, replacing, write_json

HEX = r"^[0-9a-f]{64}$"


class Part(Declaration):
    """A drop that was let in: its ``name``, the sha256 ``of`` the file it came in, that of its ``part``, and its rows.

    ``new``: rows that had not been known; ``versions``: late labels and corrections of known ones; ``repeats`` and
    ``quarantined`` rows are not in the part.
    """

    name: str
    of: str = Field(pattern=HEX)
    part: str = Field(pattern=HEX)
    new: int
    versions: int
    repeats: int
    quarantined: int


class Reference(Declaration):
    """The frozen reference profile: the ``drops`` whose rows it is, how many rows and groups these are, and their digest."""

    drops: tuple[str, ...]
    rows: int
    groups: int
    row_ids: str


class Section(Declaration):
    """What is known of one source's drops."""

    drops: tuple[Part, ...] = ()
    reference: Reference | None = None


def read_ledger(path: Path) -> dict[str, Section]:
    """The sections of a ledger by source; empty where there is no file. Raises Misuse where it is not a ledger."""
    told = read_json(path) if path.is_file() else {}
    return {source: parse(Section, section, f"{path.name}, source {source!r},") for source, section in told.items()}


def write_ledger(sections: dict[str, Section], path: Path) -> None:
    """Put the ledger in its place, whole."""
    with replacing(path) as [draft]:
        write_json({source: section.model_dump(mode="json") for source, section in sections.items()}, draft)
