from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from watertight.features import embedding as module
from watertight.features.embedding import EmbeddingReport, anchor_similarities, embed, encode_texts, space
from watertight.features.encoder import Encoder, EncoderUnavailable, load_encoder

MINILM = "all-MiniLM-L6-v2"
STEP = 1 / 4096
WORDS = ["rain", "window", "mother", "angry", "tea", "walk", "slow", "night", "exam", "bright", "lost"]
SENTENCES = [
    "I was calm all morning.",
    "The meeting made me furious",
    "Aaj bahut thak gaya hoon 😩",
    "नमस्ते दुनिया",
    "nothing much",
]


@pytest.fixture(scope="module")
def minilm() -> Encoder:
    return load_encoder(MINILM)


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cache")
    embed(_series(SENTENCES), MINILM, cache_root=root)
    return root


@pytest.fixture
def no_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> Encoder:
        raise AssertionError(f"{name} was loaded")

    monkeypatch.setattr(module, "load_encoder", refuse)


def _series(texts: Sequence[str | None]) -> pl.Series:
    return pl.Series("text", texts, dtype=pl.String)


def _sentence(number: int, words: int) -> str:
    draw = np.random.default_rng(number)
    return " ".join(draw.choice(WORDS, words))


def _long_text_slowly(encoder: Encoder, text: str) -> np.ndarray:
    """Window by window, each in a batch of its own, sums written out."""
    tokens = encoder.tokens([text])[0]
    total, start = np.zeros(encoder.dimension), 0
    while True:
        window = tokens[start : start + encoder.limit]
        total += encoder.encode_windows([window])[0].astype(np.float64) * max(len(window), 1)
        if start + encoder.limit >= len(tokens):
            joined: np.ndarray = total / np.sqrt((total**2).sum())
            return joined
        start += encoder.limit // 2


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


# What a vector is.


def test_short_texts_agree_with_sentence_transformers(minilm: Encoder, warm: Path) -> None:
    expected = minilm._model.encode(SENTENCES, normalize_embeddings=True)
    vectors, _ = embed(_series(SENTENCES), MINILM, cache_root=warm)
    for mine, theirs in zip(vectors.to_list(), expected, strict=True):
        assert _cosine(np.array(mine), theirs) > 0.9999


@pytest.mark.parametrize("words", [0, 1, 253, 254, 255, 381, 382, 900])
def test_long_texts_equal_the_slow_oracle(minilm: Encoder, words: int) -> None:
    text = _sentence(words, words)
    assert len(minilm.tokens([text])[0]) == words
    (vector,) = encode_texts(minilm, [text])
    assert np.abs(vector - _long_text_slowly(minilm, text)).max() <= STEP / 2 + 1e-7


def test_vectors_are_whole_multiples_of_the_step_and_of_unit_length(warm: Path) -> None:
    vectors, _ = embed(_series(SENTENCES), MINILM, cache_root=warm)
    matrix = np.array(vectors.to_list())
    assert np.array_equal(matrix * 4096, np.rint(matrix * 4096))
    assert np.abs(np.linalg.norm(matrix, axis=1) - 1).max() < 1e-3
    assert not np.signbit(matrix[matrix == 0]).any()


def test_dot_products_have_no_rounding_error_in_any_order(warm: Path) -> None:
    vectors, _ = embed(_series(SENTENCES), MINILM, cache_root=warm)
    one, other = np.array(vectors.to_list(), dtype=np.float32)[:2]
    exact = sum(int(a * 4096) * int(b * 4096) for a, b in zip(one, other, strict=True)) / 4096**2
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(len(one))
        running = np.float32(0)
        for a, b in zip(one[order], other[order], strict=True):
            running += a * b
        assert float(running) == exact


@pytest.mark.parametrize("text", ["", "\0", "a\0b", " ", "\n\t", "😩" * 300, "नमस्ते " * 200, "x" * 5000])
def test_every_text_has_a_vector_and_its_own_place(text: str, tmp_path: Path) -> None:
    vectors, first = embed(_series([text, "other"]), MINILM, cache_root=tmp_path)
    again, second = embed(_series([text]), MINILM, cache_root=tmp_path)
    assert (first.encoded, second) == (2, EmbeddingReport(cached=1, encoded=0))
    assert np.isfinite(vectors[0].to_numpy()).all()
    assert again[0].equals(vectors[0])


def test_a_very_long_text_is_embedded_whole(minilm: Encoder) -> None:
    text = "calm " * 3000 + "furious " * 3000
    vector, calm, furious = encode_texts(minilm, [text, "calm " * 200, "furious " * 200])
    assert len(minilm.tokens([text])[0]) == 6000
    assert min(_cosine(vector, calm), _cosine(vector, furious)) > 0.5


# The answer as a column.


def test_nulls_stay_nulls_and_order_and_name_are_kept(warm: Path) -> None:
    asked = [None, SENTENCES[1], SENTENCES[0], None, SENTENCES[1]]
    vectors, report = embed(_series(asked), MINILM, cache_root=warm)
    assert (vectors.name, vectors.dtype, len(vectors)) == ("text", pl.List(pl.Float32), 5)
    assert vectors.is_null().to_list() == [True, False, False, True, False]
    assert vectors[1].equals(vectors[4])
    assert not vectors[1].equals(vectors[2])
    assert report == EmbeddingReport(cached=2, encoded=0)


@pytest.mark.parametrize("texts", [_series([]), _series([None, None]), pl.Series("text", [None])])
@pytest.mark.usefixtures("no_loading")
def test_without_texts_nothing_is_loaded(texts: pl.Series, tmp_path: Path) -> None:
    vectors, report = embed(texts, MINILM, cache_root=tmp_path)
    assert (vectors.dtype, vectors.null_count()) == (pl.List(pl.Float32), len(texts))
    assert report == EmbeddingReport(cached=0, encoded=0)


def test_parquet_holds_a_plain_list_of_floats(warm: Path, tmp_path: Path) -> None:
    vectors, _ = embed(_series([*SENTENCES, None]), MINILM, cache_root=warm)
    vectors.to_frame("vector").write_parquet(tmp_path / "view.parquet")
    column = pq.read_table(tmp_path / "view.parquet")["vector"]
    assert pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
    assert column.type.value_type == pa.float32()
    assert column.null_count == 1


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="'text' is Int64"):
        embed(pl.Series("text", [1, 2]), MINILM, cache_root=tmp_path)


# The same bits, whatever stands around.


def test_a_text_alone_equals_the_same_among_a_hundred_others(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    others = [_sentence(number, int(words)) for number, words in enumerate(draw.integers(1, 40, 100))]
    together, _ = embed(_series([*SENTENCES, *others]), MINILM, cache_root=tmp_path / "together")
    backwards, _ = embed(_series([*others, *SENTENCES][::-1]), MINILM, cache_root=tmp_path / "backwards")
    assert together[:5].to_list() == backwards[:5][::-1].to_list()
    for index, text in enumerate(SENTENCES):
        alone, _ = embed(_series([text]), MINILM, cache_root=tmp_path / f"alone{index}")
        assert alone[0].to_numpy().tobytes() == together[index].to_numpy().tobytes()


def test_a_half_filled_cache_changes_nothing(warm: Path, tmp_path: Path) -> None:
    expected, _ = embed(_series(SENTENCES), MINILM, cache_root=warm)
    embed(_series(SENTENCES[::2]), MINILM, cache_root=tmp_path)
    vectors, report = embed(_series(SENTENCES), MINILM, cache_root=tmp_path)
    assert report == EmbeddingReport(cached=3, encoded=2)
    assert vectors.equals(expected)


def test_blocks_hold_each_text_once_and_do_not_depend_on_the_order() -> None:
    texts = {f"{number}".encode(): "x" * (number * 37 % 300) for number in range(2500)}
    blocks = list(module._blocks(texts))
    assert sorted(digest for block in blocks for digest in block) == sorted(texts)
    assert all(len(block) <= 1024 for block in blocks)
    assert all(sum(len(texts[digest]) for digest in block) <= 2**17 for block in blocks)
    assert list(module._blocks(dict(reversed(texts.items())))) == blocks
    assert list(module._blocks({b"huge": "x" * 2**18, b"small": "x"})) == [[b"huge"], [b"small"]]


# Once per encoder, ever.


@pytest.mark.usefixtures("no_loading")
def test_texts_in_the_cache_are_answered_without_loading_the_encoder(warm: Path) -> None:
    vectors, report = embed(_series(SENTENCES), MINILM, cache_root=warm)
    assert vectors.null_count() == 0
    assert report == EmbeddingReport(cached=5, encoded=0)
    with pytest.raises(AssertionError, match="was loaded"):
        embed(_series(["never seen before"]), MINILM, cache_root=warm)


def test_a_repeated_text_is_encoded_once(minilm: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    tokens = minilm.tokens

    def watched(texts: list[str]) -> list[list[int]]:
        seen.extend(texts)
        return tokens(texts)

    monkeypatch.setattr(minilm, "tokens", watched)
    _, report = embed(_series(["same", "same", None, "other", "same"]), MINILM, cache_root=tmp_path)
    assert sorted(seen) == ["other", "same"]
    assert report == EmbeddingReport(cached=0, encoded=2)


def test_a_truncated_vector_is_encoded_again(warm: Path, tmp_path: Path) -> None:
    expected, _ = embed(_series(SENTENCES), MINILM, cache_root=warm)
    embed(_series(SENTENCES), MINILM, cache_root=tmp_path)
    (path,) = (tmp_path / "embeddings").glob("*.sqlite")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE vectors SET vector = substr(vector, 1, 700) WHERE rowid = 2")
    connection.close()
    vectors, report = embed(_series(SENTENCES), MINILM, cache_root=tmp_path)
    assert report == EmbeddingReport(cached=4, encoded=1)
    assert vectors.equals(expected)


def test_what_was_stored_before_a_failure_is_kept(minilm: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_TEXTS", 2)
    tokens = minilm.tokens

    def failing(texts: list[str]) -> list[list[int]]:
        if "nothing much" in texts:
            raise KeyboardInterrupt
        return tokens(texts)

    monkeypatch.setattr(minilm, "tokens", failing)
    with pytest.raises(KeyboardInterrupt):
        embed(_series(SENTENCES), MINILM, cache_root=tmp_path)
    monkeypatch.setattr(minilm, "tokens", tokens)
    assert embed(_series(SENTENCES), MINILM, cache_root=tmp_path)[1] == EmbeddingReport(cached=4, encoded=1)


def test_another_encoder_or_recipe_has_a_place_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_text("weights")
    assert space(MINILM) != space(str(tmp_path))
    before = space(MINILM)
    monkeypatch.setitem(module.RECIPE, "grid", 1024)
    assert space(MINILM) != before


def test_an_encoder_that_is_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailable, match="Next: "):
        embed(_series(["a"]), "/no/such/encoder", cache_root=tmp_path)


def test_numbers_that_are_not_finite_are_refused_and_not_stored(
    minilm: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = np.full((1, 384), np.nan, np.float32)
    monkeypatch.setattr(minilm, "encode_windows", lambda windows: nothing)
    with pytest.raises(ValueError, match="not finite"):
        embed(_series(["a"]), MINILM, cache_root=tmp_path)
    monkeypatch.undo()
    assert embed(_series(["a"]), MINILM, cache_root=tmp_path)[1] == EmbeddingReport(cached=0, encoded=1)


def test_progress_is_told_of_the_texts_that_are_encoded(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []

    def progress(items: Iterable[Any], total: int) -> Iterable[Any]:
        done = list(items)
        calls.append((len(done), total))
        return done

    for _ in range(2):
        embed(_series(SENTENCES), MINILM, cache_root=tmp_path, progress=progress)
    assert calls == [(5, 5)]


# Anchors.

ANCHORS: dict[str, str | list[str]] = {
    "joy": ["I am happy", "what a delight"],
    "anger": "The meeting made me furious",
    "calm": ["calm"],
}


def test_similarities_equal_cosines_written_out(warm: Path) -> None:
    vectors, _ = embed(_series(SENTENCES), MINILM, cache_root=warm)
    table = anchor_similarities(vectors, ANCHORS, MINILM, cache_root=warm)
    assert table.schema == dict.fromkeys(ANCHORS, pl.Float32)
    for name, phrases in ANCHORS.items():
        listed = [phrases] if isinstance(phrases, str) else phrases
        anchor = np.mean(np.array(embed(_series(listed), MINILM, cache_root=warm)[0].to_list()), axis=0)
        expected = [np.float32(round(_cosine(np.array(vector), anchor), 4)) for vector in vectors.to_list()]
        assert table[name].to_list() == pytest.approx(expected, abs=1e-7)
    assert table["anger"][1] == 1.0


def test_null_vectors_have_null_similarities(warm: Path) -> None:
    vectors, _ = embed(_series([None, SENTENCES[1], None]), MINILM, cache_root=warm)
    for column in anchor_similarities(vectors, ANCHORS, MINILM, cache_root=warm):
        assert column.is_null().to_list() == [True, False, True]
    nothing, _ = embed(_series([None]), MINILM, cache_root=warm)
    assert anchor_similarities(nothing, ANCHORS, MINILM, cache_root=warm).rows() == [(None, None, None)]


def test_similarities_take_arrays_as_well_as_lists(warm: Path) -> None:
    vectors, _ = embed(_series(SENTENCES), MINILM, cache_root=warm)
    arrays = vectors.list.to_array(384)
    expected = anchor_similarities(vectors, ANCHORS, MINILM, cache_root=warm)
    assert anchor_similarities(arrays, ANCHORS, MINILM, cache_root=warm).equals(expected)


def test_without_anchors_or_texts_there_is_nothing_to_tell(warm: Path) -> None:
    vectors, _ = embed(_series(SENTENCES), MINILM, cache_root=warm)
    assert anchor_similarities(vectors, {}, MINILM, cache_root=warm).shape == (0, 0)
    assert anchor_similarities(vectors[:0], ANCHORS, MINILM, cache_root=warm).shape == (0, 3)


@pytest.mark.parametrize("phrases", [[], "", [""], ["a", ""]])
def test_an_anchor_needs_a_phrase(phrases: str | list[str], warm: Path) -> None:
    vectors, _ = embed(_series(SENTENCES), MINILM, cache_root=warm)
    with pytest.raises(ValueError, match="anchors without a phrase, or with an empty one: joy"):
        anchor_similarities(vectors, {"calm": "calm", "joy": phrases}, MINILM, cache_root=warm)


def test_vectors_of_another_encoder_are_refused(warm: Path) -> None:
    vectors = pl.Series([[1.0, 0.0], None], dtype=pl.List(pl.Float32))
    with pytest.raises(ValueError, match="vectors of 2 numbers, but anchors of 384"):
        anchor_similarities(vectors, ANCHORS, MINILM, cache_root=warm)
