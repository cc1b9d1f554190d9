"""Feast views that know the kernel which fills them: of content, of past labels, and the function of (state, t).

Each helper returns a plain ``feast.FeatureView`` over a Parquet file that ``featurize`` writes; nothing here is a
language of our own. Every view carries ``source_at`` (Int64, µs since the epoch): the instant at which the newest fact
behind the row was known. It travels through the join as a feature so that the guard can ask the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pandas as pd
import polars as pl
from feast import Entity, FeatureView, Field, FileSource, RequestSource
from feast.on_demand_feature_view import OnDemandFeatureView
from feast.transformation.pandas_transformation import PandasTransformation
from feast.types import Array, Float32, Int64, String

from watertight.core.declare import parse
from watertight.core.errors import Misuse
from watertight.core.project import find_project
from watertight.core.view_spec import REQUEST_TIME, SOURCE_AT, ViewSpec
from watertight.features.gallery import SHOWN
from watertight.features.given_vectors import GIVEN
from watertight.features.lexical import LEXICAL_COLUMNS
from watertight.features.temporal_now import temporal_now
from watertight.features.temporal_schema import now_columns, state_columns, texts_columns

Texts = Mapping[str, str | Sequence[str]]
"""The rows' key column to the text column, or to several whose texts make one, with a blank line between them."""


def lexical_view(workload: str, *, entity: Entity, texts: Texts, name: str = "lexical") -> FeatureView:
    """Word-list and surface features of a text, one row per key of ``entity``.

    ``texts`` maps the rows' key column to the text column, or to a list of them: their texts are joined by a blank line,
    null ones left out. Features: Float32, null where the text (every part of it) is null.
    """
    spec = _of_content("lexical", entity, texts, name)
    return _view(workload, name, entity, spec, [Field(name=column, dtype=Float32) for column in LEXICAL_COLUMNS])


def embedding_view(
    workload: str,
    *,
    entity: Entity,
    texts: Texts,
    given: str | None = None,
    anchors: Mapping[str, Sequence[str]] | None = None,
    name: str = "embedding",
) -> FeatureView:
    """The encoder's unit vector of a text (``vector``, list of Float32) and its cosine to each declared anchor.

    ``texts`` maps the rows' key column to the text column, or to a list of them, whose vectors are averaged by their
    characters, null ones left out; null where all are null. A text longer than the encoder's window is the mean of
    overlapping windows. ``anchors`` maps a name to phrases; ``like_<name>`` in [-1, 1] is the similarity to their mean vector.

    ``given`` names the rows' column of vectors that somebody else made of the text: where the source has it, they are the
    view's, as they are. Raises Misuse for ``given`` beside anchors, which are the encoder's, or beside several texts a row.
    """
    phrases = {anchor: list(words) for anchor, words in (anchors or {}).items()}
    if given and (phrases or len(texts) > 1):
        raise Misuse(
            f"view {name!r} takes the vectors in {given!r} as they are",
            expected="one text a row, and no anchors: those are vectors of another encoder",
        )
    spec = _of_content("embedding", entity, texts, name, anchors=phrases, **({GIVEN: given} if given else {}))
    likes = [Field(name=f"like_{anchor}", dtype=Float32) for anchor in phrases]
    return _view(workload, name, entity, spec, [Field(name="vector", dtype=Array(Float32)), *likes])


def gallery_view(workload: str, *, entity: Entity, target: str, shown: str | None = None, name: str = "gallery") -> FeatureView:
    """The vectors of ``target`` by what they are vectors of, one row per key of ``entity``: for similarity search online.

    ``vector`` (list of Float32) is searched by cosine; ``shown``, if it names a column of texts, is the text (String) of the
    row that told the vector first. A row may be used once its label may; one that is corrected gets a second row. It holds
    the target itself: no service may serve it, and the guard refuses one that does.
    """
    options = {SHOWN: shown} if shown else {}
    spec = ViewSpec(kernel="gallery", derived_from="target", join_key=entity.join_key, labels=(target,), options=options)
    searched = Field(name="vector", dtype=Array(Float32), vector_index=True, vector_search_metric="cosine")
    return _view(workload, name, entity, spec, [searched, *(Field(name=SHOWN, dtype=String) for _ in options)])


def temporal_view(workload: str, *, entity: Entity, labels: Sequence[str], name: str = "history") -> FeatureView:
    """State of an entity from the labels that were known: EMAs, running mean and variance, counts, the last ten labels.

    One row per instant at which labels became known, usable from one microsecond later; see
    :func:`watertight.features.temporal_state.temporal_state` for every column.
    """
    spec = ViewSpec(kernel="temporal", derived_from="labels", join_key=entity.join_key, labels=tuple(labels))
    fields = [Field(name=column, dtype=_FEAST[kind]) for column, kind in state_columns(labels).items()]
    return _view(workload, name, entity, spec, fields)


def labelled_texts_view(
    workload: str, *, entity: Entity, texts: Sequence[str], labels: Sequence[str], name: str = "said"
) -> FeatureView:
    """Beside the count and the mean of the labels that were known: what the texts said that were so labelled, on average.

    ``texts`` are the rows' text columns; where there are several, their mean stands for the row, and nothing where one
    is null. ``L_text`` (list of Float32) is a mean of the encoder's vectors; see
    :func:`watertight.features.temporal_texts.temporal_texts` for every column, and for when a row may be used.
    """
    if isinstance(texts, str) or not texts:
        raise Misuse(f"view {name!r} reads {texts!r}", expected="a list of the rows' text columns, at least one")
    spec = ViewSpec(
        kernel="labelled_texts",
        derived_from="labels",
        join_key=entity.join_key,
        labels=tuple(labels),
        labelled_texts=tuple(texts),
    )
    fields = [Field(name=column, dtype=_FEAST[kind]) for column, kind in texts_columns(labels).items()]
    return _view(workload, name, entity, spec, fields)


def scalars(view: FeatureView) -> list[str]:
    """The names of a view's features that are single numbers: what a model may take as they are."""
    return [field.name for field in view.features if not isinstance(field.dtype, Array)]


def now_view(workload: str, *, state: FeatureView, labels: Sequence[str], name: str = "now") -> OnDemandFeatureView:
    """What changes with the clock alone: the function of (state, t), the same offline and online.

    ``t`` is asked for as ``asked_at_us`` (Int64, µs since the epoch, UTC).
    """
    names = list(labels)

    # Feast evaluates a UDF's annotations where this module's names are not known, so it has none.
    def features(frame):  # type: ignore[no-untyped-def]
        return now_features(frame, names)

    return OnDemandFeatureView(
        name=f"{workload}_{name}",
        sources=[state, RequestSource(name=f"{workload}_clock", schema=[Field(name=REQUEST_TIME, dtype=Int64)])],
        schema=[Field(name=column, dtype=_FEAST[kind]) for column, kind in now_columns(names).items()],
        feature_transformation=PandasTransformation(features, "watertight.features.views.now_features"),
        mode="pandas",
    )


def now_features(frame: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """:func:`temporal_now` on the pandas frame that Feast hands over: state columns and ``asked_at_us``."""
    kinds = state_columns(labels)
    state = pl.DataFrame([_column(frame[name], kind) for name, kind in kinds.items() if name in frame])
    at = pl.Series("at", frame[REQUEST_TIME].astype("int64").to_numpy()).cast(pl.Datetime("us", "UTC"))
    return temporal_now(state, at, labels).to_pandas().set_index(frame.index)


_FEAST: dict[Any, Any] = {
    pl.Float32(): Float32,
    pl.Int64(): Int64,
    pl.List(pl.Float32): Array(Float32),
    pl.List(pl.Int64): Array(Int64),
}


def _of_content(kernel: str, entity: Entity, texts: Texts, name: str, **options: Any) -> ViewSpec:
    columns = {key: text if isinstance(text, str) else tuple(text) for key, text in texts.items()}
    given = {"kernel": kernel, "derived_from": "content", "join_key": entity.join_key, "texts": columns, "options": options}
    return parse(ViewSpec, given, f"view {name!r}")


def _view(workload: str, name: str, entity: Entity, spec: ViewSpec, fields: list[Field]) -> FeatureView:
    full = f"{workload}_{name}"
    evidence = [] if any(field.name == SOURCE_AT for field in fields) else [Field(name=SOURCE_AT, dtype=Int64)]
    path = find_project().root / "data" / workload / "features" / f"{full}.parquet"
    return FeatureView(
        name=full,
        entities=[entity],
        ttl=timedelta(0),
        schema=[*fields, *evidence],
        source=FileSource(
            name=full,
            path=str(path),
            timestamp_field="event_timestamp",
            created_timestamp_column="created_timestamp",
        ),
        tags=spec.tags(),
    )


def _column(values: pd.Series, kind: Any) -> pl.Series:
    """A pandas column of Feast's (nulls as None or NaN, lists as arrays) in its declared Polars type."""
    if kind in (pl.Float32(), pl.Int64()):
        numbers = pl.Series(str(values.name), values.astype("float64").to_numpy()).fill_nan(None)
        return numbers.cast(kind)
    lists = [None if item is None or isinstance(item, float) else list(item) for item in values]
    return pl.Series(str(values.name), lists, dtype=kind)
