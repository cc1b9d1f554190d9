"""Interaction views in Feast: declared, joined, and what Feast does not do with their aliases."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from feast import Entity, FeatureService, FeatureView, ValueType

from watertight.core.errors import Misuse, Refusal
from watertight.core.interactions import recomputed
from watertight.features.interaction_view import interaction_features, interaction_view
from watertight.features.views import embedding_view, lexical_view
from watertight.learners.matrix import feature_matrix
from watertight.stores.definitions import Definitions, described
from watertight.stores.join import historical_features
from watertight.stores.private import private_store

ROOT = Path(__file__).parents[2]
AT = datetime(2025, 3, 1, tzinfo=UTC)
WIDTH = 5


@pytest.fixture
def definitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Definitions:
    """Views a and b of a workload w, and ab of both; their vectors lie in Parquet: b's second is null, its third zero."""
    (tmp_path / "feature_repo").mkdir()
    (tmp_path / "params.yaml").write_text("workloads: []")
    monkeypatch.chdir(tmp_path)
    entities = {name: Entity(name=name, join_keys=[f"{name}_id"], value_type=ValueType.STRING) for name in "ab"}
    views = {f"w_{name}": embedding_view("w", name=name, entity=of, texts={f"{name}_id": "t"}) for name, of in entities.items()}
    vectors = np.random.default_rng(0).standard_normal((2, 4, WIDTH)).astype(np.float32)
    vectors[1, 2] = 0
    for (name, view), matrix in zip(views.items(), vectors, strict=True):
        _write(view, name[-1], [None if name == "w_b" and row == 1 else values.tolist() for row, values in enumerate(matrix)])
    ab = interaction_view("w", name="ab", left=views["w_a"], right=views["w_b"])
    service = FeatureService(name="w", features=[*views.values(), ab])
    return Definitions(entities, views, {"w_ab": ab}, {"w": service})


def _write(view: FeatureView, name: str, vectors: list[Any]) -> None:
    source: Any = view.batch_source
    times = dict.fromkeys(("event_timestamp", "created_timestamp"), [AT] * len(vectors))
    keys = {f"{name}_id": [f"{name}{row}" for row in range(len(vectors))]}
    Path(source.path).parent.mkdir(parents=True, exist_ok=True)
    table = pl.DataFrame({**keys, **times, "source_at": [0] * len(vectors)})
    lists = pl.Series("vector", vectors, dtype=pl.List(pl.Float32))
    table.with_columns(lists, pl.col(list(times)).cast(pl.Datetime("us", "UTC"))).write_parquet(source.path)


def _joined(definitions: Definitions, keys: dict[str, list[str]]) -> pl.DataFrame:
    rows = pl.DataFrame({"row_id": [f"r{row}" for row in range(len(keys["a_id"]))], **keys, "asked_at": AT})
    rows = rows.with_columns(pl.col("asked_at").cast(pl.Datetime("us", "UTC")))
    with private_store(definitions, ROOT / "feature_repo" / "feature_store.yaml") as store:
        return historical_features(store, definitions.service("w"), rows, list(keys))


KEYS = {"a_id": ["a0", "a1", "a2", "a3", "a0", "unknown"], "b_id": ["b0", "b1", "b2", "b3", "b3", "b0"]}
NULL = {"product": [1, 5], "difference": [1, 5], "cosine": [1, 2, 5]}


def test_the_join_makes_what_is_recomputed_from_its_vectors(definitions: Definitions) -> None:
    joined = _joined(definitions, KEYS)
    bases = {name: feature_matrix(joined, [name], {name: WIDTH}).values for name in ("w_a__vector", "w_b__vector")}
    again = recomputed(bases, definitions.interactions())
    for kind, null in NULL.items():
        column = joined[f"w_ab__{kind}"]
        widths = {} if kind == "cosine" else {column.name: WIDTH}
        assert column.dtype == (pl.Float32 if kind == "cosine" else pl.List(pl.Float32))
        assert np.array_equal(feature_matrix(joined, [column.name], widths).values, again[column.name], equal_nan=True)
        assert column.is_null().arg_true().to_list() == null


def test_rows_of_which_nothing_is_known_have_no_interactions(definitions: Definitions) -> None:
    joined = _joined(definitions, {"a_id": ["unknown"], "b_id": ["b0"]})
    assert joined.select(pl.col("^w_ab__.*$").is_null()).row(0) == (True, True, True)


def test_the_signature_says_what_the_interactions_are_and_only_where_there_are_some(definitions: Definitions) -> None:
    service = definitions.service("w")
    interaction = {"left": "w_a__vector", "right": "w_b__vector", "of": ["product", "difference", "cosine"]}
    assert described(definitions, service)["interactions"] == {"w_ab": interaction}
    without = Definitions(definitions.entities, definitions.views, {}, definitions.services)
    assert set(described(without, service)) == {"service", "serves", "views", "types"}


def _others(definitions: Definitions) -> dict[str, Callable[[], Any]]:
    a, b = definitions.views.values()
    words = lexical_view("w", entity=definitions.entities["a"], texts={"a_id": "t"})
    return {
        "cannot be made of 'w_lexical'": lambda: interaction_view("w", name="x", left=a, right=words),
        "cannot be made of 'w_other'": lambda: interaction_view("w", name="x", left=b.with_name("w_other"), right=a),
        "(?s)view 'w_x' has .*should be 'product', 'diff": lambda: interaction_view("w", name="x", left=a, right=b, of=["sum"]),
    }


def test_what_cannot_be_declared_is_said_at_once(definitions: Definitions) -> None:
    for said, declare in _others(definitions).items():
        with pytest.raises(Misuse, match=said):
            declare()


def test_an_on_demand_view_under_an_alias_is_refused_since_the_join_would_leave_it_out(definitions: Definitions) -> None:
    features = [*definitions.views.values(), definitions.on_demand["w_ab"].with_name("w_other")]
    aliased = FeatureService(name="w", features=features)
    asked = Definitions(definitions.entities, definitions.views, definitions.on_demand, {"w": aliased})
    with pytest.raises(Misuse, match="serves the on-demand view 'w_ab' as 'w_other'"):
        _joined(asked, KEYS)


def test_vectors_of_two_dimensions_are_refused_in_the_join(definitions: Definitions) -> None:
    _write(definitions.views["w_b"], "b", [[1.0, 0.0]] * 4)
    with pytest.raises(Refusal, match="w_a__vector has vectors of 5 numbers, w_b__vector of 2"):
        _joined(definitions, KEYS)


def test_vectors_of_one_view_that_differ_in_length_are_refused(definitions: Definitions) -> None:
    spec = definitions.interactions()["w_ab"]
    frame = pd.DataFrame({spec.left: [[1.0], [1.0, 2.0]], spec.right: [[1.0], [1.0]]})
    with pytest.raises(Refusal, match="the vectors in w_a__vector differ in length"):
        interaction_features(frame, spec)


def test_the_modules_name_is_found_by_feast_when_it_rebuilds_the_function(definitions: Definitions) -> None:
    told = definitions.on_demand["w_ab"].feature_transformation.udf_string
    module, _, name = told.rpartition(".")
    assert getattr(importlib.import_module(module), name) is interaction_features
