"""Runs a case against an offline store and says what is wrong."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.stores.offline.case import Case, Fails
from tests.stores.offline.judge import complaints
from tests.stores.offline.project import project


def verdict(case: Case, offline: Mapping[str, Any], folder: Path, *, strict: bool) -> list[str]:
    """The complaints about the store that ``offline`` declares; none means that it conforms.

    ``folder`` must be the case's own. A ``strict`` judge looks at all that the contract fixes, another at what the case is about.
    """
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            with project(case, offline, folder) as built:
                answer = case.call(built)
        except Exception as error:
            return _failed(case, error)
    if isinstance(case.expected, Fails):
        return [f"no error, which was to tell {', '.join(case.expected.words)}"]
    return complaints(case, case.expected, answer, strict=strict)


def _failed(case: Case, error: Exception) -> list[str]:
    told = f"{type(error).__name__}: {error}"
    if not isinstance(case.expected, Fails):
        return [told]
    silent = [word for word in case.expected.words if word.lower() not in told.lower()]
    return [f"the error does not tell {', '.join(silent)}: {told}"] if silent else []
