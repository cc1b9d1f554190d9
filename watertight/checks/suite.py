"""Run a gate: the contract's checks and the workload's own suite, every declared check loaded and answered."""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

import watertight.checks
from watertight.checks.setting import Setting, judging
from watertight.checks.verdict import CheckResult, Verdict
from watertight.core.declare import Declaration, nearest, parse, read_yaml
from watertight.core.errors import Misuse

CONTRACT = Path(__file__).with_name("contract.yaml")
SETTLED = {"model": ("expect_calibrated",)}
"""By gate the checks of the contract that a workload may settle otherwise: for which rows a model is to be calibrated is its
users' to say; that it says anything, and what leaks, is not."""
FORMAT = {"result_format": "COMPLETE", "unexpected_index_column_names": ["row_id"]}


class Check(Declaration):
    """One declared check, in Great Expectations' own words.

    ``meta`` may say ``quarantine: true`` (failing rows are set aside instead of blocking) and ``required: true`` (a skip
    blocks like a failure).
    """

    type: str
    kwargs: dict[str, Any] = {}
    severity: str = Field(default="critical", pattern="^(critical|warning|info)$")
    meta: dict[str, Any] = {}


class Suites(Declaration):
    """A file of ``expectations/``: the checks of each gate."""

    rows: tuple[Check, ...] = ()
    split: tuple[Check, ...] = ()
    training_set: tuple[Check, ...] = ()
    out_of_fold: tuple[Check, ...] = ()
    made: tuple[Check, ...] = ()
    inputs: tuple[Check, ...] = ()
    drift: tuple[Check, ...] = ()
    figures: tuple[Check, ...] = ()
    model: tuple[Check, ...] = ()
    serving: tuple[Check, ...] = ()


def declared(gate: str, own: Path | None) -> list[Check]:
    """The checks of a gate: the contract's, then those of the workload's file (which may be absent).

    Those of the contract are required, but for warnings and what says ``required: false`` itself. Of the
    types in ``SETTLED`` a workload's own check takes the place of the contract's.
    """
    mine = suite_of(gate, own)
    settled = {check.type for check in mine} & set(SETTLED.get(gate, ()))
    common = [_required_by_default(check) for check in suite_of(gate, CONTRACT) if check.type not in settled]
    return [*common, *mine]


def suite_of(gate: str, file: Path | None) -> list[Check]:
    """The checks that a file of suites declares for a gate; none where there is no file."""
    return list(getattr(parse(Suites, read_yaml(file) or {}, file.name), gate)) if file and file.is_file() else []


def required(check: Check) -> Check:
    """The same check, with a skip blocking like a failure: what it needs is always there, or nothing is proven."""
    return check.model_copy(update={"meta": {**check.meta, "required": True}})


def _required_by_default(check: Check) -> Check:
    return required(check) if check.severity == "critical" and "required" not in check.meta else check


def judge(gate: str, frame: pl.DataFrame, checks: Iterable[Check], waived: Sequence[str] = (), **beside: Any) -> Verdict:
    """Run ``checks`` on ``frame``, which has row_id.

    Great Expectations' own checks do not see columns of lists. ``beside``: what the platform's checks may know besides:
    ``features``, ``targets``, ``reference``, ``superseded`` and ``asked`` of :class:`watertight.checks.setting.Setting`.

    A check on a column that the frame lacks is skipped with the reason. A check that raises has failed. ``waived`` names
    types of check whose failure is told and does not block. Raises Misuse where a declared or waived type does not exist,
    which Great Expectations itself would drop without a word, and where a check does not take its arguments.
    """
    checks = list(checks)
    _register()
    _refuse_unknown([*(check.type for check in checks), *waived])
    present = [check for check in checks if not _absent(check, frame)]
    answers = iter(_validated(gate, frame, present, beside))
    results = [_skipped(check, frame) if _absent(check, frame) else _result(check, next(answers)) for check in checks]
    return Verdict(gate, frame.height, tuple(results), tuple(waived))


def _validated(gate: str, frame: pl.DataFrame, checks: list[Check], beside: Mapping[str, Any]) -> list[Any]:
    import great_expectations as gx  # seconds to import, needed only where a gate runs
    from great_expectations.compatibility.pydantic import ValidationError
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("rows").get_batch({"dataframe": _flat(frame).to_pandas()})
    numbered = [
        {"type": check.type, "kwargs": check.kwargs, "severity": check.severity, "meta": {**check.meta, "order": order}}
        for order, check in enumerate(checks)
    ]
    try:
        suite = gx.ExpectationSuite(name=gate, expectations=numbered)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise Misuse(
            f"gate {gate!r}: a check has arguments that it does not take: {told}",
            expected=f"those of {error.model.__name__}, docs/gates.md",
        ) from error
    if len(suite.expectations) != len(checks):
        raise Misuse(f"gate {gate!r}: {len(checks)} checks are declared, {len(suite.expectations)} were loaded")
    with judging(Setting(frame, **beside)):
        found: list[Any] = batch.validate(suite, result_format=FORMAT).results
    ordered = sorted(found, key=_order)
    if [_order(answer) for answer in ordered] != list(range(len(checks))):
        raise Misuse(f"gate {gate!r}: {len(checks)} checks are declared, {len(found)} were run")
    return ordered


def _order(answer: Any) -> int:
    return int(answer.expectation_config.meta["order"])


def _register() -> None:
    """Import every module of this folder, so that Great Expectations knows the expectations in them."""
    for module in pkgutil.iter_modules(watertight.checks.__path__):
        importlib.import_module(f"watertight.checks.{module.name}")


def _refuse_unknown(types: Iterable[str]) -> None:
    from great_expectations.expectations.registry import (
        list_registered_expectation_implementations,
    )

    known = list_registered_expectation_implementations()
    for name in types:
        if name not in known:
            raise Misuse(f"no expectation is called {name!r}; {nearest(name, known)}")


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(name for name, kind in frame.schema.items() if not isinstance(kind, pl.List | pl.Array))


def _absent(check: Check, frame: pl.DataFrame) -> list[str]:
    named = [check.kwargs.get(name) for name in ("column", "column_A", "column_B")]
    return [name for name in named if name and name not in frame.columns]


def _skipped(check: Check, frame: pl.DataFrame) -> CheckResult:
    reason = f"no column {', '.join(map(repr, _absent(check, frame)))}"
    return CheckResult(check.type, check.kwargs, check.severity, "skipped", reason=reason, required=_required(check))


def _result(check: Check, answer: Any) -> CheckResult:
    found: Mapping[str, Any] = answer.result or {}
    rows = tuple(found.get("row_ids") or [str(row["row_id"]) for row in found.get("unexpected_index_list") or []])
    skipped, raised = found.get("skipped"), _raised(answer.exception_info)
    columns = tuple(found.get("columns") or ())
    return CheckResult(
        check.type,
        check.kwargs,
        check.severity,
        "skipped" if skipped else "pass" if answer.success else "fail",
        count=int(found.get("unexpected_count") or len(rows)),
        row_ids=rows,
        columns=columns,
        figures=found.get("figures") or {},
        reason=skipped or raised or found.get("told") or _observed(answer, found),
        quarantine=bool(check.meta.get("quarantine")) and bool(rows),
        required=_required(check),
    )


def _required(check: Check) -> bool:
    return bool(check.meta.get("required"))


def _raised(info: Any) -> str:
    entries = [info, *info.values()] if isinstance(info, dict) else []
    messages = [item["exception_message"] for item in entries if isinstance(item, dict) and item.get("raised_exception")]
    return str(messages[0]) if messages else ""


def _observed(answer: Any, found: Mapping[str, Any]) -> str:
    return "" if answer.success or "observed_value" not in found else f"observed {found['observed_value']}"
