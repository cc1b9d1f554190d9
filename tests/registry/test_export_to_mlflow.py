"""A version in a registry of MLflow, read back by MLflow's own client: its files, figures, digests and stages, once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import mlflow
import pytest
from made_bundle import rows
from made_project import MODEL, cloned, made_project, versioned
from made_records import promoted
from mlflow.artifacts import download_artifacts
from mlflow.tracking import MlflowClient
from typer.testing import CliRunner, Result

import watertight
from watertight.cli import app
from watertight.core.errors import Refusal
from watertight.inference.to_mlflow import export_to_mlflow
from watertight.registry.history import Registry


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_project(tmp_path_factory.mktemp("made") / "project")


@pytest.fixture
def project(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WATERTIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    root = cloned(built, tmp_path / "clone")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'registry.db'}"


def command(uri: str, selector: str = MODEL) -> Result:
    return CliRunner().invoke(app, ["export", selector, "--to", "mlflow", "--uri", uri, "--json"])


def found(uri: str) -> dict[str, Any]:
    """MLflow's versions of the model by our numbers."""
    return {each.tags["watertight.version"]: each for each in MlflowClient(uri, uri).search_model_versions(f"name='{MODEL}'")}


def test_mlflow_has_the_files_figures_digests_and_stage(project: Path, uri: str, tmp_path: Path) -> None:
    told = command(uri)
    assert told.exit_code == 0, told.output
    answer = json.loads(told.stdout.splitlines()[-1])
    assert (answer["version"], answer["mlflow_version"], answer["aliases"], answer["new"]) == ("1.1.0", 1, ["prod"], True)
    client, record = MlflowClient(uri, uri), Registry(project, MODEL).version("1.1.0")
    held = client.get_model_version_by_alias(MODEL, "prod")
    tags = {name.removeprefix("watertight."): value for name, value in held.tags.items()}
    assert tags == {
        "version": "1.1.0", "record": record.digest, "bundle": record.bundle.md5, "manifest": record.manifest,
        "signature": record.signature, "revision": record.revision, "cell": record.cell, "stages": "prod",
    }  # fmt: skip
    run = client.get_run(held.run_id)
    expected = {f"{each['part']}.{each['target']}.{each['metric']}": each["figure"] for each in record.figures}
    assert run.data.metrics == expected and len(expected) > 10
    assert run.info.status == "FINISHED"
    expected_rows = watertight.load(MODEL, stage="prod").predict(rows())
    mlflow.set_registry_uri(uri)
    handed = Path(download_artifacts(f"models:/{MODEL}@prod", dst_path=str(tmp_path / "handed")))
    assert watertight.load(handed).predict(rows()).equals(expected_rows)
    names = [path.name for path in handed.rglob("*")]
    assert not any(name.endswith((".pkl", ".pickle", ".py")) for name in names)
    assert not (project / "mlruns").exists(), "artifacts lie beside the registry's file"


def test_exporting_twice_makes_no_second_version(project: Path, uri: str) -> None:
    first, second = export_to_mlflow(project, MODEL, uri), export_to_mlflow(project, MODEL, uri)
    assert (first["new"], second["new"]) == (True, False)
    assert second["mlflow_version"] == first["mlflow_version"] and len(found(uri)) == 1
    assert len(MlflowClient(uri, uri).search_runs([run_experiment(uri)])) == 1


def run_experiment(uri: str) -> str:
    experiment = MlflowClient(uri, uri).get_experiment_by_name(f"watertight/{MODEL}")
    assert experiment is not None
    return str(experiment.experiment_id)


def test_a_stage_moves_with_the_rollback_once_it_is_told(project: Path, uri: str) -> None:
    export_to_mlflow(project, "judge#prod", uri)
    assert export_to_mlflow(project, "judge@1.0.0", uri)["aliases"] == []
    promoted(Registry(project, MODEL), "1.0.0", 5, kind="rollback", reason="worse at night")
    client = MlflowClient(uri, uri)
    assert export_to_mlflow(project, "judge@1.1.0", uri)["aliases"] == []
    assert client.get_registered_model(MODEL).aliases == {}, "1.1.0 does not hold it any more"
    export_to_mlflow(project, "judge#prod", uri)
    assert client.get_model_version_by_alias(MODEL, "prod").tags["watertight.version"] == "1.0.0"
    assert {version: each.tags["watertight.stages"] for version, each in found(uri).items()} == {"1.0.0": "prod", "1.1.0": ""}


def test_another_model_of_that_version_is_not_taken_for_it(project: Path, uri: str) -> None:
    export_to_mlflow(project, "judge@1.1.0", uri)
    Registry(project, MODEL).place_of("1.1.0").unlink()
    for event in Registry(project, MODEL).event_files():
        event.unlink()
    versioned(project, "1.1.0", shift=3.0)
    with pytest.raises(Refusal, match=r"MLflow has another judge 1\.1\.0"):
        export_to_mlflow(project, "judge@1.1.0", uri)
    assert len(found(uri)) == 1


@pytest.mark.parametrize("harm", ["an unknown scheme", "no database"])
def test_a_registry_that_is_not_one_is_told_without_a_traceback(project: Path, tmp_path: Path, harm: str) -> None:
    (tmp_path / "notes.txt").write_text("no database, and long enough to be read as one " * 99)
    uri = "nonsense://here" if harm == "an unknown scheme" else f"sqlite:///{tmp_path / 'notes.txt'}"
    told = command(uri)
    assert told.exit_code == 2 and "MLflow" in told.stderr and uri in told.stderr


def test_without_mlflow_the_extra_is_named(project: Path, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    told = command(uri)
    assert told.exit_code == 2 and "pip install 'watertight[mlflow]'" in told.stderr
