"""What the registry is made of: one immutable file per version, one append-only file per event, and nothing else.

``models/<model>/versions/1.2.0.json`` and ``models/<model>/events/0001.json``, in git. Every event names the file before it and
the file of its version by sha256, so that an edit, a gap and a lost file show themselves; two people who promote at once write
the same file name, and git says so.
"""

from __future__ import annotations

import operator
import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from watertight.core.declare import Declaration
from watertight.core.digests import json_digest

VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")

STAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*[A-Za-z0-9]")


def _semantic(version: str) -> str:
    if not VERSION.fullmatch(version):
        raise ValueError(f"{version!r} is no version such as 1.2.0")
    return version


def _name(stage: str) -> str:
    if stage and not STAGE.fullmatch(stage):
        raise ValueError(f"{stage!r} is no stage such as prod: letters and digits, and - or _ between them, two at least")
    return stage


def _aware(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("a moment without a zone")
    return moment


Version = Annotated[str, AfterValidator(_semantic)]
StageName = Annotated[str, AfterValidator(_name)]
Moment = Annotated[datetime, AfterValidator(_aware)]
Kind = Literal["promotion", "override", "rollback", "deprecation"]


class Stored(Declaration):
    """A file or folder that DVC keeps: ``md5`` as in ``dvc.lock`` (``….dir`` for a folder), ``size`` in bytes, its files."""

    md5: str
    size: int
    nfiles: int | None = None


class LockedStage(Declaration):
    """A stage as ``dvc.lock`` binds it: its command, what it read (place → md5), its params and what it made."""

    cmd: str
    deps: dict[str, str] = {}
    params: dict[str, Any] = {}
    outs: dict[str, Stored] = {}


class Interface(Declaration):
    """What a caller gives and gets: ``inputs`` are entity keys and texts, ``targets`` each target's kind, with classes if any."""

    inputs: tuple[str, ...]
    targets: dict[str, str]


class Verdict(Declaration):
    """What a gate answered, and the sha256 of the file that says so."""

    status: str
    counts: dict[str, int]
    digest: str


class VersionFacts(Declaration):
    """All that a version is but its number.

    ``revision`` is the commit that its stages are of, ``experiment`` the name of the DVC experiment, if it was one. ``bundle``
    is what is pulled, ``manifest`` the sha256 of its manifest. ``stages``: those of its workload, by name without the workload,
    as ``dvc.lock`` of that commit binds them. ``correction``: by which a search is corrected for hubs; empty, and not written,
    where it goes by cosine. ``params``: the workload's section. ``signature``: digest of the feature
    service's canonical form; ``views``: digest of each view's. ``encoders``: sha256 by name. ``drops``: rows of each, and
    ``parts`` the sha256 of those that were let in. ``figures``: target, part, metric, figure, low, high, rows,
    groups and row_set as in ``watertight.evaluation.figures.FIGURES``, out of fold and of each test set, of the registered cell.
    """

    model: str
    revision: str
    experiment: str = ""
    source: str
    cell: str
    families: tuple[str, ...]
    interface: Interface
    service: str
    signature: str
    correction: str = Field(default="", exclude_if=operator.not_)
    views: dict[str, str]
    encoders: dict[str, str]
    drops: dict[str, int]
    parts: dict[str, str] = {}
    bundle: Stored
    manifest: str
    stages: dict[str, LockedStage]
    params: dict[str, Any]
    verdicts: dict[str, Verdict]
    figures: tuple[dict[str, Any], ...]

    def numbered(self, version: str, because: tuple[str, ...]) -> VersionRecord:
        """The record of these facts as ``version``."""
        return VersionRecord(**dict(self), version=version, because=because)


class VersionRecord(VersionFacts):
    """A version of a model, written once. ``because`` says what made it a major, minor or patch one."""

    version: Version
    because: tuple[str, ...]

    @property
    def digest(self) -> str:
        """sha256 of the record in canonical form: what the events of this version name."""
        return json_digest(self.model_dump(mode="json"))


class GateResult(Declaration):
    """What a gate of a promotion answered.

    ``figure``, between ``low`` and ``high``, is the difference candidate less champion where ``paired``. ``bound`` is what was
    declared, ``told`` one line for a person.
    """

    gate: str
    target: str = ""
    part: str = ""
    status: Literal["pass", "fail", "skipped"]
    paired: bool = False
    figure: float | None = None
    low: float | None = None
    high: float | None = None
    bound: float | None = None
    rows: int | None = None
    groups: int | None = None
    row_set: str = ""
    told: str


class Evidence(Declaration):
    """Why: the ``champion`` that the candidate was set beside (a version, or ``cell <baseline>`` where there was none), the
    digest of the looks at the test sets, and what each gate answered.
    """

    champion: str = ""
    looks: dict[str, str] = {}
    gates: tuple[GateResult, ...] = ()


class Event(Declaration):
    """Something that happened to a model. ``number`` counts from 1; ``stage`` is empty for a deprecation, and
    ``reason`` for a promotion alone.

    ``record`` is the digest of the version's record, ``previous`` that of the event before, empty for the first.
    ``overridden`` are the reasons against it that somebody overrode; ``digest`` is of all the rest.
    """

    number: int = Field(ge=1)
    model: str
    kind: Kind
    version: Version
    stage: StageName = ""
    at: Moment
    by: str
    reason: str = ""
    record: str
    previous: str = ""
    overridden: tuple[str, ...] = ()
    evidence: Evidence = Evidence()
    digest: str = ""

    @model_validator(mode="after")
    def _concerns_a_stage(self) -> Event:
        if bool(self.stage) == (self.kind == "deprecation"):
            raise ValueError(f"a {self.kind} {'of' if self.stage else 'without'} a stage")
        return self

    @model_validator(mode="after")
    def _says_why(self) -> Event:
        if self.kind != "promotion" and not self.reason.strip():
            raise ValueError(f"a {self.kind} without a reason")
        return self

    @property
    def own_digest(self) -> str:
        """What ``digest`` must be."""
        return json_digest(self.model_dump(mode="json", exclude={"digest"}))

    def sealed(self) -> Event:
        """The event with its digest."""
        return self.model_copy(update={"digest": self.own_digest})
