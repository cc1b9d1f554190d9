"""The kernels by name: each fills one view's table from the rows."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial, reduce

import polars as pl

from watertight.core.declare import pick
from watertight.core.errors import Refusal
from watertight.core.time import known_at, microseconds
from watertight.core.view_spec import SOURCE_AT, ViewSpec
from watertight.features.embedding import Progress, anchor_similarities, embed
from watertight.features.gallery import gallery
from watertight.features.given_vectors import are_given, given_vectors
from watertight.features.lexical_cache import counted_texts
from watertight.features.parts import joined_parts
from watertight.features.temporal_state import temporal_state
from watertight.features.temporal_texts import temporal_texts

BLANK_LINE = "\n\n"


@dataclass
class Kitchen:
    """What kernels may use besides the rows, and what they report: ``computed`` and ``skipped`` texts by kernel.

    ``label_delay_us``: how long after a label is known it may be used; anything but 1 is a leak, to be measured.
    """

    encoder: str
    progress: Progress | None = None
    label_delay_us: int = 1
    computed: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    def note(self, kernel: str, texts: int, computed: int) -> None:
        """So many distinct ``texts`` were wanted, of which so many were not known by their content."""
        self.computed[kernel] += computed
        self.skipped[kernel] += texts - computed


def fill(spec: ViewSpec, rows: pl.DataFrame, kitchen: Kitchen) -> pl.DataFrame:
    """The view's table: join key, event_timestamp, created_timestamp, source_at, features; sorted by key and time."""
    table = pick(KERNELS, spec.kernel, "kernel")(spec, rows, kitchen)
    if spec.derived_from != "content":
        usable = pl.col("created_timestamp") + pl.duration(microseconds=kitchen.label_delay_us)
        table = table.with_columns(event_timestamp=usable)
    return table.sort(spec.join_key, "event_timestamp", "created_timestamp")


def content_of(spec: ViewSpec, rows: pl.DataFrame) -> pl.DataFrame:
    """Each key's text once, with the instant of its first writing: join key, text, parts, written_at.

    A text of several columns is their texts with a blank line between them; null ones are left out, and where all are
    null, so is the text. ``parts``: the list of these texts, nulls among them.

    Raises Refusal where one key stands for two texts. Rows with a null key are left out: there is nothing to join.
    """
    parts = [
        rows.select(
            pl.col(key).alias(spec.join_key),
            _one_text(columns).alias("text"),
            _parts(columns).alias("parts"),
            written_at="asked_at",
        )
        for key, columns in spec.texts.items()
    ]
    once = (
        pl.concat(parts)
        .drop_nulls(spec.join_key)
        .group_by(spec.join_key, "text")
        .agg(pl.col("parts").first(), pl.col("written_at").min())
        .sort(spec.join_key, "written_at")
    )
    doubled = once.filter(pl.col(spec.join_key).is_duplicated())[spec.join_key].unique(maintain_order=True)
    if len(doubled):
        raise Refusal(
            f"{len(doubled)} key(s) stand for more than one text",
            column=spec.join_key,
            rows=doubled.to_list(),
            expected="one text per key",
            next_step="give each text a key of its own",
        )
    return once


def _one_text(columns: str | Sequence[str]) -> pl.Expr:
    if isinstance(columns, str):
        return pl.col(columns)
    parts = [pl.col(name) for name in columns]
    some = pl.any_horizontal(part.is_not_null() for part in parts)
    return pl.when(some).then(pl.concat_str(parts, separator=BLANK_LINE, ignore_nulls=True))


def _parts(columns: str | Sequence[str]) -> pl.Expr:
    return pl.concat_list([columns] if isinstance(columns, str) else list(columns))


def _content_table(content: pl.DataFrame, features: pl.DataFrame, join_key: str) -> pl.DataFrame:
    times = content.select(
        join_key,
        event_timestamp="written_at",
        created_timestamp="written_at",
        **{SOURCE_AT: microseconds("written_at")},
    )
    return pl.concat([times, features], how="horizontal")


def _lexical(spec: ViewSpec, rows: pl.DataFrame, kitchen: Kitchen) -> pl.DataFrame:
    content = content_of(spec, rows)
    counts, new = counted_texts(content["text"])
    kitchen.note("lexical", content["text"].n_unique(), new)
    return _content_table(content, counts, spec.join_key)


def _embedding(spec: ViewSpec, rows: pl.DataFrame, kitchen: Kitchen) -> pl.DataFrame:
    content = content_of(spec, rows)
    if are_given(spec, rows):
        vectors = given_vectors(spec, rows, content[spec.join_key])
        return _content_table(content, vectors.to_frame("vector"), spec.join_key)
    plain = all(isinstance(columns, str) for columns in spec.texts.values())
    embedded = partial(_vectors, kitchen=kitchen)
    vectors = embedded(content["text"]) if plain else joined_parts(content["parts"], embedded)
    likes = anchor_similarities(vectors, spec.options.get("anchors", {}), kitchen.encoder)
    named = [likes[name].alias(f"like_{name}") for name in likes.columns]
    return _content_table(content, pl.DataFrame([*named, vectors.alias("vector")]), spec.join_key)


def _vectors(texts: pl.Series, kitchen: Kitchen) -> pl.Series:
    """The encoder's vectors; what is noted counts over all views, so a text of two views counts in both."""
    vectors, report = embed(texts, kitchen.encoder, progress=kitchen.progress)
    kitchen.note("embedding", report.encoded + report.cached, report.encoded)
    return vectors


def _gallery(spec: ViewSpec, rows: pl.DataFrame, kitchen: Kitchen) -> pl.DataFrame:
    return gallery(spec, rows)


def _temporal(spec: ViewSpec, rows: pl.DataFrame, kitchen: Kitchen) -> pl.DataFrame:
    with _labels_refused(spec):
        state = temporal_state(_labels_of(spec, _labelled(rows)), spec.labels)
    return state.rename({"key": spec.join_key})


def _labelled_texts(spec: ViewSpec, rows: pl.DataFrame, kitchen: Kitchen) -> pl.DataFrame:
    labelled = _labelled(rows)
    texts = {name: pick(labelled.to_dict(), name, "text column of the rows") for name in spec.labelled_texts}
    vectors = _means(pl.DataFrame({name: _vectors(values, kitchen) for name, values in texts.items()}))
    with _labels_refused(spec):
        state = temporal_texts(_labels_of(spec, labelled), vectors, spec.labels)
    return state.rename({"key": spec.join_key})


def _means(vectors: pl.DataFrame) -> pl.Series:
    """Each row's mean vector, null where one is null. That of two is exact, as `temporal_texts` wants it."""
    return vectors.select(reduce(operator.add, map(pl.col, vectors.columns)) / vectors.width).to_series()


def _labelled(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that make history: labelled, and by people."""
    return rows.filter(known_at().is_not_null() & ~pl.col("synthetic"))


def _labels_of(spec: ViewSpec, labelled: pl.DataFrame) -> pl.DataFrame:
    return labelled.select(pl.col(spec.join_key).alias("key"), "row_id", "asked_at", "labelled_at", "created_at", *spec.labels)


@contextmanager
def _labels_refused(spec: ViewSpec) -> Iterator[None]:
    """A kernel's complaint about the labels as a refusal."""
    try:
        yield
    except ValueError as error:
        raise Refusal(f"the labels make no history: {error}", column=", ".join(spec.labels)) from error


KERNELS: dict[str, Callable[[ViewSpec, pl.DataFrame, Kitchen], pl.DataFrame]] = {
    "lexical": _lexical,
    "embedding": _embedding,
    "temporal": _temporal,
    "labelled_texts": _labelled_texts,
    "gallery": _gallery,
}

_ENCODED = frozenset({"embedding", "labelled_texts"})
"""The kernels that use the encoder."""


def encodes(spec: ViewSpec, rows: pl.DataFrame) -> bool:
    """Whether filling the view from these rows takes the encoder."""
    return spec.kernel in _ENCODED and not are_given(spec, rows)
