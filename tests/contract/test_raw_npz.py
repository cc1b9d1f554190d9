"""Archives of captions and images: read as they are meant, and each fault told by where it is."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipelines.raw_file import read_raw
from watertight.core.errors import Refusal

Arrays = dict[str, Any]
IMAGES, CAPTIONS, WIDE, DEEP = 3, 7, 4, 6
OF = np.array([0, 1, 2, 0, 1, 2, 2])


def arrays() -> Arrays:
    chance = np.random.default_rng(0)
    return {
        "captions/embeddings": chance.normal(size=(CAPTIONS, WIDE)).astype(np.float32),
        "captions/text": np.array([f"what is seen, {number}" for number in range(CAPTIONS)]),
        "captions/label": OF,
        "images/embeddings": chance.normal(size=(IMAGES, DEEP)).astype(np.float32),
        "images/names": np.array([f"img{number}.jpg" for number in range(IMAGES)]),
    }


def written(folder: Path, given: Arrays, save: Callable[..., None] = np.savez) -> Path:
    save(folder / "pairs.npz", **given)
    return folder / "pairs.npz"


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "label",
    [OF, OF.astype(np.uint8), np.eye(IMAGES, dtype=bool)[OF], np.array([f"img{place}.jpg" for place in OF]), np.eye(IMAGES)[OF]],
)
def test_a_row_for_each_caption_with_its_image(tmp_path: Path, save: Callable[..., None], label: Any) -> None:
    given = arrays()
    found = read_raw(written(tmp_path, given | {"captions/label": label}, save))
    assert found.columns == ["caption", "text", "text_vector", "image", "image_vector"]
    assert found["text"].to_list() == given["captions/text"].tolist()
    assert found["image"].to_list() == [f"img{place}.jpg" for place in OF]
    assert found["text_vector"].dtype == found["image_vector"].dtype == pl.List(pl.Float32)
    assert np.array_equal(np.array(found["text_vector"].to_list(), np.float32), given["captions/embeddings"])
    assert np.array_equal(np.array(found["image_vector"].to_list(), np.float32), given["images/embeddings"][OF])


def test_blanks_around_a_name_are_none_of_it(tmp_path: Path) -> None:
    names = np.array([" img0.jpg", "img1.jpg\t", "img 2.jpg"])
    labels = np.array(["img0.jpg ", "img1.jpg", "img 2.jpg", "img0.jpg", "img1.jpg", "img 2.jpg", "img 2.jpg"])
    found = read_raw(written(tmp_path, arrays() | {"images/names": names, "captions/label": labels}))
    assert found["image"].to_list() == [["img0.jpg", "img1.jpg", "img 2.jpg"][place] for place in OF]


def test_texts_may_be_embedded_elsewhere_and_arrays_lie_in_columns(tmp_path: Path) -> None:
    given = arrays()
    del given["captions/embeddings"]
    given["images/embeddings"] = np.asfortranarray(given["images/embeddings"]).astype(np.float64)
    given["captions/ids"] = given.pop("captions/label")
    found = read_raw(written(tmp_path, given))
    assert "text_vector" not in found.columns
    assert np.allclose(np.array(found["image_vector"].to_list()), given["images/embeddings"][OF])


def spoilt(name: str, row: int, value: float) -> Arrays:
    given = arrays()
    given[name][row] = value
    return given


FAULTS: dict[str, tuple[Arrays, tuple[str, ...]]] = {
    "a vector that is not finite": (
        spoilt("images/embeddings", 1, np.nan),
        ("1 vector(s) in images/embeddings", "rows (from 0): 1"),
    ),
    "a vector of zeros": (spoilt("captions/embeddings", 4, 0.0), ("1 vector(s) in captions/embeddings", "rows (from 0): 4")),
    "fewer vectors than captions": (
        arrays() | {"captions/embeddings": np.ones((6, WIDE), np.float32)},
        ("captions/embeddings of float32 (6, 4) beside 7 of captions/text",),
    ),
    "vectors that are flat": (arrays() | {"images/embeddings": np.ones(3)}, ("images/embeddings of float64 (3,)",)),
    "an image without a caption": (
        arrays() | {"captions/label": np.array([0, 0, 2, 0, 0, 2, 2])},
        ("1 image(s) without a caption: img1.jpg",),
    ),
    "a caption of no image": (
        arrays() | {"captions/label": np.array([0, 1, 2, 0, 1, 2, 3])},
        ("1 caption(s) of no image", "from 0): 6"),
    ),
    "a caption of two images": (
        arrays() | {"captions/label": np.vstack([[1, 1, 0], np.eye(3)[OF[1:]]])},
        ("1 caption(s) of no image", "from 0): 0"),
    ),
    "a name that is no image's": (
        arrays() | {"captions/label": np.array(["img0.jpg"] * 6 + ["cat.jpg"])},
        ("1 caption(s) of no image", "from 0): 6"),
    ),
    "fewer labels than captions": (arrays() | {"captions/label": OF[:6]}, ("6 of captions/label beside 7 of captions/text",)),
    "two images of one name": (arrays() | {"images/names": np.array(["a", "b", "a"])}, ("names 1 image(s) more than once: 'a'",)),
    "two images of one name but for blanks": (
        arrays() | {"images/names": np.array(["b ", "a", "b"])},
        ("names 1 image(s) more than once: 'b ', 'b'", "blanks around a name do not tell it from another"),
    ),
    "labels that are fractions": (arrays() | {"captions/label": OF / 2}, ("captions/label of float64 (7,)",)),
    "no images": (
        {key: value for key, value in arrays().items() if "images" not in key},
        ("lacks images/embeddings, images/names",),
    ),
    "no labels": (
        {key: value for key, value in arrays().items() if "label" not in key},
        ("lacks captions/label or captions/ids", "found captions/embeddings"),
    ),
    "numbers for names": (arrays() | {"images/names": np.arange(3)}, ("images/names of int64 (3,)",)),
}


@pytest.mark.parametrize(("given", "told"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_by_where_it_is(tmp_path: Path, given: Arrays, told: tuple[str, ...]) -> None:
    with pytest.raises(Refusal) as caught:
        read_raw(written(tmp_path, given))
    assert all(part in str(caught.value) for part in ("pairs.npz", *told, "expected:", "nothing was changed"))


class Trap:
    """What would write a file if it were unpickled."""

    def __init__(self, to: Path) -> None:
        self.to = to

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.to, "run"))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_pickled_objects_are_never_loaded(tmp_path: Path, save: Callable[..., None]) -> None:
    trap = Trap(tmp_path / "ran")
    assert b"ran" in pickle.dumps(trap)
    given = arrays() | {"captions/text": np.array([trap] * CAPTIONS, dtype=object)}
    with pytest.raises(Refusal, match="pickled objects in captions/text"):
        read_raw(written(tmp_path, given, save))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_archive_that_is_cut_off_or_damaged_is_refused(tmp_path: Path, save: Callable[..., None]) -> None:
    path = written(tmp_path, arrays(), save)
    whole = path.read_bytes()
    for at in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:at])
        with pytest.raises(Refusal, match=r"pairs\.npz"):
            read_raw(path)
    middle = len(whole) // 3
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :])
    with pytest.raises(Refusal, match=r"pairs\.npz"):
        read_raw(path)
