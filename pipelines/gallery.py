"""What a search looks through: a view of the online store, by cosine, or corrected for hubs as the bundle declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from feast import FeatureStore

from pipelines.features import Features
from pipelines.materialize import contents
from watertight.core.errors import Misuse
from watertight.core.view_spec import SOURCE_AT, ViewSpec
from watertight.inference.corrected import Corrected, corrected
from watertight.registry.bank import read_bank
from watertight.registry.bundle import Bundle
from watertight.stores.online import Embeddings, embeddings, nearest, online_features

Line = dict[str, Any]


@dataclass(frozen=True)
class Gallery:
    """The view of a target's vectors, and the features that it shows beside them."""

    view: str
    spec: ViewSpec
    shown: tuple[str, ...]

    @property
    def target(self) -> str:
        """What a model predicts in order to search here."""
        return self.spec.labels[0]

    @property
    def key(self) -> str:
        """What the vectors are known by."""
        return self.spec.join_key


def gallery_of(features: Features) -> Gallery:
    """The view to search: that of the first trained target that has one; raises Misuse where none has."""
    specs = {spec.labels[0]: name for name, spec in features.specs.items() if spec.derived_from == "target"}
    for target in features.work.params.train.targets:
        if target in specs:
            name = specs[target]
            fields = [field.name for field in features.definitions.views[name].features if not field.vector_index]
            return Gallery(name, features.specs[name], tuple(field for field in fields if field != SOURCE_AT))
    raise Misuse(
        "no view of this workload can be searched",
        workload=features.work.name,
        expected=f"a gallery_view of a vector target in feature_repo/{features.work.name}.py",
        next_step="declare one, then dvc repro",
    )


@dataclass(frozen=True)
class ByCosine:
    """A gallery as the online store searches it."""

    features: Features
    store: FeatureStore
    gallery: Gallery

    @property
    def told(self) -> Line:
        """What an answer says of its order: nothing."""
        return {}

    def first(self, vector: list[float], top: int) -> list[Line]:
        """Key, ``cosine`` and what is shown of the ``top`` nearest, nearest first; fewer where there are no more."""
        gallery = self.gallery
        near = nearest(self.store, gallery.view, [SOURCE_AT, *gallery.shown], vector, top)
        return [_line(gallery, one.key[gallery.key], {"cosine": one.cosine}, one.features) for one in near]

    def own(self, vector: list[float], key: str) -> Line | None:
        """Of ``key`` its ``rank``, ``cosine``, and ``among`` how many; None where it is not there."""
        every = contents(self.features)["views"][self.gallery.view]["entities"]
        near = nearest(self.store, self.gallery.view, [SOURCE_AT], vector, every)
        cosines = {one.key[self.gallery.key]: one.cosine for one in near}
        if key not in cosines:
            return None
        rank = _rank(np.array([*cosines.values()]), cosines[key])
        return {self.gallery.key: key, "rank": rank, "cosine": cosines[key], "among": len(cosines)}


class ByCorrection:
    """A gallery whose every vector is read once, so that what is asked of it is ordered exactly."""

    def __init__(self, store: FeatureStore, gallery: Gallery, held: Embeddings, seen: Corrected) -> None:
        self.store, self.gallery, self.seen = store, gallery, seen
        self.keys = [named[gallery.key] for named in held.keys]

    @property
    def told(self) -> Line:
        """What an answer says of its order: ``correction``, its name, its declaration, and how many queries its bank has."""
        correction = self.seen.correction
        return {"correction": {"name": correction.name, **correction.declared.model_dump(), "queries": self.seen.queries}}

    def first(self, vector: list[float], top: int) -> list[Line]:
        """As of ``ByCosine``, with ``corrected``, the score, of the ``top`` by it; of equal ones in the order of their keys."""
        gallery, (cosines, scores) = self.gallery, self._scored(vector)
        places = np.argsort(-scores, kind="stable")[:top].tolist()
        keys = [self.keys[place] for place in places]
        asked = [f"{gallery.view}:{name}" for name in gallery.shown]
        shown = online_features(self.store, asked, [{gallery.key: key} for key in keys]) if asked else {}
        return [
            _line(
                gallery,
                self.keys[place],
                {"cosine": float(cosines[place]), "corrected": float(scores[place])},
                {name: shown[f"{gallery.view}__{name}"][at] for name in gallery.shown},
            )
            for at, place in enumerate(places)
        ]

    def own(self, vector: list[float], key: str) -> Line | None:
        """As of ``ByCosine``, ranked by ``corrected``."""
        if key not in self.keys:
            return None
        (cosines, scores), place = self._scored(vector), self.keys.index(key)
        told = {"cosine": float(cosines[place]), "corrected": float(scores[place])}
        return {self.gallery.key: key, "rank": _rank(scores, scores[place]), **told, "among": len(scores)}

    def _scored(self, vector: list[float]) -> tuple[np.ndarray, np.ndarray]:
        cosines, scores = self.seen.scored(np.array([vector]))
        return cosines[0], scores[0]


def searched(features: Features, store: FeatureStore, gallery: Gallery, bundle: Bundle) -> ByCosine | ByCorrection:
    """The gallery in ``store``, as ``bundle`` has it searched."""
    correction = bundle.manifest.correction
    if correction is None:
        return ByCosine(features, store, gallery)
    bank = read_bank(bundle)
    held = embeddings(store, gallery.view, bank[gallery.target].shape[1])
    if not held.keys:
        return ByCosine(features, store, gallery)
    return ByCorrection(store, gallery, held, corrected(correction, bank, held.vectors, gallery.target))


def _line(gallery: Gallery, key: Any, scores: Mapping[str, float], features: Mapping[str, Any]) -> Line:
    return {gallery.key: key, **scores, **{name: features[name] for name in gallery.shown}}


def _rank(scores: np.ndarray, own: float) -> float:
    """From 1: how many are above ``own``, and half of those that are as high."""
    return 1 + int(np.count_nonzero(scores > own)) + (int(np.count_nonzero(scores == own)) - 1) / 2
