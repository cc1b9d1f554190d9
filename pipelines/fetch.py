"""fetch: a source's raw files from where its contract says, taken only if their bytes are the pinned ones."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from pathlib import Path

from watertight.core.contract import RawFile, SourceContract
from watertight.core.declare import parse, read_yaml
from watertight.core.digests import file_digest
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Project
from watertight.core.tables import replacing

TIMEOUT = 60


def fetch_source(project: Project, workload: str, source: str) -> dict[str, str]:
    """Download what is missing; answers per file ``there already`` or ``fetched``.

    Raises Misuse where a file cannot be had, Refusal where its bytes are others than the pinned ones.
    """
    path = project.root / "pipelines" / "sources" / workload / f"{source}.yaml"
    contract = parse(SourceContract, read_yaml(path), path.name)
    files = {**contract.files, **contract.lookups}
    return {name: _fetched(name, file, project.raw_root / file.path) for name, file in files.items()}


def _fetched(name: str, file: RawFile, place: Path) -> str:
    if place.is_file() and file_digest(place) == file.sha256:
        return "there already"
    if file.url is None:
        raise Misuse(f"{name} has no address to fetch it from", expected=f"the file at {place}")
    with replacing(place) as [draft]:
        _download(name, file.url, draft)
        digest = file_digest(draft)
        if digest != file.sha256:
            raise Refusal(f"{name} has other bytes than the contract pins", expected=f"sha256 {file.sha256}, found {digest}")
    return "fetched"


def _download(name: str, url: str, to: Path) -> None:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, to.open("wb") as stream:
            shutil.copyfileobj(answer, stream)
    except (urllib.error.URLError, TimeoutError) as error:
        raise Misuse(
            f"{name} could not be fetched: {error}",
            next_step="without a network, copy the file there by hand, or set WATERTIGHT_RAW to the folder that holds it",
        ) from error
