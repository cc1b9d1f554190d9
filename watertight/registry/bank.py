"""The bank of a bundle: queries by which hubs of a gallery are told, so that a search needs nothing beside bundle and gallery.

A model saw the rows that it was fitted on: what it predicts for them is drawn to their truths, which would look like hubs. The
bank is what was predicted for them out of fold, by models of the same cell.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from watertight.core.errors import Refusal
from watertight.registry.bundle import Bundle

QUERIES = 2048
"""The most that a bank has of a target."""

Singles = npt.NDArray[np.float32]


def thinned(queries: npt.NDArray[np.floating]) -> Singles:
    """``queries``, (n, d), as float32; of more than ``QUERIES`` so many, at even distances from the first on."""
    places = np.arange(QUERIES) * len(queries) // QUERIES if len(queries) > QUERIES else slice(None)
    return np.ascontiguousarray(queries[places], dtype=np.float32)


def as_bytes(queries: Mapping[str, Singles]) -> bytes:
    """The file of a bank: of each target its queries, (m, d), as they were predicted, of any length."""
    return save({target: queries[target] for target in sorted(queries)})


def read_bank(bundle: Bundle) -> dict[str, Singles]:
    """Of each target the queries, (m, d); nothing where the bundle has no correction. Raises Refusal where it is no bank."""
    if bundle.manifest.correction is None:
        return {}
    place = bundle.folder / bundle.manifest.correction.bank
    try:
        found = load_file(place)
    except (OSError, SafetensorError) as error:
        raise _no_bank(str(error)) from error
    strange = [name for name, queries in found.items() if not _are_queries(queries)]
    if strange or not found:
        raise _no_bank(f"{', '.join(strange) or 'no target'} has no queries")
    return found


def _are_queries(found: npt.NDArray[np.generic]) -> bool:
    return found.dtype == np.float32 and found.ndim == 2 and found.size > 0 and bool(np.isfinite(found).all())


def _no_bank(what: str) -> Refusal:
    return Refusal(
        f"the bundle's bank of queries cannot be read: {what}",
        expected="of each target finite 32-bit numbers, (queries, dimension), in safetensors",
        next_step="pull the bundle again",
    )
