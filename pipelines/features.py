"""What several stages do with a workload's features: load the definitions, fill the views, join, look up online."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import polars as pl
from feast import FeatureService, FeatureStore

from watertight.core.project import Workload
from watertight.core.tables import read_json, write_table
from watertight.core.view_spec import ViewSpec
from watertight.features.encoder import encoder_folder, fingerprint
from watertight.features.kernels import Kitchen, encodes, fill
from watertight.progress import track
from watertight.stores.definitions import Definitions, is_evidence, load_definitions, projections, read_from
from watertight.stores.definitions import feature_columns as columns_of
from watertight.stores.join import historical_features, join_keys
from watertight.stores.private import private_store


@dataclass(frozen=True)
class Served:
    """A view as a service serves it: under ``name``, filled as ``spec`` says, ``view`` being its own name."""

    name: str
    view: str
    spec: ViewSpec
    keys: dict[str, str]

    @property
    def key(self) -> str:
        """The rows' column that this name joins on."""
        return self.keys.get(self.spec.join_key, self.spec.join_key)


@dataclass(frozen=True)
class Features:
    """A workload's Feast definitions, its service, and how its views are filled."""

    work: Workload

    @cached_property
    def definitions(self) -> Definitions:
        """The Feast objects of ``feature_repo/<workload>.py``."""
        return load_definitions(self.work.feature_module)

    @cached_property
    def service(self) -> FeatureService:
        """The feature service of the training set."""
        return self.definitions.service(self.work.params.join.service)

    @cached_property
    def specs(self) -> dict[str, ViewSpec]:
        """Of each view, what fills it."""
        return self.definitions.specs()

    @property
    def columns(self) -> list[str]:
        """Every joined column, evidence among them."""
        return columns_of(self.service)

    @property
    def model_columns(self) -> list[str]:
        """The joined columns that a model may take."""
        return [name for name in self.columns if not is_evidence(name)]

    @property
    def join_keys(self) -> list[str]:
        """The rows' columns that the service joins on."""
        entities = self.definitions.entities
        # A view's own `join_keys` is empty until Feast has applied it.
        keys = {name: [entities[entity].join_key for entity in view.entities] for name, view in self.definitions.views.items()}
        return join_keys(self.service, keys)

    def served(self, derived_from: str) -> list[Served]:
        """The served views that are derived from ``content``, or from ``labels``."""
        every = [
            Served(name, view["view"], self.specs[view["view"]], view["keys"])
            for name, view in projections(self.service).items()
            if view["view"] in self.specs
        ]
        return [served for served in every if served.spec.derived_from == derived_from]

    @contextmanager
    def store(self, online: Path | None = None) -> Iterator[FeatureStore]:
        """A private Feast store with these definitions."""
        config = self.work.project.root / "feature_repo" / "feature_store.yaml"
        with private_store(self.definitions, config, online) as store:
            yield store

    def fill(self, name: str, rows: pl.DataFrame, kitchen: Kitchen) -> pl.DataFrame:
        """The table of one view from ``rows``."""
        return fill(self.specs[name], rows, kitchen)

    def kitchen(self, what: str = "texts") -> Kitchen:
        """What kernels may use: the declared encoder, and progress on standard error."""
        params = self.work.params.featurize
        return Kitchen(params.encoder, partial(track, what=what), params.label_delay_us)

    def encoders(self, rows: pl.DataFrame) -> dict[str, str]:
        """The declared encoder's fingerprint by its name; empty where no view of ``rows`` uses one."""
        return self.encoder if any(encodes(spec, rows) for spec in self.specs.values()) else {}

    def encoders_of_training(self) -> dict[str, str]:
        """Likewise, empty where the training set was made without one."""
        return self.encoder if read_json(self.work.data("training_set", "training_set.json"))["encoders"] else {}

    @property
    def encoder(self) -> dict[str, str]:
        """The declared encoder's fingerprint by its name."""
        name = self.work.params.featurize.encoder
        return {name: fingerprint(encoder_folder(name))}

    def joined(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The service's features for each of ``rows`` as of its ``asked_at``, from the project's own tables."""
        with self.store() as store:
            return historical_features(store, self.service, rows, self.join_keys)


def features_of_new_rows(features: Features, rows: pl.DataFrame, versions: pl.DataFrame | None = None) -> pl.DataFrame:
    """The same join for rows that are not part of the project: their own content, the project's history.

    ``versions``: every version of every row whose labels are that history; by default the project's own tables are read.
    """
    filled = {"content": rows, **({} if versions is None else {"labels": versions, "target": versions})}
    names = {name: spec.derived_from for name, spec in features.specs.items() if spec.derived_from in filled}
    with tempfile.TemporaryDirectory(prefix="watertight-rows-") as folder:
        places = {name: Path(folder, f"{name}.parquet") for name in names}
        for kind, of in filled.items():
            write_views(features, of, [name for name, derived in names.items() if derived == kind], places)
        # `read_from` changes what it is given; the caller's definitions go on reading the project's tables.
        own = Features(features.work)
        read_from(own.definitions, places)
        return own.joined(rows)


def write_views(features: Features, rows: pl.DataFrame, names: Iterable[str], places: dict[str, Path]) -> Kitchen:
    """Fill the named views from ``rows`` and write them; answers the kitchen with what the kernels noted."""
    kitchen = features.kitchen()
    for name in names:
        write_table(features.fill(name, rows, kitchen), places[name])
    return kitchen
