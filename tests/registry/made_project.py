"""A project in git and DVC whose registry names real bundles, kept in its cache and on its remote, a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from made_bundle import made_bundle
from made_records import add_version, promoted

from watertight.core.digests import file_digest
from watertight.registry.bundle import MANIFEST
from watertight.registry.history import Registry
from watertight.registry.objects import Objects
from watertight.registry.records import VersionRecord

MODEL = "judge"


def command(*words: str, cwd: Path) -> str:
    """What a command printed; the test fails with its complaint."""
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "GIT_CONFIG_COUNT": "2"}
    environment |= {"GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Ada"}
    environment |= {"GIT_CONFIG_KEY_1": "user.email", "GIT_CONFIG_VALUE_1": "ada@example.org"}
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def made_project(root: Path) -> Path:
    """1.0.0 held prod until 1.1.0 took it; their models answer differently. Bytes are on the remote; all is committed."""
    (root / "feature_repo").mkdir(parents=True)
    (root / "feature_repo" / "judge.py").write_text('"""None."""\n')
    (root / "params.yaml").write_text("workloads: []\n")
    dvc = (sys.executable, "-m", "dvc")
    command("git", "init", "--quiet", cwd=root)
    command(*dvc, "init", "--quiet", cwd=root)
    command(*dvc, "remote", "add", "--default", "storage", str(root.parent / "remote"), cwd=root)
    for hours, version in enumerate(("1.0.0", "1.1.0")):
        versioned(root, version, shift=float(hours))
        promoted(Registry(root, MODEL), version, hours)
    command("git", "add", "--all", cwd=root)
    command("git", "commit", "--quiet", "--message", "two versions", cwd=root)
    return root


def versioned(root: Path, version: str, shift: float) -> VersionRecord:
    """The record of a version whose bundle is kept and pushed, and no more in the working tree."""
    place = made_bundle(root.parent / f"made-{version}", shift)
    objects = Objects(root)
    stored = objects.keep(place)
    objects.push(stored)
    digest = file_digest(place / MANIFEST)
    shutil.rmtree(place)
    return add_version(Registry(root, MODEL), version, bundle=stored, manifest=digest)


def cloned(root: Path, to: Path) -> Path:
    """A clone of the last commit alone, without a cache of its own bytes."""
    command("git", "clone", "--quiet", "--depth", "1", f"file://{root}", str(to), cwd=root.parent)
    return to
