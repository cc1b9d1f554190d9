"""export: a version handed over to a registry of MLflow, with its files, figures, digests and stages; nothing is pickled.

What is there is the bundle as it is, without a flavour of MLflow's (an ``MLmodel``), whose loaders import code that a file names:
``watertight.load(mlflow.artifacts.download_artifacts("models:/judge@prod"))`` opens it, and checks every file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from watertight.core.errors import Misuse, Refusal
from watertight.core.tables import json_text
from watertight.inference.kept import kept
from watertight.inference.loading import selected
from watertight.registry.history import Registry
from watertight.registry.records import VersionRecord

FOLDER = "bundle"
SQLITE = "sqlite:///"
TAG = "watertight."


def export_to_mlflow(root: Path, selector: str, uri: str) -> dict[str, Any]:
    """Register the version that ``selector`` names with the MLflow at ``uri``, once; its stages become aliases there.

    A version that is there gets today's stages, and nothing else: an alias that is not its any more is taken away. Artifacts of
    a sqlite registry lie beside the file, in ``<name>.artifacts``; those of others where they say. Raises Misuse without the
    extra ``mlflow`` or where the registry does not answer, Refusal where it has this version with other bytes.
    """
    record = selected(root, selector)
    held = sorted(stage for stage, event in Registry(root, record.model).holders().items() if event.version == record.version)
    folder = kept(root, record).folder
    client_of, errors = _mlflow()
    try:
        client = client_of(uri, uri)
        there = _there(client, record)
        found = there or _registered(client, record, folder, uri)
        _set_aliases(client, found, held)
    except errors as error:
        raise Misuse(f"MLflow at {uri} refused: {error}", next_step="look at the URI, and whether you may write there") from error
    return {
        "model": record.model,
        "version": record.version,
        "mlflow_version": int(found.version),
        "aliases": held,
        "source": found.source,
        "new": there is None,
    }


def _mlflow() -> tuple[Any, tuple[type[Exception], ...]]:
    """The class of MLflow's client, and what it raises where a registry does not answer."""
    try:
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError as error:
        raise Misuse("MLflow is not installed", next_step="pip install 'watertight[mlflow]'") from error
    return MlflowClient, (MlflowException, SQLAlchemyError, OSError)


def _there(client: Any, record: VersionRecord) -> Any:
    """The version of MLflow's that stands for the record, if there is one."""
    versions = client.search_model_versions(f"name='{record.model}'")
    found = next((each for each in versions if each.tags.get(f"{TAG}version") == record.version), None)
    if found and found.tags.get(f"{TAG}record") != record.digest:
        raise Refusal(
            f"MLflow has another {record.model} {record.version}, as its version {found.version}",
            expected=f"the record {record.digest}",
            next_step="export to another registry, or remove that version there",
        )
    return found


def _registered(client: Any, record: VersionRecord, folder: Path, uri: str) -> Any:
    """A run with the bundle's files and the figures, and the version that stands on it."""
    if not client.search_registered_models(f"name='{record.model}'"):
        client.create_registered_model(record.model)
    run = client.create_run(
        _experiment(client, record.model, uri), run_name=f"{record.model} {record.version}", tags=_tags(record)
    )
    client.log_artifacts(run.info.run_id, str(folder), FOLDER)
    client.log_text(run.info.run_id, json_text(record.model_dump(mode="json")), "record.json")
    for name, figure in _metrics(record):
        client.log_metric(run.info.run_id, name, figure)
    client.set_terminated(run.info.run_id)
    source = f"{run.info.artifact_uri}/{FOLDER}"
    return client.create_model_version(
        record.model, source, run.info.run_id, tags=_tags(record), description="; ".join(record.because)
    )


def _experiment(client: Any, model: str, uri: str) -> str:
    """The experiment of the model, whose artifacts lie beside a registry that is a file."""
    name = f"watertight/{model}"
    known = client.get_experiment_by_name(name)
    if known:
        return str(known.experiment_id)
    beside = Path(uri.removeprefix(SQLITE)).resolve().with_suffix(".artifacts") if uri.startswith(SQLITE) else None
    return str(client.create_experiment(name, artifact_location=beside.as_uri() if beside else None))


def _set_aliases(client: Any, found: Any, held: list[str]) -> None:
    known = client.get_registered_model(found.name).aliases
    for alias, version in known.items():
        if str(version) == str(found.version) and alias not in held:
            client.delete_registered_model_alias(found.name, alias)
    for stage in held:
        client.set_registered_model_alias(found.name, stage, found.version)
    client.set_model_version_tag(found.name, found.version, f"{TAG}stages", ",".join(held))


def _tags(record: VersionRecord) -> dict[str, str]:
    """What the version is, by our names, so that it is found in our registry again."""
    told = {
        "version": record.version,
        "record": record.digest,
        "bundle": record.bundle.md5,
        "manifest": record.manifest,
        "signature": record.signature,
        "revision": record.revision,
        "cell": record.cell,
    }
    return {f"{TAG}{name}": value for name, value in told.items()}


def _metrics(record: VersionRecord) -> Iterator[tuple[str, float]]:
    """``part.target.metric``, each figure of the record."""
    for each in record.figures:
        yield f"{each['part']}.{each['target']}.{each['metric']}", float(each["figure"])
