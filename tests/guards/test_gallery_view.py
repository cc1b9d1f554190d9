"""The gallery holds the target: it is there to be searched online, and a service that joins it is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pairs_project
import polars as pl
import pytest
from pairs_project import DEEP, IMAGES, arrays, run

from pipelines.features import Features
from pipelines.materialize import online_store
from watertight.core.errors import Refusal
from watertight.core.project import Workload
from watertight.core.tables import read_json, read_table
from watertight.core.view_spec import ViewSpec
from watertight.features.kernels import Kitchen, fill

VIEW = f"{pairs_project.NAME}_images"
SERVICE = "features=[embedding]"
START = datetime(2025, 1, 1, tzinfo=UTC)
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
SPEC = ViewSpec(kernel="gallery", derived_from="target", join_key="image_id", labels=("image",), options={"shown": "text"})

Row = tuple[str, str, int | None, list[float] | None]


def rows(*told: Row, synthetic: bool = False) -> pl.DataFrame:
    """row_id, image_id, the day on which the vector was told, and the vector; the text bears the row's name."""
    times = [None if day is None else START + day * DAY for _, _, day, _ in told]
    return pl.DataFrame(
        {
            "row_id": [row for row, *_ in told],
            "image_id": [image for _, image, *_ in told],
            "text": [f"text of {row}" for row, *_ in told],
            "synthetic": synthetic,
            "asked_at": [START] * len(told),
            "labelled_at": times,
            "created_at": times,
            "image": pl.Series([vector for *_, vector in told], dtype=pl.List(pl.Float32)),
        },
        schema_overrides=dict.fromkeys(("asked_at", "labelled_at", "created_at"), pl.Datetime("us", "UTC")),
    )


def filled(table: pl.DataFrame, delay: int = 1) -> list[tuple[object, ...]]:
    found = fill(SPEC, table, Kitchen("", label_delay_us=delay))
    return found.select("image_id", "event_timestamp", "vector", "shown").rows()


def test_an_image_has_one_row_from_when_its_vector_was_first_known() -> None:
    told = rows(("r0", "b", 3, [1, 2]), ("r1", "a", 2, [3, 4]), ("r2", "b", 1, [1, 2]), ("r3", "c", None, None))
    assert filled(told, delay=7) == [
        ("a", START + 2 * DAY + 7 * TICK, [3.0, 4.0], "text of r1"),
        ("b", START + DAY + 7 * TICK, [1.0, 2.0], "text of r2"),
    ]
    table = fill(SPEC, told, Kitchen(""))
    assert table["created_timestamp"].to_list() == [START + 2 * DAY, START + DAY]
    assert table["source_at"].to_list() == [(START + day * DAY).timestamp() * 1e6 for day in (2, 1)]


def test_a_correction_adds_a_row_and_a_made_row_none() -> None:
    told = rows(("r0", "a", 1, [1, 2]), ("r0", "a", 5, [1, 3]))
    assert [(at, vector) for _, at, vector, _ in filled(told)] == [
        (START + DAY + TICK, [1.0, 2.0]),
        (START + 5 * DAY + TICK, [1.0, 3.0]),
    ]
    assert filled(rows(("r0", "a", 1, [1, 2]), synthetic=True)) == []


def test_an_image_of_two_vectors_at_one_instant_is_refused() -> None:
    with pytest.raises(Refusal, match=r"1 key\(s\) have more than one vector") as caught:
        filled(rows(("r0", "a", 1, [1, 2]), ("r1", "a", 1, [1, 3]), ("r2", "b", 1, [1, 2])))
    assert caught.value.rows == ("a",)


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """The pairs' project up to its training set."""
    root = tmp_path_factory.mktemp("gallery") / "project"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("WATERTIGHT_RAW", raising=False)
        work = pairs_project.lay_out(root, arrays())
        patch.chdir(root)
        run(work, "ingest", "check", "split", "featurize", "join")
    return work


@pytest.fixture
def here(joined: Workload, monkeypatch: pytest.MonkeyPatch) -> Workload:
    monkeypatch.chdir(joined.project.root)
    return joined


def declare(work: Workload, monkeypatch: pytest.MonkeyPatch, service: str, more: str = "") -> Workload:
    """The same project with another service, in a module of its own."""
    source = work.feature_module.read_text(encoding="utf-8")
    assert SERVICE in source
    other = work.feature_module.with_name("other.py")
    before, name, after = source.partition(f"{pairs_project.NAME} = FeatureService")
    other.write_text(f"{before}{more}\n{name}{after}".replace(SERVICE, service), encoding="utf-8")
    monkeypatch.setattr(Workload, "feature_module", other)
    return work


def test_a_service_that_joins_it_is_refused_by_its_name(here: Workload, monkeypatch: pytest.MonkeyPatch) -> None:
    work = declare(here, monkeypatch, "features=[embedding, images]")
    with pytest.raises(Refusal, match=f"joins view '{VIEW}', which holds the target 'image' itself") as caught:
        run(work, "guard")
    assert caught.value.column == "image"


def test_so_is_one_that_joins_it_under_another_name(here: Workload, monkeypatch: pytest.MonkeyPatch) -> None:
    work = declare(here, monkeypatch, 'features=[embedding, images.with_name("innocent")]')
    with pytest.raises(Refusal, match=f"joins view '{VIEW}', which holds the target"):
        run(work, "guard")


def test_so_is_one_that_computes_something_of_it(here: Workload, monkeypatch: pytest.MonkeyPatch) -> None:
    near = f"""
from watertight.features.interaction_view import interaction_view

near = interaction_view("{pairs_project.NAME}", name="near", left=embedding, right=images, of=["cosine"])
"""
    work = declare(here, monkeypatch, "features=[embedding, near]", near)
    with pytest.raises(Refusal, match=f"joins view '{VIEW}', which holds the target"):
        run(work, "guard")


def test_unserved_it_passes_the_guard_and_is_searched_online(here: Workload) -> None:
    run(here, "guard", "materialize")
    assert read_json(here.artifacts("guard", "verdict.json"))["status"] == "pass"
    table = read_table(here.data("training_set", "training_set.parquet"))
    assert not [name for name in table.columns if name.startswith(VIEW)]
    told = read_json(here.artifacts("online", "online.json"))["views"][VIEW]
    assert told["entities"] == IMAGES

    given = arrays()
    features = Features(here)
    query = (given["images/embeddings"][5] * 3).tolist()
    with features.store(online_store(features)) as store:
        answer = store.retrieve_online_documents_v2(
            features=[f"{VIEW}:shown", f"{VIEW}:vector"], query=query, top_k=4, distance_metric="cosine"
        ).to_dict()
    unit = given["images/embeddings"] / np.linalg.norm(given["images/embeddings"], axis=1, keepdims=True)
    nearest = np.argsort(-unit @ unit[5])[:4]
    assert answer["image_id"] == given["images/names"][nearest].tolist()
    assert answer["shown"] == given["captions/text"][nearest * 2].tolist()
    assert np.array(answer["vector"]).shape == (4, DEEP)


def test_every_labelled_row_is_in_it_those_of_the_test_sets_too(here: Workload) -> None:
    split = read_table(here.data("split", "split.parquet"))
    assert (split["split"] == "test_groups").any()
    assert read_table(here.data("features", f"{VIEW}.parquet")).height == IMAGES
