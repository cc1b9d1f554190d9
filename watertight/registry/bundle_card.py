"""The card of a version, out of its bundle, wherever DVC has that."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from watertight.registry.objects import Objects
from watertight.registry.records import VersionRecord

CARD = "card.md"


def card_of(root: Path, record: VersionRecord) -> str:
    """The text of the card; raises Refusal or Misuse where the bundle is neither in DVC's cache nor on the remote."""
    objects = Objects(root)
    objects.fetch(record.bundle)
    with TemporaryDirectory() as folder:
        objects.write(record.bundle, Path(folder) / "bundle")
        return (Path(folder) / "bundle" / CARD).read_text(encoding="utf-8")
