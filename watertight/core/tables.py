"""Tables and small JSON files on disk: the same bytes for the same content, and never half a file."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from watertight.core.errors import Refusal

ROW_GROUP = 131_072


def write_table(table: pl.DataFrame | pa.Table, path: Path) -> None:
    """Write Parquet whose bytes depend on content and library versions alone; lists are plain ``list<element>``."""
    arrow = table.to_arrow(compat_level=pl.CompatLevel.oldest()) if isinstance(table, pl.DataFrame) else table
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(arrow.combine_chunks(), path, compression="zstd", row_group_size=ROW_GROUP)


def read_table(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """Read Parquet into Polars; ``columns`` limits what is read."""
    return pl.read_parquet(path, columns=columns, glob=False)


def write_json(value: Any, path: Path) -> None:
    """Write JSON with sorted keys, two blanks of indent and a final newline; NaN and infinities become null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json_text(value), encoding="utf-8")


def json_text(value: Any) -> str:
    """The canonical text that :func:`write_json` writes."""
    return json.dumps(_finite(value), sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def read_json(path: Path) -> Any:
    """Read a JSON file; raises Refusal where it is not whole."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Refusal(f"{path.name} is not JSON: {error}", next_step=f"make {path} again, or dvc checkout") from error


@contextmanager
def replacing(*finals: Path) -> Iterator[list[Path]]:
    """Give a fresh place to write each of ``finals`` (a file or a folder), and put them in place only at the end.

    A process that dies inside leaves the old content where it was; one that dies while putting things in place
    leaves a final whole or absent, never half-written. On entry the old content of an absent final is put back, and
    what else a dead process left behind is swept away. Processes that replace the same final must take turns.
    """
    drafts = [final.parent / f".{final.name}.draft" for final in finals]
    for final, draft in zip(finals, drafts, strict=True):
        _remove(draft)
        _recover(final)
        final.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield drafts
    except BaseException:
        for draft in drafts:
            _remove(draft)
        raise
    for final, draft in zip(finals, drafts, strict=True):
        _swap(draft, final)


def _swap(draft: Path, final: Path) -> None:
    if draft.is_dir():
        if final.exists():
            final.rename(_retired(final))
        draft.rename(final)
        _remove(_retired(final))
    else:
        os.replace(draft, final)


def _recover(final: Path) -> None:
    """After a death between the two renames of ``_swap`` the old content is in ``_retired`` alone."""
    if final.exists():
        _remove(_retired(final))
    elif _retired(final).exists():
        _retired(final).rename(final)


def _retired(final: Path) -> Path:
    return final.parent / f".{final.name}.retired"


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
