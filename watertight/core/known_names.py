"""Names in ``params.yaml`` that are spelt as no source of the workload spells them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from watertight.core.contract import SourceContract
from watertight.core.declare import nearest, parse, read_yaml
from watertight.core.errors import Misuse
from watertight.core.project import Workload
from watertight.core.treatment import EXCHANGING, Filtered

JOINED = "__"
ASSIGNED = ("split", "fold")


def demand_known_names(work: Workload) -> None:
    """Raise one Misuse for all targets, texts, entities, strata and slices that no source of the workload has.

    A name that another source of the workload has is no mistake: the stages leave it out, and say so. A slice may also be
    a joined feature, ``<view>__<feature>``, or what the split assigned.
    """
    problems = list(_problems(work))
    if problems:
        raise Misuse(
            f"params.yaml, section {work.name!r}, names what no source has\n" + "\n".join(f"  - {line}" for line in problems),
            workload=work.name,
            expected=f"names of a contract in pipelines/sources/{work.name}/",
        )


def _problems(work: Workload) -> Iterator[str]:
    known, train = list(contracts(work)), work.params.train
    targets = {name for contract in known for name in contract.targets}
    texts = {name for contract in known for name in (*contract.text, *contract.keys)}
    columns = {name for contract in known for name in contract.column_types()}
    yield from _strange("train.targets", train.targets, targets)
    for name, cell in train.declared.items():
        yield from _strange(f"train.cells.{name}.targets", cell.targets or (), targets)
        yield from _strange(f"train.cells.{name}.texts", cell.texts, texts)
    keys = {name for contract in known for name in contract.keys}
    for name, steps in train.treatments.items():
        yield from _strange(f"train.treatments.{name}", [step.entity for step in steps if isinstance(step, EXCHANGING)], keys)
        scores = [step.by for step in steps if isinstance(step, Filtered) and step.by is not None and JOINED not in step.by]
        yield from _strange(f"train.treatments.{name}", scores, columns)
    yield from _strange("split.strata", work.params.split.strata, columns)
    own = [name for name in work.params.evaluate.slices if JOINED not in name]
    yield from _strange("evaluate.slices", own, columns | {*ASSIGNED})


def _strange(place: str, names: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    return (f"{place}: {name!r}; {nearest(name, known)}" for name in names if name not in known)


def contracts(work: Workload) -> Iterator[SourceContract]:
    """The contract of each source of the workload."""
    for path in sorted(work.source_folder.glob("*.yaml")):
        yield parse(SourceContract, read_yaml(path), path.relative_to(work.project.root).as_posix())
