"""Where the columns of an answer lie: in memory, or, beyond a limit, in files that the system maps into memory."""

from __future__ import annotations

import mmap
import os
import tempfile
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from watertight.core.errors import Misuse


class Memory:
    """Arrays for one answer; those that would take it beyond ``limit`` bytes lie in unnamed files in ``folder``.

    Such an array is an array like any other: the system writes what is not used to disk and brings back what is, and frees
    the disk when the array is forgotten. ``folder`` None is the system's own for temporary files.
    """

    def __init__(self, limit: int, folder: str | None = None) -> None:
        self.left = limit
        self.folder = folder
        self.lock = threading.Lock()

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> npt.NDArray[Any]:
        """An array of zeros."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        with self.lock:
            fits = size <= self.left
            self.left -= size if fits else 0
        return np.zeros(shape, dtype) if fits or not size else self._mapped(size, shape, dtype)

    def _mapped(self, size: int, shape: tuple[int, ...], dtype: Any) -> npt.NDArray[Any]:
        with tempfile.TemporaryFile(dir=self.folder) as file:
            try:
                # Not a hole in a file: a disk that is full would end the process where a page is first written.
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError as error:
                raise Misuse(
                    f"{size:,} bytes of an answer do not fit into {self.folder or tempfile.gettempdir()}: {error}",
                    expected="room for what exceeds memory_limit_mb",
                    next_step="name another spill_folder, or ask for less at a time",
                ) from error
            return np.frombuffer(mmap.mmap(file.fileno(), size), dtype).reshape(shape)
