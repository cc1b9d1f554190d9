"""A case: one behaviour of an offline store, declared: what lies in the sources, what is asked, what must come back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Flag, auto
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tests.stores.offline.layouts import Layout, one_file
from tests.stores.offline.made import KEY, TIME

if TYPE_CHECKING:
    from feast.on_demand_feature_view import OnDemandFeatureView

    from tests.stores.offline.project import Project


class About(Flag):
    """What a case asks about. Values are always compared; the rest only where a case is about it, or by a strict judge."""

    VALUES = auto()
    ORDER = auto()
    COLUMNS = auto()
    ENTITY = auto()
    TYPES = auto()


NOTHING = About(0)
EVERYTHING = About.VALUES | About.ORDER | About.COLUMNS | About.ENTITY | About.TYPES


@dataclass(frozen=True)
class Source:
    """Rows and how they lie on disk. ``mapping`` renames columns of the file, as Feast's ``field_mapping`` does."""

    rows: pa.Table
    layout: Layout = one_file
    timestamp: str = TIME
    created: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    format_declared: bool = True

    def columns(self) -> dict[str, pa.DataType]:
        """The columns under the names by which Feast knows them."""
        return {self.mapping.get(one.name, one.name): one.type for one in self.rows.schema}


@dataclass(frozen=True)
class View:
    """A feature view; its features are every column of its source that is neither key nor time, unless named."""

    name: str
    source: Source
    keys: tuple[str, ...] = (KEY,)
    ttl: timedelta | None = None
    features: tuple[str, ...] | None = None

    def served(self) -> list[str]:
        beside = {*self.keys, self.source.timestamp, self.source.created}
        return list(self.features or [name for name in self.source.columns() if name not in beside])


@dataclass(frozen=True)
class Use:
    """A view in a feature service: some of its features, perhaps under an alias and with other names of its keys."""

    view: str
    features: tuple[str, ...]
    alias: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """The table that must come back, of which ``entity`` columns came from the caller.

    ``by`` names the columns by which rows are matched where their order is not judged; ``free`` is what the contract leaves open.
    """

    table: pa.Table
    entity: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    free: About = NOTHING


@dataclass(frozen=True)
class Fails:
    """The call must raise, and the message must hold all these words."""

    words: tuple[str, ...]


Call = Callable[["Project"], pa.Table]


@dataclass(frozen=True)
class Case:
    """One behaviour. ``origin`` names the test of Feast's own that asks for the same; ``online``: an online store is needed."""

    name: str
    behaviour: str
    views: Sequence[View]
    call: Call
    expected: Answer | Fails
    about: About = About.VALUES
    service: Sequence[Use] = ()
    on_demand: Sequence[Callable[[Mapping[str, Any]], OnDemandFeatureView]] = ()
    origin: str = ""
    online: bool = False


def view(name: str, table: pa.Table, *, keys: Sequence[str] = (KEY,), ttl: timedelta | None = None, **source: Any) -> View:
    """A view over a source of its own."""
    features = source.pop("features", None)
    return View(name, Source(table, **source), tuple(keys), ttl, features)
