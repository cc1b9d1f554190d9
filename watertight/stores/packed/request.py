"""What is asked of a view: its keys, each once, and where the rows of each stand in the request."""

from __future__ import annotations

from typing import Any

from feast import utils
from feast.protos.feast.types.Value_pb2 import Value

from watertight.core.errors import Misuse
from watertight.stores.packed.keys import serialized_rows


def requested_keys(table: Any, values: dict[str, list[Value]], names: dict[str, str]) -> list[bytes]:
    """The serialised key of each requested row, for one view; a key that is asked twice stands there twice.

    ``values`` are the requested rows' join keys by the request's names, ``names`` Feast's map of entities to join keys.
    Raises Misuse if the request lacks a join key of the view.
    """
    columns = utils._get_table_entity_values(table, names, values)
    lacking = [names[entity] for entity in table.entities if names[entity] not in columns]
    if lacking:
        raise Misuse(
            f"view {table.projection.name_to_use()!r} was asked without {', '.join(map(repr, lacking))}",
            column=lacking[0],
            expected="a value of every join key in every row",
            next_step=f"the request has {', '.join(map(repr, values)) or 'no join keys'}",
        )
    return serialized_rows(columns)
