"""materialize: the newest row of every entity into the online store."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.features import Features
from pipelines.gates import demand_guard_passed
from pipelines.serving_gate import judge_online
from pipelines.stage import run
from watertight.checks.verdict import Verdict
from watertight.core.digests import json_digest
from watertight.core.project import Workload
from watertight.core.tables import read_json, read_table, replacing, write_json
from watertight.stores.definitions import described
from watertight.stores.online import materialize as write_online


def materialize(work: Workload, out: Path) -> None:
    """Rebuild the online store from the feature tables, and say what is in it."""
    features = Features(work)
    told = contents(features)
    with _alone(work):
        verdict = build_online(features, told)
    write_json(told, out / "online.json")
    write_json(verdict.summary(), out / "verdict.json")
    views = ", ".join(f"{name} {view['entities']}" for name, view in told["views"].items())
    print(f"{work.name} · materialize: entities online: {views}")


def contents(features: Features) -> dict[str, Any]:
    """What the online store holds, or would: per view its entities and newest event, and a digest of it all."""
    work = features.work
    views = {name: _newest(features, name) for name in features.specs}
    basis = [read_json(work.data("features", "features.json")), described(features.definitions, features.service)]
    return {"views": views, "digest": json_digest(basis)}


def online_store(features: Features) -> Path:
    """The embedded online store as the declarations want it; rebuilt here if it is missing or of other content."""
    told = contents(features)
    if not _holds(features.work, told):
        with _alone(features.work):
            # Whoever held the lock before may have built just this.
            if not _holds(features.work, told):
                build_online(features, told)
    return _place(features.work) / "online.db"


def build_online(features: Features, told: dict[str, Any]) -> Verdict:
    """Write the whole store beside the old one, then put it in its place; the stamp comes with it.

    All processes write at the same place beside it, so only one may be in here at a time. Answers the verdict of the gate
    `serving`. Raises Refusal where the guard of these features was waived, or where the store does not answer what the
    join does; the old one then stays.
    """
    demand_guard_passed(features.work, "its features do not go online")
    newest = max((view["newest"] for view in told["views"].values() if view["newest"]), default=None)
    with replacing(_place(features.work)) as [draft]:
        draft.mkdir()
        with features.store(draft / "online.db") as store:
            if newest is not None:
                until = datetime.fromisoformat(newest) + timedelta(seconds=1)
                write_online(store, list(told["views"]), until)
            verdict = judge_online(features, store)
        verdict.demand()
        write_json(told, draft / "stamp.json")
    return verdict


@contextmanager
def _alone(work: Workload) -> Iterator[None]:
    """Wait until no other process rebuilds this store; the lock of a process ends with it, however it ends."""
    place = work.data(".online.lock")
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _holds(work: Workload, told: dict[str, Any]) -> bool:
    """Whether a store lies in its place and was stamped with this content."""
    stamp, store = _place(work) / "stamp.json", _place(work) / "online.db"
    try:
        return store.is_file() and read_json(stamp) == told
    except FileNotFoundError:
        return False


def _place(work: Workload) -> Path:
    return work.data("online")


def _newest(features: Features, name: str) -> dict[str, Any]:
    key = features.specs[name].join_key
    table = read_table(features.work.data("features", f"{name}.parquet"), [key, "event_timestamp"])
    newest = table["event_timestamp"].max()
    return {
        "entities": table.select(pl.col(key).n_unique()).item(),
        "newest": newest.isoformat() if isinstance(newest, datetime) else None,
    }


if __name__ == "__main__":
    run("materialize", materialize, "artifacts/{workload}/online")
