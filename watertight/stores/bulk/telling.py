"""Progress of one view: Feast's bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from feast.infra.common.materialization_job import MaterializationTask

from watertight.progress import counted


@contextmanager
def telling(task: MaterializationTask, total: Callable[[], int | None]) -> Iterator[Callable[[int], object]]:
    """A function that is told how many more rows are done, of ``total``, which may be known only later."""
    if task.tqdm_builder is None or not sys.stderr.isatty():
        yield counted(total, task.feature_view.name)
        return
    with task.tqdm_builder(total()) as bar:  # type: ignore[arg-type]

        def tell(more: int) -> None:
            bar.total = total()
            bar.update(more)

        yield tell
