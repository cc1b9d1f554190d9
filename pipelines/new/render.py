"""The declarations as texts: the templates beside this module, filled in with what was guessed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.new.columns import Column
from pipelines.new.grouping import TEST_SHARE
from pipelines.new.guesses import Guesses
from pipelines.new.query import quoted, selected
from pipelines.new.targets import GuessedTarget
from pipelines.new.times import ZONE, says_offset
from pipelines.new.wanted import Wanted

WIDE = 10**6
FEW_ROWS = 2000
"""Up to so many rows ridge over an embedding is best at a tenth of the penalty that suits more."""


def rendered(guesses: Guesses, wanted: Wanted, path: str, sha256: str) -> dict[str, str]:
    """Template (``section.yaml``, ``features.py``, ``suite.yaml``, ``query.sql``, ``contract.yaml``) to the text of its file.

    ``path`` of the raw file is under the raw root, ``sha256`` that of its bytes.
    """
    facts = {
        **{name: getattr(guesses, name) for name in ("source", "group", "key", "keys", "targets", "further", "grouping")},
        **{name: getattr(guesses, name) for name in ("scalars", "classes", "history", "slices", "foreign")},
        "name": guesses.workload,
        "few": guesses.rows < FEW_ROWS,
        "test_share": TEST_SHARE,
        **_features(guesses),
        **_contract(guesses, wanted),
        "lines": list(selected(guesses, wanted)),
        "words": [_seen(column) for column in guesses.slices if column.kind == "string"],
        **{"file": wanted.file.name, "path": path, "sha256": sha256},
    }
    environment = _environment()
    names = [name.removesuffix(".j2") for name in environment.list_templates()]
    return {name: environment.get_template(f"{name}.j2").render(facts) for name in names}


def _features(guesses: Guesses) -> dict[str, Any]:
    """Of each text its two views, and what the cells read of them."""
    alone = len(guesses.texts) == 1
    suffixes = {column.name: "" if alone else f"_{column.name}" for column in guesses.texts}
    views = {kind: [f"{guesses.workload}_{kind}{suffix}" for suffix in suffixes.values()] for kind in ("lexical", "embedding")}
    objects = [f"{kind}{suffix}" for suffix in suffixes.values() for kind in ("lexical", "embedding")]
    past = ["history[scalars(history)]", "now"] if guesses.history else []
    return {
        "texts": [_text(name, suffix) for name, suffix in suffixes.items()],
        "helpers": ["embedding_view", "lexical_view", *(["now_view", "scalars", "temporal_view"] if past else [])],
        "served": [*objects, *past],
        "lexical": views["lexical"],
        "content": [*views["lexical"], *views["embedding"]],
        "vectors": [f"{view}__vector" for view in views["embedding"]],
        "past": [f"{guesses.workload}_{kind}" for kind in ("history", "now")],
        "members": ["tfidf", "embedding", "trees", *(["history"] if past else [])],
    }


def _text(name: str, suffix: str) -> dict[str, str]:
    named = {kind: f', name="{kind}{suffix}"' if suffix else "" for kind in ("lexical", "embedding")}
    return {"name": name, "suffix": suffix, "named_lexical": named["lexical"], "named_embedding": named["embedding"]}


def _contract(guesses: Guesses, wanted: Wanted) -> dict[str, Any]:
    times = [guesses.time, *([guesses.label_time] if guesses.label_time else [])]
    row = [guesses.row_id] if guesses.row_id else guesses.digest
    needed = dict.fromkeys(column.raw for column in (*row, guesses.group, guesses.time, *guesses.texts))
    targets = [target.column for target in guesses.targets]
    given = [guesses.label_time] if guesses.label_time else []
    optional = [column.raw for column in (*targets, *given, *guesses.further, *guesses.left_out) if column.raw not in needed]
    left_out = ", ".join(column.name for column in guesses.left_out)
    return {
        "about": f"{wanted.file.name}: {guesses.rows} rows, {guesses.grouping.groups} groups by {guesses.group.raw}.",
        "zone": ZONE,
        "zone_mark": ""
        if all(says_offset(column) for column in times)
        else "times without an offset are taken to be of this zone",
        "target_names": [column.name for column in targets],
        "text_names": [column.name for column in guesses.texts],
        "text_mark": "" if wanted.text else "what features are made of, known when the row is asked",
        "required": list(needed),
        "optional": optional,
        "left_mark": left_out and f"left out of the rows, empty or of lists: {left_out}",
    }


def _seen(column: Column) -> dict[str, Any]:
    return {"name": column.name, "seen": sorted(column.values.cast(pl.String).unique())}


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"yaml": _yaml, "python": json.dumps, "sql": quoted, "entity": _entity, "bounds": _bounds}
    environment.filters["type"] = _type
    return environment


def _yaml(value: Any) -> str:
    """A scalar or a list as YAML writes it on one line."""
    plain = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(plain, default_flow_style=True, allow_unicode=True, width=WIDE).removesuffix("\n").removesuffix("\n...")


def _entity(key: str) -> str:
    return json.dumps(key.removesuffix("_id"))


def _bounds(target: GuessedTarget) -> str:
    return f"range: {_yaml(target.range)}" if target.range else f"classes: {_yaml(target.classes)}"


def _type(column: Column) -> str:
    return "string" if column.kind == "text" else column.kind
