"""NumPy archives of captions and images: what their headers promise is looked at first, and nothing in them is unpickled.

The layout: ``captions/embeddings`` (n, d), where texts were embedded elsewhere; ``captions/text`` (n,); ``images/embeddings``
(m, k); ``images/names`` (m,); and which image a caption is of, ``captions/label`` or ``captions/ids``: places (n,), names (n,),
or a row of which one of m is true (n, m). Captions that are to be predicted need no images, and ``captions/ids`` are their
own, unless they are all that tells of images that are there.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.raw_arrays import Array, demand_directions, demand_whole, header, lists, texts_of
from pipelines.raw_bytes import Raw

VECTORS, TEXTS, IMAGES, NAMES = "captions/embeddings", "captions/text", "images/embeddings", "images/names"
IDS = "captions/ids"
LABELS = ("captions/label", IDS)
NEEDED, UNLABELLED = ((TEXTS,), (IMAGES,), (NAMES,), LABELS), ((TEXTS,),)
LAYOUT, OF_CAPTIONS = (VECTORS, TEXTS, IMAGES, NAMES, *LABELS), (VECTORS, TEXTS, IDS)
MOST_ARRAYS = 2**33
LOCAL_HEADER = 30
SUFFIX = ".npy"


def archive(raw: Raw) -> pl.DataFrame:
    """A row per caption, in order: ``caption``, its place from 0; ``text``; ``text_vector`` where there is one; ``image``, the
    name, without the blanks around it; ``image_vector``. Vectors are lists of Float32. Of one that is unlabelled only captions
    are read, as if there were nothing else: ``id`` in place of the image, a String, where the archive has ids.

    Arrays that are stored as they are, are mapped into memory. Raises Refusal where the archive is cut off or damaged, where an
    array is missing, of objects (pickled) or of another shape, where a vector is zero or not finite, names repeat, a caption
    is of no image, an image has no caption, or an id is blank.
    """
    source = io.BytesIO(raw.whole()) if raw.packed else raw.path
    try:
        with zipfile.ZipFile(source) as file:
            found = _Members(raw, file).arrays()
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise raw.refused(
            f"cannot be read: {error}", "a whole archive, as numpy.savez writes it", "get the whole file"
        ) from error
    return _captions(raw, found)


@dataclass(frozen=True)
class _Members:
    """The arrays of an open archive."""

    raw: Raw
    file: zipfile.ZipFile

    def arrays(self) -> dict[str, Array]:
        """Those of the layout, by name."""
        members = {info.filename.removesuffix(SUFFIX): info for info in self.file.infolist()}
        self._demand_needed(members)
        wanted = [name for name in self._layout(members) if name in members]
        size = sum(members[name].file_size for name in wanted)
        if size > MOST_ARRAYS:
            raise self.raw.refused(f"would take {size / 2**30:,.1f} GiB", f"at most {MOST_ARRAYS / 2**30:.0f} GiB", "split it")
        return {name: self._array(name, members[name]) for name in wanted}

    def _layout(self, members: Collection[str]) -> tuple[str, ...]:
        """What is read; ids that are the only label beside images tell of these, and are no captions' own."""
        if not self.raw.unlabelled:
            return LAYOUT
        return (VECTORS, TEXTS) if NAMES in members and LABELS[0] not in members else OF_CAPTIONS

    def _demand_needed(self, members: Collection[str]) -> None:
        needed = UNLABELLED if self.raw.unlabelled else NEEDED
        missing = [" or ".join(names) for names in needed if not set(names) & set(members)]
        if missing:
            captions_alone = TEXTS in members and not {IMAGES, NAMES, *LABELS[:1]} & set(members)
            raise self.raw.refused(
                f"lacks {', '.join(missing)}",
                f"{', '.join(' or '.join(names) for names in needed)}; found {', '.join(sorted(members)) or 'nothing'}",
                "captions without images are for `watertight predict` and `watertight submit`" if captions_alone else "",
            )

    def _array(self, name: str, info: zipfile.ZipInfo) -> Array:
        with self.file.open(info) as stream:
            shape, fortran, dtype = header(self.raw, name, stream)
            begins = stream.tell()
        demand_whole(self.raw, name, info.file_size - begins, shape, dtype)
        stored = info.compress_type == zipfile.ZIP_STORED and not self.raw.packed
        data = self._mapped(info) if stored else np.frombuffer(self.file.read(info), dtype=np.uint8)
        return data[begins:].view(dtype).reshape(shape, order="F" if fortran else "C")

    def _mapped(self, info: zipfile.ZipInfo) -> Array:
        """The member's bytes as they lie in the file; the checksum is read over once, as when they are unpacked."""
        with self.raw.path.open("rb") as stream:
            stream.seek(info.header_offset)
            head = stream.read(LOCAL_HEADER)
        begins = info.header_offset + LOCAL_HEADER + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
        data = np.memmap(self.raw.path, dtype=np.uint8, mode="r", offset=begins, shape=(info.file_size,))
        if zlib.crc32(data.data) != info.CRC:
            raise zipfile.BadZipFile(f"bad checksum of {info.filename}")
        return data


def _captions(raw: Raw, found: Mapping[str, Array]) -> pl.DataFrame:
    texts = _texts(raw, found, TEXTS)
    vectors = {"text_vector": lists(_vectors(raw, found, VECTORS, len(texts)))} if VECTORS in found else {}
    of = _ids(raw, found, texts) if raw.unlabelled else _images(raw, found, texts)
    return pl.DataFrame({"caption": pl.Series(range(len(texts)), dtype=pl.Int64), "text": texts, **vectors, **of})


def _images(raw: Raw, found: Mapping[str, Array], texts: list[str]) -> dict[str, Any]:
    names = _names(raw, found)
    images = _vectors(raw, found, IMAGES, len(names))
    label = next(name for name in LABELS if name in found)
    image = _images_of(raw, label, found[label], texts, names)
    return {"image": [names[place] for place in image], "image_vector": lists(images[image])}


def _ids(raw: Raw, found: Mapping[str, Array], texts: list[str]) -> dict[str, list[str]]:
    """The captions' own ids as texts, where the archive has any."""
    if IDS not in found:
        return {}
    values = found[IDS]
    if values.shape != (len(texts),) or values.dtype.kind not in "iuUS":
        raise raw.refused(
            f"has {IDS} of {values.dtype} {values.shape} beside {len(texts)} of {TEXTS}",
            f"{IDS}: whole numbers or text, ({len(texts)},)",
        )
    told = [str(value) for value in values.tolist()] if values.dtype.kind in "iu" else texts_of(raw, IDS, values)
    blank = [place for place, name in enumerate(told) if not name or name != name.strip()]
    if blank:
        raise raw.refused(
            f"has {len(blank)} id(s) in {IDS} that are empty or have blanks around them; rows (from 0): "
            f"{', '.join(map(str, blank[:5]))}",
            "a name for each caption",
        )
    return {"id": told}


def _texts(raw: Raw, found: Mapping[str, Array], name: str) -> list[str]:
    values = found[name]
    if values.ndim != 1 or values.dtype.kind not in "US":
        raise raw.refused(f"has {name} of {values.dtype} {values.shape}", f"{name}: text, one dimension")
    return texts_of(raw, name, values)


def _names(raw: Raw, found: Mapping[str, Array]) -> list[str]:
    """The images' names without the blanks around them, as the rows will have them: one for each image, and no other."""
    given = _texts(raw, found, NAMES)
    names = [name.strip() for name in given]
    times = Counter(names)
    repeated = list(dict.fromkeys(repr(name) for name, bare in zip(given, names, strict=True) if times[bare] > 1))
    if repeated:
        raise raw.refused(
            f"names {sum(count > 1 for count in times.values())} image(s) more than once: {', '.join(repeated[:5])}",
            "a name for each image, and no other; blanks around a name do not tell it from another",
        )
    return names


def _vectors(raw: Raw, found: Mapping[str, Array], name: str, rows: int) -> Array:
    """Float vectors, one for each of ``rows``, none of them zero or not finite."""
    values = found[name]
    if values.ndim != 2 or values.dtype.kind != "f" or len(values) != rows or not values.shape[1]:
        beside = NAMES if name == IMAGES else TEXTS
        raise raw.refused(
            f"has {name} of {values.dtype} {values.shape} beside {rows} of {beside}", f"{name}: floats, ({rows}, any dimension)"
        )
    demand_directions(raw, name, values)
    return values


def _images_of(raw: Raw, label: str, told: Array, texts: list[str], names: list[str]) -> npt.NDArray[np.int64]:
    """The place of each caption's image; every image has one caption at least."""
    found = _places(raw, label, told, names)
    if len(found) != len(texts):
        raise raw.refused(f"has {len(found)} of {label} beside {len(texts)} of {TEXTS}", "as many labels as captions")
    strange = np.flatnonzero((found < 0) | (found >= len(names)))
    if len(strange):
        raise raw.refused(
            f"has {len(strange)} caption(s) of no image in {label}; first (from 0): {', '.join(map(str, strange[:5]))}",
            f"one of {len(names)} images for each caption",
        )
    without = np.setdiff1d(np.arange(len(names)), found)
    if len(without):
        first = ", ".join(names[place] for place in without[:5])
        raise raw.refused(f"has {len(without)} image(s) without a caption: {first}", "at least one caption for each image")
    return found


def _places(raw: Raw, label: str, told: Array, names: list[str]) -> npt.NDArray[np.int64]:
    """Places of images, -1 for none, from any of the three ways in which a label is told."""
    if told.ndim == 2 and told.shape[1] == len(names) and told.dtype.kind in "biuf":
        one = np.count_nonzero(told, axis=1) == 1
        return np.where(one, np.argmax(told != 0, axis=1), -1).astype(np.int64)
    if told.ndim == 1 and told.dtype.kind in "iu":
        return told.astype(np.int64)
    if told.ndim == 1 and told.dtype.kind in "US":
        place = {name: number for number, name in enumerate(names)}
        values = (value.decode(errors="replace") if isinstance(value, bytes) else value for value in told.tolist())
        return np.array([place.get(value.strip(), -1) for value in values], dtype=np.int64)
    raise raw.refused(
        f"has {label} of {told.dtype} {told.shape}",
        f"places (n,), names (n,), or a row of {len(names)} for each caption, one of them true",
    )
