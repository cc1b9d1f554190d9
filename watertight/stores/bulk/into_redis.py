"""Into Feast's own Redis store, in its layout: a hash per entity, a field per feature, the view's newest event beside them.

The layout is that of ``feast.infra.online_stores.redis`` and of
https://github.com/feast-dev/feast/blob/master/docs/specs/online_store_format.md. Commands are packed column-wise and
sent over a connection of Feast's own client. While the server works through one batch, the next one is packed.

A row is superseded only by a strictly newer event that is stored. Feast's own writer also leaves out rows of the stored
instant; here they are written again, so that a correction (same event, created later), a feature that was added to the
view, and an expiry that a dying process never set are not passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
from feast.infra.online_stores.helpers import _mmh3, compute_versioned_name
from google.protobuf.timestamp_pb2 import Timestamp

from watertight.stores.bulk.newest import newest_per_key
from watertight.stores.bulk.tally import Tally
from watertight.stores.bulk.target import Target
from watertight.stores.wire.pieces import Pieces, by_number, data_of, emptied_where, joined, lengths_of, varints
from watertight.stores.wire.takes_arrow import EVENT_TIMESTAMP


def write(target: Target, batches: Iterable[pa.RecordBatch], tally: Tally) -> None:
    """Write each batch's rows that are not older than what is stored; raises redis.RedisError as redis-py does."""
    with _connection(target) as connection:
        expected = 0
        for batch in batches:
            rows, keys = newest_per_key(batch, joined(target.entity_keys(batch), target.config.project.encode()))
            commands = _commands(target, rows, keys)
            _send(connection, _questions(target, keys))
            _acknowledge(connection, expected, target, tally)
            wanted = _wanted(connection, target, _micros(rows))
            _send(connection, commands.filter(pa.array(wanted)))
            expected = int(wanted.sum())
            tally.done(0, batch.num_rows - expected)
        _acknowledge(connection, expected, target, tally)


@contextmanager
def _connection(target: Target) -> Iterator[Any]:
    """A connection from the pool of Feast's client; one with unread answers is not given back to it open."""
    pool = target.store._get_client(target.config.online_store).connection_pool
    connection = pool.get_connection()
    try:
        yield connection
    except BaseException:
        connection.disconnect()
        raise
    finally:
        pool.release(connection)


def _send(connection: Any, commands: Pieces) -> None:
    connection.send_packed_command([data_of(commands)])


def _acknowledge(connection: Any, rows: int, target: Target, tally: Tally) -> None:
    """Wait until the server has carried out the commands of so many rows."""
    for _ in range(rows * (2 if target.config.online_store.key_ttl_seconds else 1)):
        connection.read_response()
    tally.done(rows)


def _questions(target: Target, keys: Pieces) -> Pieces:
    """Ask of each entity when the stored event was."""
    if target.config.online_store.skip_dedup:
        return keys.slice(0, 0)
    return joined(b"*3\r\n$4\r\nHGET\r\n", _argument(keys), _constant(_newest_field(target)))


def _wanted(connection: Any, target: Target, micros: np.ndarray) -> np.ndarray:
    """Bool: the rows that are not older than what is stored."""
    if target.config.online_store.skip_dedup:
        return np.ones(len(micros), dtype=bool)
    stored = [connection.read_response(disable_decoding=True) for _ in range(len(micros))]
    return np.array([old is None or _stored_micros(old) <= new for old, new in zip(stored, micros.tolist())], dtype=bool)


def _stored_micros(message: bytes) -> float:
    stamp = Timestamp.FromString(message)
    return stamp.seconds * 10**6 + stamp.nanos / 1000


def _commands(target: Target, rows: pa.RecordBatch, keys: Pieces) -> Pieces:
    """HSET of each row and, if keys expire, EXPIRE."""
    name = _view_name(target)
    entity = _argument(keys)
    fields: list[Pieces | bytes] = [_constant(_newest_field(target)), _argument(_timestamps(_micros(rows)))]
    for feature, values in target.values(rows).items():
        fields += [_constant(_mmh3(f"{name}:{feature}")), _argument(values)]
    expiry = target.config.online_store.key_ttl_seconds
    expire = [b"*3\r\n$6\r\nEXPIRE\r\n", entity, _constant(str(expiry).encode())] if expiry else []
    return joined(b"*%d\r\n$4\r\nHSET\r\n" % (2 + len(fields)), entity, *fields, *expire)


def _argument(pieces: Pieces) -> Pieces:
    """Each piece as a bulk string: https://redis.io/docs/latest/develop/reference/protocol-spec/#bulk-strings."""
    return joined(by_number(lengths_of(pieces), lambda length: b"$%d\r\n" % length), pieces, b"\r\n")


def _constant(argument: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(argument), argument)


def _timestamps(micros: np.ndarray) -> Pieces:
    """Serialised ``google.protobuf.Timestamp``: seconds, then nanoseconds, either left out where it is 0."""
    seconds, nanos = micros // 10**6, micros % 10**6 * 1000
    return joined(
        emptied_where(joined(b"\x08", varints(seconds)), seconds == 0),
        emptied_where(joined(b"\x10", varints(nanos)), nanos == 0),
    )


def _micros(rows: pa.RecordBatch) -> np.ndarray:
    return rows[EVENT_TIMESTAMP].cast(pa.int64()).to_numpy()


def _newest_field(target: Target) -> bytes:
    return f"_ts:{_view_name(target)}".encode()


def _view_name(target: Target) -> str:
    return compute_versioned_name(target.view, target.config.registry.enable_online_feature_view_versioning)
