"""Vectors flattened to two numbers a row, for a picture: by principal components, and by UMAP."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

COMPONENTS = 10
LEAST_DISTINCT = 20
SEED = 0

Floats = NDArray[np.float32]


def by_components(vectors: Floats) -> tuple[Floats, list[float]]:
    """The first two principal components (n, 2), and the shares of the variance in the first ten, falling.

    ``vectors``: (n, d), finite, n at least 2; fewer shares where n or d is below ten. A second component that is not there
    is 0, and so is every share where all vectors are alike.
    """
    from sklearn.decomposition import PCA

    model = PCA(min(COMPONENTS, *vectors.shape), svd_solver="full")
    with np.errstate(invalid="ignore"):
        points = model.fit_transform(vectors.astype(np.float64))
    flat = np.zeros((len(vectors), 2), dtype=np.float32)
    flat[:, : min(2, points.shape[1])] = points[:, :2]
    return flat, np.nan_to_num(model.explained_variance_ratio_).tolist()


def by_umap(vectors: Floats) -> Floats | None:
    """A map (n, 2) in which near vectors stay near; axes and far distances mean nothing. None of fewer than 20 distinct
    vectors. Equal vectors are one point.

    McInnes, Healy and Melville (2018), UMAP; 15 neighbours, Euclidean distance, seeded and on one thread.
    """
    if len(np.unique(vectors, axis=0)) < LEAST_DISTINCT:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from umap import UMAP

        points: Floats = UMAP(random_state=SEED, n_jobs=1, unique=True).fit_transform(vectors)
    return points
