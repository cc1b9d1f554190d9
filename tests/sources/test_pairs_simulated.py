"""The simulated pairs: the same seed gives the same images, wrong pairs change nothing else, and lines do not fit the map."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import Ridge

from pipelines.sources.alignment.simulated import simulate
from watertight.core.ranks import gallery, ranks

SMALL = {"seed": 3, "images": 200, "captions": 3, "text_dimension": 32, "image_dimension": 48}
RIGHT = pl.col("written_for") == "this image"


@pytest.fixture(scope="module")
def clean() -> pl.DataFrame:
    return simulate(**SMALL, wrong_pairs=0.0)


@pytest.fixture(scope="module")
def wrong() -> pl.DataFrame:
    return simulate(**SMALL, wrong_pairs=0.3)


def vectors(rows: pl.DataFrame, name: str) -> np.ndarray:
    return np.stack(rows[name].to_numpy())


def test_the_same_seed_gives_the_same_rows(clean: pl.DataFrame) -> None:
    assert clean.equals(simulate(**SMALL, wrong_pairs=0.0))
    assert not clean["image"].equals(simulate(**SMALL | {"seed": 4}, wrong_pairs=0.0)["image"])


def test_vectors_are_of_length_one_and_an_image_has_one(clean: pl.DataFrame) -> None:
    for name, size in (("text_vector", 32), ("image", 48)):
        assert vectors(clean, name).shape == (600, size)
        np.testing.assert_allclose(np.linalg.norm(vectors(clean, name), axis=1), 1, atol=1e-6)
    assert clean.group_by("image_id").agg(pl.col("image").n_unique())["image"].to_list() == [1] * 200


def test_wrong_pairs_change_their_captions_alone(clean: pl.DataFrame, wrong: pl.DataFrame) -> None:
    right = wrong.select(RIGHT).to_series()
    assert abs((~right).mean() - 0.3) < 0.06  # type: ignore[operator]
    for name in ("text", "text_vector", "similarity"):
        assert clean[name].filter(right).equals(wrong[name].filter(right))
    assert clean["image"].equals(wrong["image"])
    moved = np.abs(vectors(clean, "text_vector") - vectors(wrong, "text_vector")).max(axis=1)
    assert (moved[~right.to_numpy()] > 1e-3).all()


def test_two_wrong_pairs_in_three_came_with_a_whole_image() -> None:
    many = simulate(**SMALL | {"images": 2000, "text_dimension": 2, "image_dimension": 2}, wrong_pairs=0.3)
    of_image = many.group_by("image_id").agg((~RIGHT).mean().alias("wrong"))["wrong"]
    assert (of_image == 1).mean() == pytest.approx(0.2, abs=0.03)


def test_the_similarity_tells_wrong_from_right_but_not_always(wrong: pl.DataFrame) -> None:
    low, high = (wrong.filter(side)["similarity"] for side in (~RIGHT, RIGHT))
    assert high.quantile(0.5) > low.quantile(0.9)  # type: ignore[operator]
    assert high.min() < low.max()  # type: ignore[operator]


def test_what_varies_most_is_not_what_captions_tell(clean: pl.DataFrame) -> None:
    """Without the image's largest directions a linear map finds more images than with them."""
    x, y = vectors(clean, "text_vector").astype(np.float64), vectors(clean, "image").astype(np.float64)
    fitted, held = np.arange(600) < 450, np.arange(600) >= 450
    told = Ridge(0.01).fit(x[fitted], y[fitted]).predict(x[held])
    _, _, directions = np.linalg.svd(y[fitted] - y[fitted].mean(axis=0), full_matrices=False)
    rest = np.eye(48) - directions[:4].T @ directions[:4]
    assert (1 / ranks(told @ rest, gallery(y[held] @ rest))).mean() > 1.1 * (1 / ranks(told, gallery(y[held]))).mean()
