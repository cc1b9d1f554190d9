"""The temporal features as one would work them out by hand: one key, one instant, loops over plain rows.

Times are whole microseconds since 1970 (UTC). A row is a dict with ``key``, ``row_id``, ``asked_at``,
``labelled_at`` (None: unlabelled), ``created_at`` and its labels by name (None: no such label); where texts are told of,
``vector`` too, a list of numbers (None: no text).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]
HOUR = 3600 * 10**6
DAY = 24 * HOUR


def known_at(row: Row) -> int:
    return max(row["labelled_at"], row["created_at"])


def known_rows(rows: Sequence[Row], key: str, t: int) -> list[Row]:
    """What was known of the key before t: each row's newest version, in the order of the rows' arrival."""
    labelled = [row for row in rows if row["key"] == key and row["labelled_at"] is not None]
    known = [row for row in labelled if known_at(row) + 1 <= t]
    newest: dict[str, Row] = {}
    arrived: dict[str, int] = {}
    for row in sorted(known, key=lambda row: row["created_at"]):
        newest[row["row_id"]] = row
    for row in sorted(known, key=known_at):
        arrived.setdefault(row["row_id"], known_at(row))
    return sorted(newest.values(), key=lambda row: (arrived[row["row_id"]], row["asked_at"], row["row_id"]))


def ema(values: Sequence[float], alpha: float) -> float | None:
    average = None
    for value in values:
        average = value if average is None else alpha * value + (1 - alpha) * average
    return average


def variance(values: Sequence[float]) -> float | None:
    return statistics.variance(values) if len(values) >= 2 else None


def state_at(rows: Sequence[Row], key: str, t: int, names: Sequence[str], last: int = 10) -> dict[str, Any]:
    """Every state value at t; empty if nothing was known of the key."""
    known = known_rows(rows, key, t)
    state: dict[str, Any] = {"source_at": max(known_at(row) for row in known)} if known else {}
    for name in names if known else ():
        labelled = [row for row in known if row[name] is not None]
        values = [row[name] for row in labelled]
        state[f"{name}_count"] = len(values)
        state[f"{name}_ema_fast"] = ema(values, 0.7)
        state[f"{name}_ema_slow"] = ema(values, 0.3)
        state[f"{name}_mean"] = math.fsum(values) / len(values) if values else None
        state[f"{name}_var"] = variance(values)
        state[f"{name}_last"] = values[-last:]
        state[f"{name}_last_at"] = [row["asked_at"] for row in labelled][-last:]
    return state


def texts_at(rows: Sequence[Row], key: str, t: int, names: Sequence[str]) -> dict[str, Any]:
    """Every value of the labelled texts at t; empty if nothing was known of the key."""
    known = known_rows(rows, key, t)
    told: dict[str, Any] = {"source_at": max(known_at(row) for row in known)} if known else {}
    for name in names if known else ():
        labelled = [row for row in known if row[name] is not None]
        vectors = [row["vector"] for row in labelled if row["vector"] is not None]
        told[f"{name}_count"] = len(labelled)
        told[f"{name}_mean"] = math.fsum(row[name] for row in labelled) / len(labelled) if labelled else None
        told[f"{name}_text"] = [math.fsum(part) / len(vectors) for part in zip(*vectors, strict=True)] or None
    return told


def now_at(rows: Sequence[Row], key: str, t: int, names: Sequence[str], last: int = 10) -> dict[str, Any]:
    """Every feature of the clock at t."""
    known = known_rows(rows, key, t)
    features: dict[str, Any] = {}
    counts = [0]
    for name in names:
        labelled = [row for row in known if row[name] is not None]
        counts.append(len(labelled))
        features |= label_features(name, labelled, t, last)
    day, week = 2 * math.pi * (t % DAY) / DAY, 2 * math.pi * ((t - 4 * DAY) % (7 * DAY)) / (7 * DAY)
    features |= {"hour_sin": math.sin(day), "hour_cos": math.cos(day)}
    features |= {"weekday_sin": math.sin(week), "weekday_cos": math.cos(week)}
    return features | {"history": max(counts)}


def label_features(name: str, labelled: Sequence[Row], t: int, last: int) -> dict[str, Any]:
    latest = labelled[-last:]
    week = [row for row in latest if t - 7 * DAY < row["asked_at"] < t]
    shift = gap = None
    if labelled:
        weights = [math.exp(-(t - row["asked_at"]) / (7 * DAY)) for row in latest]
        recent = sum(w * row[name] for w, row in zip(weights, latest, strict=True)) / sum(weights)
        shift = recent - math.fsum(row[name] for row in labelled) / len(labelled)
        gap = (t - max(row["asked_at"] for row in latest)) / HOUR
    return {
        f"{name}_var_7d": variance([row[name] for row in week]),
        f"{name}_shift": shift,
        f"{name}_gap_hours": gap,
        f"{name}_density_7d": len(week) / 7,
    }
