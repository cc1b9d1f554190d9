from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from watertight.core.caches import default_root
from watertight.features.cache import CacheUnusable, VectorCache, text_digest

DIMENSION = 384


def _digests(count: int, start: int = 0) -> list[bytes]:
    return [text_digest(f"text {number}") for number in range(start, start + count)]


def _vectors(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)


def _sql(cache: VectorCache, statement: str, *values: object) -> list[tuple[object, ...]]:
    with sqlite3.connect(cache.path) as connection:
        rows = connection.execute(statement, values).fetchall()
    connection.close()
    return rows


def test_vectors_come_back_bit_for_bit_in_another_session(tmp_path: Path) -> None:
    digests, vectors = _digests(2000), _vectors(2000)
    with VectorCache(tmp_path, "a") as cache:
        cache.write(digests, vectors)
    with VectorCache(tmp_path, "a") as cache:
        found = cache.read(digests[::-1] + _digests(3, start=5000))
    assert found.keys() == set(digests)
    assert np.array_equal(np.stack([found[digest] for digest in digests]), vectors)


def test_spaces_share_nothing(tmp_path: Path) -> None:
    with VectorCache(tmp_path, "a") as one, VectorCache(tmp_path, "b") as other:
        one.write(_digests(1), _vectors(1))
        assert other.read(_digests(1)) == {}
    assert sorted(path.name for path in (tmp_path / "embeddings").iterdir()) == ["a.sqlite", "b.sqlite"]


def test_an_empty_cache_answers_nothing(tmp_path: Path) -> None:
    with VectorCache(tmp_path, "a") as cache:
        assert cache.read(_digests(5)) == {}
        assert cache.read([]) == {}


def test_vectors_are_stored_as_little_endian_float32(tmp_path: Path) -> None:
    vectors = _vectors(1)
    with VectorCache(tmp_path, "a") as cache:
        cache.write(_digests(1), vectors.astype(">f4"))
        ((blob,),) = _sql(cache, "SELECT vector FROM vectors")
    assert blob == vectors.astype("<f4").tobytes()


@pytest.mark.parametrize("damage", [b"", b"\0" * 3, b"\0" * (4 * DIMENSION - 1), b"\0" * (4 * DIMENSION + 4)])
def test_a_vector_of_wrong_length_is_missing_and_replaced(tmp_path: Path, damage: bytes) -> None:
    digests, vectors = _digests(3), _vectors(3)
    with VectorCache(tmp_path, "a") as cache:
        cache.write(digests, vectors)
        _sql(cache, "UPDATE vectors SET vector = ? WHERE digest = ?", damage, digests[1])
        assert cache.read(digests).keys() == {digests[0], digests[2]}
        cache.write([digests[1]], vectors[1:2])
        assert np.array_equal(cache.read(digests)[digests[1]], vectors[1])


def test_the_first_whole_vector_stays(tmp_path: Path) -> None:
    with VectorCache(tmp_path, "a") as cache:
        cache.write(_digests(1), _vectors(1, seed=1))
        cache.write(_digests(1), _vectors(1, seed=2))
        assert np.array_equal(cache.read(_digests(1))[_digests(1)[0]], _vectors(1, seed=1)[0])


def test_another_dimension_is_refused_and_leaves_no_trace(tmp_path: Path) -> None:
    with VectorCache(tmp_path, "a") as cache:
        cache.write(_digests(1), _vectors(1))
        with pytest.raises(ValueError, match="384 numbers a vector, not 3"):
            cache.write(_digests(1, start=7), np.zeros((1, 3), np.float32))
        assert _sql(cache, "SELECT count(*) FROM vectors") == [(1,)]


@pytest.mark.parametrize("shape", [(2, DIMENSION), (DIMENSION,)])
def test_rows_that_do_not_fit_the_digests_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with VectorCache(tmp_path, "a") as cache, pytest.raises(ValueError, match="1 digests need as many"):
        cache.write(_digests(1), np.zeros(shape, np.float32))


def test_looking_up_five_thousand_of_many_is_fast(tmp_path: Path) -> None:
    with VectorCache(tmp_path, "a") as cache:
        cache.write(_digests(20_000), _vectors(20_000))
        began = time.perf_counter()
        found = cache.read(_digests(5000, start=12_000))
    assert len(found) == 5000
    assert time.perf_counter() - began < 2.0


_KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from watertight.features.cache import VectorCache, text_digest

class Deadly(list):
    def __iter__(self):
        for number, item in enumerate(super().__iter__()):
            if number == 300:
                os.kill(os.getpid(), signal.SIGKILL)
            yield item

cache = VectorCache(Path(sys.argv[1]), "a")
digests = [text_digest(f"text {number}") for number in range(1000)]
cache.write(digests[:400], np.ones((400, 384), np.float32))
cache.write(Deadly(digests[400:]), np.ones((600, 384), np.float32))
"""


def test_a_killed_process_loses_its_last_batch_and_nothing_else(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED, tmp_path], check=False)
    assert killed.returncode == -signal.SIGKILL
    with VectorCache(tmp_path, "a") as cache:
        assert cache.read(_digests(1000)).keys() == set(_digests(400))
        cache.write(_digests(600, start=400), _vectors(600))
        assert len(cache.read(_digests(1000))) == 1000


_WRITER = """
import sys, time
from pathlib import Path
import numpy as np
from watertight.features.cache import VectorCache, text_digest

folder, start, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
(folder / f"ready{seed}").touch()
while not start.exists():
    time.sleep(0.001)
for number in range(100):
    VectorCache(folder, f"new {number}").read([])
order = np.random.default_rng(seed).permutation(900)
with VectorCache(folder, "a") as cache:
    for part in np.split(order, 30):
        digests = [text_digest(f"text {number}") for number in part]
        cache.write(digests, np.repeat(part[:, None], 384, axis=1).astype(np.float32))
        if len(cache.read(digests)) != len(digests):
            sys.exit("lost what was just written")
"""


def test_processes_may_write_at_once_from_the_very_first_moment(tmp_path: Path) -> None:
    start = tmp_path / "start"
    command = [sys.executable, "-c", _WRITER, str(tmp_path), str(start)]
    commands = [[*command, str(seed)] for seed in range(4)]
    writers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    while len(list(tmp_path.glob("ready*"))) < len(writers):
        time.sleep(0.01)
    start.touch()
    outcomes = [(writer.communicate(timeout=120)[1], writer.returncode) for writer in writers]
    assert outcomes == [("", 0)] * 4
    with VectorCache(tmp_path, "a") as cache:
        found = cache.read(_digests(900))
    assert [found[digest].tolist() for digest in _digests(900)] == [[number] * 384 for number in range(900)]


def test_a_file_that_is_no_database_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "embeddings" / "a.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(CacheUnusable, match=r"a\.sqlite is damaged: .* Next: delete it"):
        VectorCache(tmp_path, "a")


def test_a_file_that_cannot_be_opened_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "embeddings" / "a.sqlite").mkdir(parents=True)
    with pytest.raises(CacheUnusable, match=r"a\.sqlite: .* Next: .*WATERTIGHT_CACHE"):
        VectorCache(tmp_path, "a")


def test_the_root_is_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATERTIGHT_CACHE", str(tmp_path))
    assert default_root() == tmp_path
    monkeypatch.delenv("WATERTIGHT_CACHE")
    assert default_root() == Path.home() / ".cache" / "watertight"


@pytest.mark.parametrize("text", ["", "a\0b", "क्या हाल है 😀", " a", "a"])
def test_the_key_is_sha256_of_the_text_as_it_stands(text: str) -> None:
    others = {text_digest(other) for other in ["", "a\0b", "क्या हाल है 😀", " a", "a"] if other != text}
    assert len(text_digest(text)) == 32
    assert text_digest(text) not in others
