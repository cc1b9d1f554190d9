"""One stage in a process of its own, by DVC's API: ``python -m watertight.repro.stage STAGE``.

What the stage prints is passed on. Exit status: 0 it ran, 100 DVC found nothing changed, 2 its command ended with 2,
1 it failed otherwise.
"""

from __future__ import annotations

import logging
import re
import sys

from dvc.exceptions import DvcException
from dvc.logger import set_loggers_level
from dvc.repo import Repo

FAILED, MISUSE, UNCHANGED = 1, 2, 100


def main(stage: str) -> int:
    """Reproduce ``stage`` alone, like ``dvc --wait-for-lock repro -s STAGE`` without its remarks; the exit status."""
    try:
        with set_loggers_level(logging.WARNING), Repo(_wait_for_lock=True) as repo:
            return 0 if repo.reproduce(stage, single_item=True) else UNCHANGED
    except DvcException as error:
        reason = str(error.__cause__ or error)
        print(reason, file=sys.stderr)
        return MISUSE if re.search(r"exited with 2$", reason) else FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
