"""Exact search through Feast's own call, against distances that are worked out one by one in exact sums."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from feast import FeatureStore, FeatureView, Field
from feast.filter_models import ComparisonFilter, CompoundFilter
from feast.types import Array, Bool, Float32, Float64, Int64, String
from hypothesis import given, settings
from hypothesis import strategies as st
from packed_store import NOON, Packed, feast_store, timestamps, view_of

from watertight.core.errors import Misuse, Refusal
from watertight.stores.packed.search import block, distance

HOUR = timedelta(hours=1)
WIDE = 8


def view(ttl: timedelta | None = None, length: int = WIDE, kind: Any = Float32, metric: str | None = None) -> FeatureView:
    embedding = Field(
        name="e",
        dtype=Array(kind),
        vector_index=True,
        vector_length=length,
        **({"vector_search_metric": metric} if metric else {}),
    )
    return view_of({"text": String, "size": Int64, "score": Float64, "good": Bool}, ttl=ttl, fields=[embedding])


def rows(vectors: np.ndarray, event: datetime = NOON, first: int = 0) -> pa.Table:
    keys = np.arange(first, first + len(vectors))
    return pa.table(
        {
            "item": keys,
            "e": pa.array(list(vectors), pa.list_(pa.from_numpy_dtype(vectors.dtype))),
            "text": [None if key % 5 == 4 else f"word{key % 3}" for key in keys],
            "size": pa.array([None if key % 7 == 6 else int(key) for key in keys], pa.int64()),
            "score": keys / 4,
            "good": [bool(key % 2) for key in keys],
            "event_timestamp": timestamps([event] * len(vectors)),
        }
    )


def drawn(size: int, wide: int = WIDE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(size, wide)).astype(np.float32)


def store_with(folder: Path, vectors: np.ndarray, declared: FeatureView | None = None, **online: Any) -> FeatureStore:
    store = feast_store(folder, declared or view(), **online)
    write(store, rows(vectors))
    return store


def write(store: FeatureStore, table: pa.Table) -> None:
    online = store._get_provider().online_store
    online.online_write_arrow(store.config, store.get_feature_view("view"), table, lambda done: None)


def found(store: FeatureStore, query: Any, top_k: int = 5, **asked: Any) -> dict[str, list[Any]]:
    features = asked.pop("features", ["view:e", "view:text"])
    answer = store.retrieve_online_documents_v2(features=features, query=list(map(float, query)), top_k=top_k, **asked)
    told: dict[str, list[Any]] = answer.to_dict()
    return told


def slowly(metric: str, one: Any, other: Any) -> float:
    product = math.fsum(float(a) * float(b) for a, b in zip(one, other))
    if metric == "inner_product":
        return -product
    if metric == "L2":
        return math.sqrt(math.fsum((float(a) - float(b)) ** 2 for a, b in zip(one, other)))
    scale = math.sqrt(math.fsum(float(a) ** 2 for a in one)) * math.sqrt(math.fsum(float(b) ** 2 for b in other))
    return 1 - product / scale if scale else 1.0


def nearest(metric: str, vectors: np.ndarray, query: Any, top_k: int, among: list[int] | None = None) -> list[int]:
    ranked = sorted(range(len(vectors)) if among is None else among, key=lambda key: (slowly(metric, vectors[key], query), key))
    return ranked[:top_k]


@pytest.mark.parametrize("metric", ["cosine", "L2", "inner_product"])
@pytest.mark.parametrize("kind", [Float32, Float64])
def test_the_nearest_come_first_each_with_its_own_features(tmp_path: Path, metric: str, kind: Any) -> None:
    vectors = drawn(300).astype(np.float32 if kind is Float32 else np.float64)
    store = store_with(tmp_path, vectors, view(kind=kind))
    query = drawn(1, seed=1)[0]
    told = found(store, query, 20, distance_metric=metric)
    assert told["item"] == nearest(metric, vectors, query, 20)
    assert told["distance"] == pytest.approx([slowly(metric, vectors[key], query) for key in told["item"]], rel=1e-12, abs=1e-12)
    assert [np.asarray(vector, vectors.dtype).tolist() for vector in told["e"]] == vectors[told["item"]].tolist()
    assert told["text"] == [None if key % 5 == 4 else f"word{key % 3}" for key in told["item"]]


COARSE = st.lists(st.sampled_from([-1.0, 0.0, 1.0, 2.0]), min_size=2, max_size=2)
WILD = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=2, max_size=2)


@settings(max_examples=40, deadline=None)
@given(st.lists(COARSE, min_size=1, max_size=30), COARSE, st.integers(1, 12), st.sampled_from(["cosine", "L2", "inner_product"]))
def test_equally_near_ones_come_in_the_order_of_their_keys(
    tmp_path_factory: pytest.TempPathFactory, vectors: list[list[float]], query: list[float], top_k: int, metric: str
) -> None:
    """Few different vectors, hence many ties. Cosines of parallel vectors may differ in their last bit: those are rounded."""
    matrix = np.array(vectors, dtype=np.float32)
    packed = Packed(tmp_path_factory.mktemp("ties"))
    packed.write_arrow(view(length=2), rows(matrix))
    answer = packed.store.retrieve_online_documents_v2(packed.config, view(length=2), [], query, top_k, metric)
    told = [(key.entity_values[0].double_val, key.entity_values[1].int64_val) for _, key, _ in answer]
    assert told == sorted(told)
    expected = sorted(slowly(metric, vector, query) for vector in matrix)[:top_k]
    assert [apart for apart, _ in told] == pytest.approx(expected, abs=1e-12)
    for apart, key in told:
        alike = [other for other in range(len(matrix)) if (matrix[other] == matrix[key]).all() and other < key]
        assert set(alike) <= {other for _, other in told} and apart == pytest.approx(
            slowly(metric, matrix[key], query), abs=1e-12
        )


@settings(max_examples=100, deadline=None)
@given(st.lists(WILD, min_size=3, max_size=40), WILD, st.integers(1, 3), st.sampled_from(["cosine", "l2", "dot"]))
def test_no_near_row_is_ruled_out_by_the_estimate(vectors: list[list[float]], query: list[float], top_k: int, name: str) -> None:
    """Also with numbers near the ends of what 32 bits hold."""
    matrix, metric, every = np.array(vectors, dtype=np.float32), distance.METRICS[name], np.arange(len(vectors))
    vector = np.array(query)
    kept = distance.nearest(metric, matrix, distance.lengths(matrix), every, vector, top_k)
    whole = distance.exact(metric, matrix, every, vector)
    assert set(np.lexsort((every, whole))[:top_k]) <= set(kept)


def precisely(name: str, row: np.ndarray, query: np.ndarray) -> float:
    """The distance in whole fractions, whatever the size of the numbers."""
    one, other = [Fraction(number) for number in row.tolist()], [Fraction(number) for number in query.tolist()]
    product = sum((a * b for a, b in zip(one, other)), Fraction())
    if name == "dot":
        return float(-product)
    if name == "l2":
        return root(sum(((a - b) ** 2 for a, b in zip(one, other)), Fraction()))
    squares = sum((a * a for a in one), Fraction()) * sum((b * b for b in other), Fraction())
    return 1 - math.copysign(root(product * product / squares), product) if squares else 1.0


def root(number: Fraction) -> float:
    """By whole numbers: neither the number nor its parts need fit into 64 bits."""
    shift = 2 * (max(0, 128 - number.numerator.bit_length() + number.denominator.bit_length()) // 2 + 1)
    return float(Fraction(math.isqrt((number.numerator << shift) // number.denominator), 1 << (shift // 2)))


@pytest.mark.parametrize("name", ["cosine", "l2", "dot"])
@pytest.mark.parametrize(
    ("query_size", "row_size"), [(1e200, 1), (1e-200, 1), (1e-310, 1), (1, 1e200), (1, 1e-200), (1e99, 1e29)]
)
@pytest.mark.filterwarnings("error")
def test_numbers_of_any_size_are_compared(name: str, query_size: float, row_size: float) -> None:
    kind = np.float32 if row_size in (1, 1e29) else np.float64
    matrix, query = (drawn(30).astype(np.float64) * row_size).astype(kind), drawn(1, seed=1)[0].astype(np.float64) * query_size
    metric, every, norms = distance.METRICS[name], np.arange(30), distance.lengths(matrix)
    whole = distance.exact(metric, matrix, every, query)
    expected = [precisely(name, row, query) for row in matrix]
    assert whole.tolist() == pytest.approx(expected, rel=1e-12, abs=0.0 if name != "cosine" else 1e-12)
    assert set(np.lexsort((every, whole))[:3]) <= set(distance.nearest(metric, matrix, norms, every, query, 3))
    assert norms.tolist() == pytest.approx([precisely("l2", row, np.zeros(WIDE)) for row in matrix], rel=1e-12)


@pytest.mark.parametrize("size", [1e200, 1e-200])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_huge_or_tiny_query_finds_by_cosine_what_one_of_usual_size_finds(tmp_path: Path, size: float) -> None:
    store, query = store_with(tmp_path, drawn(300)), drawn(1, seed=1)[0].astype(np.float64)
    usual = found(store, query, 5, distance_metric="cosine")
    told = found(store, query * size, 5, distance_metric="cosine")
    assert (told["item"], told["distance"]) == (usual["item"], pytest.approx(usual["distance"], rel=1e-12))


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_distances_that_64_bits_do_not_hold_are_refused(tmp_path: Path) -> None:
    store = store_with(tmp_path, drawn(300) * 100)
    with pytest.raises(Refusal, match="greater than 64 bits hold"):
        found(store, np.full(WIDE, 1.7e308), distance_metric="L2")


def test_the_estimate_rules_out_nearly_everything() -> None:
    vectors = drawn(20_000, 64)
    rows = distance.nearest(distance.COSINE, vectors, distance.lengths(vectors), np.arange(20_000), vectors[7].astype(float), 10)
    assert 10 <= len(rows) < 40


FILTERS: list[tuple[Any, Any]] = [
    (ComparisonFilter(type="eq", key="text", value="word1"), lambda row: row["text"] == "word1"),
    (ComparisonFilter(type="ne", key="text", value="word1"), lambda row: row["text"] not in (None, "word1")),
    (ComparisonFilter(type="in", key="text", value=["word0", "word2"]), lambda row: row["text"] in ("word0", "word2")),
    (ComparisonFilter(type="nin", key="text", value=["word0"]), lambda row: row["text"] not in (None, "word0")),
    (ComparisonFilter(type="lt", key="size", value=20.5), lambda row: row["size"] is not None and row["size"] < 20.5),
    (ComparisonFilter(type="gte", key="size", value=30), lambda row: row["size"] is not None and row["size"] >= 30),
    (ComparisonFilter(type="in", key="size", value=[1, 2.5, 3.0, 2**70]), lambda row: row["size"] in (1, 3)),
    (ComparisonFilter(type="gt", key="score", value=7), lambda row: row["score"] > 7),
    (ComparisonFilter(type="lte", key="score", value=0.25), lambda row: row["score"] <= 0.25),
    (ComparisonFilter(type="eq", key="good", value=True), lambda row: row["good"]),
    (CompoundFilter(type="and", filters=[]), lambda row: True),
    (
        CompoundFilter(
            type="or",
            filters=[
                ComparisonFilter(type="eq", key="size", value=5),
                CompoundFilter(
                    type="and",
                    filters=[
                        ComparisonFilter(type="eq", key="text", value="word0"),
                        ComparisonFilter(type="eq", key="good", value=False),
                    ],
                ),
            ],
        ),
        lambda row: row["size"] == 5 or (row["text"] == "word0" and not row["good"]),
    ),
]


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return store_with(tmp_path_factory.mktemp("filtered"), drawn(60))


@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_only_rows_that_pass_the_filter_are_found(filtered: FeatureStore, number: int) -> None:
    declared, passes = FILTERS[number]
    vectors, query = drawn(60), drawn(1, seed=1)[0]
    among = [key for key, row in enumerate(rows(vectors).to_pylist()) if passes(row)]
    assert among
    assert found(filtered, query, 60, filters=declared)["item"] == nearest("L2", vectors, query, 60, among)


def test_a_filter_that_nothing_passes_finds_nothing(filtered: FeatureStore) -> None:
    nothing = ComparisonFilter(type="eq", key="size", value=-1)
    assert found(filtered, drawn(1)[0], filters=nothing)["distance"] == []


def test_rows_outside_the_ttl_and_rows_without_an_embedding_are_not_found(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    store = feast_store(tmp_path, view(ttl=HOUR))
    vectors = drawn(6)
    write(store, rows(vectors[:2], now - 2 * HOUR))
    write(store, rows(vectors[2:], now, first=2))
    bare = rows(vectors[:1], now, first=9)
    write(store, bare.set_column(1, "e", pa.array([None], pa.list_(pa.float32()))))
    assert found(store, vectors[0], 10)["item"] == nearest("L2", vectors, vectors[0], 10, [2, 3, 4, 5])


def test_what_was_written_since_is_found_whoever_wrote_it(tmp_path: Path) -> None:
    store, vectors = store_with(tmp_path, drawn(40)), drawn(40)
    query = drawn(1, seed=1)[0]
    assert found(store, query, 1)["item"] == nearest("L2", vectors, query, 1)
    write(store, rows(query[None, :], NOON, first=70))
    assert found(store, query, 1)["item"] == [70]
    elsewhere = Packed(tmp_path)
    elsewhere.write_arrow(view(), rows(query[None, :], NOON, first=50))
    assert found(store, query, 2)["item"] == [50, 70]
    elsewhere.write_arrow(view(), rows(-query[None, :], NOON + HOUR, first=50))
    assert found(store, query, 1)["item"] == [70]


def test_a_view_larger_than_the_memory_for_it_is_searched_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block, "BLOCK_BYTES", 10_000)
    vectors, query = drawn(500), drawn(1, seed=1)[0]
    store = store_with(tmp_path, vectors, search_bytes=20_000)
    for _ in range(2):
        assert found(store, query, 7)["item"] == nearest("L2", vectors, query, 7)
    assert not store._get_provider().online_store._kept._entries


def test_views_that_were_searched_longest_ago_make_room(tmp_path: Path) -> None:
    packed = Packed(tmp_path, online={"search_bytes": 16_000})
    views = [view_of({}, name=name, fields=[view().features[-1]]) for name in ("one", "two", "three")]
    for one in views:
        packed.write_arrow(one, rows(drawn(50)))
    for one in (views[0], views[1], views[0], views[2]):
        packed.store.retrieve_online_documents_v2(packed.config, one, [], [1.0] * WIDE, 1)
    kept = [place[1] for place in packed.store._kept._entries]
    assert kept == [1, 3]


def test_the_fields_own_metric_goes_first(tmp_path: Path) -> None:
    vectors, query = drawn(50), drawn(1, seed=1)[0]
    store = store_with(tmp_path, vectors, view(metric="cosine"))
    assert found(store, query, 5)["item"] == nearest("cosine", vectors, query, 5)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"query": [1.0] * 3}, "the query has 3 numbers"),
        ({"query": [math.nan] * WIDE}, "8 of them not finite"),
        ({"top_k": 0}, "top_k is 0"),
        ({"distance_metric": "hamming"}, "no distance 'hamming'"),
        ({"query_string": "word"}, "searches embeddings, not words"),
        ({"filters": ComparisonFilter(type="eq", key="e", value=1)}, "cannot filter by 'e'"),
        ({"filters": ComparisonFilter(type="eq", key="size", value="5")}, "compares int64 with '5'"),
        ({"filters": ComparisonFilter(type="eq", key="good", value=1)}, "compares bool with 1"),
        ({"filters": ComparisonFilter(type="in", key="size", value=5)}, "has no list of values"),
    ],
)
def test_what_cannot_be_answered_is_said(filtered: FeatureStore, asked: dict[str, Any], told: str) -> None:
    with pytest.raises(Misuse, match=told):
        found(filtered, **{"query": [1.0] * WIDE, **asked})


def test_a_view_without_an_embedding_to_search_is_told(tmp_path: Path) -> None:
    packed, bare = Packed(tmp_path), view_of({"a": Float64})
    packed.apply(bare)
    with pytest.raises(Misuse, match="does not say which embedding") as misuse:
        packed.store.retrieve_online_documents_v2(packed.config, bare, ["a"], [1.0], 1)
    assert "vector_index=True" in str(misuse.value)


@pytest.mark.parametrize("odd", [[1.0] * 3, [math.nan] * WIDE])
def test_embeddings_that_cannot_be_compared_are_refused(tmp_path: Path, odd: list[float]) -> None:
    packed = Packed(tmp_path)
    packed.write_arrow(view(), rows(drawn(3)))
    packed.write_arrow(view(), rows(np.array([odd], dtype=np.float32), first=3))
    with pytest.raises(Refusal, match="cannot be compared") as refused:
        packed.store.retrieve_online_documents_v2(packed.config, view(), [], [1.0] * WIDE, 1)
    assert (refused.value.column, refused.value.count) == ("e", 1)
