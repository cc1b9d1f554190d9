"""Where the Parquet files of a FileSource lie: a file, a folder, a pattern; on this machine, in S3, or behind fsspec."""

from __future__ import annotations

import glob
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlparse

import pyarrow as pa
from feast.infra.offline_stores.file_source import FileSource
from fsspec.core import url_to_fs
from pyarrow import fs

from watertight.core.errors import Misuse

_SUFFIXES = (".parquet", ".pq", ".parq")


def parquet_files(source: FileSource, repo_path: str | Path | None, name: str) -> tuple[fs.FileSystem, list[str], str]:
    """The file system, the files in the order of their names, and the folder below which partitions are named.

    What exists is taken by its name. Where nothing does, the path may be a pattern of files and folders (``*``, ``?``, ``[…]``
    and ``**``, as in ``glob``), on this machine alone; partitions are named below the folder in which it begins.

    Raises Misuse if there is no file.
    """
    filesystem, path = filesystem_and_path(source, repo_path)
    if is_pattern(filesystem, path):
        files, base = _matched(filesystem, path, name)
    else:
        files, base = _listed(filesystem, path), path
    if not files:
        raise Misuse(f"no Parquet file for {name!r} at {path}", expected="a file, a folder or a pattern of files")
    return filesystem, files, base


def is_pattern(filesystem: fs.FileSystem, path: str) -> bool:
    """Whether a path is a pattern: it reads like one, and nothing bears it for a name."""
    return glob.has_magic(path) and filesystem.get_file_info(path).type == fs.FileType.NotFound


def filesystem_and_path(source: FileSource, repo_path: str | Path | None) -> tuple[fs.FileSystem, str]:
    """Feast's rules: a relative path is below ``repo_path``; S3 may have an endpoint; anything else is a URL."""
    url = urlparse(source.file_options.uri)
    # Feast takes the path of a file URL to be relative.
    uri = unquote(url.path) if url.scheme == "file" else source.file_options.uri
    filesystem, path = FileSource.create_filesystem_and_path(
        FileSource.get_uri_for_file_path(repo_path, uri), source.file_options.s3_endpoint_override, source.resolve_credentials()
    )
    if filesystem is not None:
        return filesystem, path.rstrip("/")
    if "://" not in path:
        return fs.LocalFileSystem(), str(Path(path).absolute())
    return _from_url(path)


def _from_url(url: str) -> tuple[fs.FileSystem, str]:
    try:
        return fs.FileSystem.from_uri(url)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        found, path = url_to_fs(url)
        return fs.PyFileSystem(fs.FSSpecHandler(found)), path


def _matched(filesystem: fs.FileSystem, path: str, name: str) -> tuple[list[str], str]:
    """The files that a pattern names, itself or by their folder, and the innermost folder that bears its name to the letter."""
    if not isinstance(filesystem, fs.LocalFileSystem):
        raise Misuse(f"{name!r} lies at a pattern elsewhere than on this machine: {path}", expected="a file or a folder there")
    base = next(folder for folder in Path(path).parents if folder.is_dir())
    found = glob.glob(str(Path(path).relative_to(base)), root_dir=base, recursive=True)
    files = sorted({file for entry in found for file in _listed(filesystem, str(base / entry))})
    return _like_parquet(files), str(base)


def _listed(filesystem: fs.FileSystem, path: str) -> list[str]:
    """A file is itself; of a folder, what is named like Parquet, or else whatever is not hidden."""
    info = filesystem.get_file_info(path)
    if info.type == fs.FileType.File:
        return [path]
    if info.type == fs.FileType.NotFound:
        return []
    below = filesystem.get_file_info(fs.FileSelector(path, recursive=True))
    files = sorted(entry.path for entry in below if entry.type == fs.FileType.File and not _hidden(entry.path, path))
    return _like_parquet(files)


def _like_parquet(files: list[str]) -> list[str]:
    return [file for file in files if file.endswith(_SUFFIXES)] or files


def _hidden(file: str, folder: str) -> bool:
    """Named with a dot or an underscore, as leftovers are; a folder of a hive partition may begin so, too."""
    parts = PurePosixPath(file).relative_to(folder).parts
    return any(part.startswith((".", "_")) and "=" not in part for part in parts)
