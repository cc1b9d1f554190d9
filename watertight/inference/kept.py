"""The bundles of versions, by what they hold: brought once to the cache of this machine, checked each time."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from watertight.core.caches import default_root
from watertight.core.digests import file_digest
from watertight.core.errors import Refusal, WatertightError
from watertight.inference.opened import opened
from watertight.registry.bundle import MANIFEST, Bundle
from watertight.registry.records import Stored, VersionRecord

FOLDER = "bundles"


def kept(root: Path, record: VersionRecord) -> Bundle:
    """The bundle of a version of the project at ``root``: from ``$WATERTIGHT_CACHE/bundles/<md5>``, or first brought there.

    DVC is needed only for the latter, and git for neither. Raises Refusal where neither DVC's cache nor its remote has the
    bundle, or where it is not, to the last byte, the one that the record names.
    """
    place = default_root() / FOLDER / record.bundle.md5
    if not place.is_dir():
        _bring(root, record.bundle, place)
    try:
        return of_record(place, record)
    except WatertightError as error:
        error.next_step = f"remove {place}, which is a copy, and try again"
        raise


def of_record(folder: Path, record: VersionRecord) -> Bundle:
    """The bundle in ``folder``, which is that of the record; raises Refusal where it is another or was edited."""
    bundle = opened(folder)
    if file_digest(folder / MANIFEST) != record.manifest:
        raise Refusal(
            f"the bundle in {folder} is not that of {record.model} {record.version}",
            expected=f"a manifest with the sha256 {record.manifest}",
            next_step=f"watertight pull {record.model}@{record.version} --to another folder",
        )
    return bundle


def _bring(root: Path, stored: Stored, place: Path) -> None:
    """Put it in place in one move, so that a process beside this one sees all of it or nothing."""
    from watertight.registry.objects import Objects  # DVC behind it

    objects = Objects(root)
    objects.fetch(stored)
    place.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place.parent, prefix=".") as draft:
        objects.write(stored, Path(draft) / "bundle")
        try:
            (Path(draft) / "bundle").rename(place)
        except OSError:
            if not place.is_dir():  # else another process was first
                raise
