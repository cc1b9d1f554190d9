"""Feast as a query imports it: the same objects, no torch before a tensor is asked for, and nobody else's types unchecked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOADED = "print(*sorted({'feast', 'torch', 'sklearn', 'dask', 'scipy.stats', 'scipy.optimize'} & set(sys.modules)))"
QUERY = "from watertight.stores.feast_for_queries import import_feast; import_feast()"
BEHIND = "import pipelines.search, pipelines.submit, pipelines.predict"


def python(*lines: str) -> list[str]:
    """What lines print in a process of their own."""
    command = [sys.executable, "-c", "\n".join(["import sys", *lines])]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout.splitlines()


def test_nothing_heavy_is_behind_a_query_but_feast() -> None:
    assert python(QUERY, BEHIND, LOADED) == ["feast"]
    assert python(BEHIND, LOADED) == ["feast torch"], "or there would be nothing to leave out"


def test_torch_is_there_when_a_tensor_is_asked_for() -> None:
    asked = "from feast.infra.offline_stores.offline_store import get_torch; print(get_torch().zeros(2).tolist())"
    assert python(QUERY, "print('torch' in sys.modules)", asked) == ["False", "[0.0, 0.0]"]


WRONG = """
try:
    Entity(name="thing", join_keys=["thing_id"], description=7)
except TypeCheckError:
    print("told")
except Exception:
    pass
"""


def test_types_are_checked_for_everybody_else() -> None:
    feast = "from feast import Entity; from typeguard import TypeCheckError"
    assert python(feast, WRONG) == ["told"]
    assert python(QUERY, feast, WRONG) == []
    assert python(QUERY, "import typeguard; print(typeguard.typechecked.__module__)") == ["typeguard"]
    assert python(feast, QUERY, WRONG) == ["told"], "what is imported already stays as it is"
