"""Loaded by Python as it starts, where PYTHONPATH names this folder: kill the whole process group at a chosen moment.

``DIE_AT`` is ``<audit events> <regular expression>``, such as ``open|os.mkdir /.rows.draft``: SIGKILL comes at the first
such event on a path that matches (nothing of it has happened yet), as if the power had gone. ``DIE_AFTER`` lets that
many pass.
"""

import os
import re
import signal
import sys

EVENTS, _, PATH = os.environ.get("DIE_AT", "").partition(" ")
_left = [int(os.environ.get("DIE_AFTER", "0"))]


def _die(event, arguments):
    if event not in EVENTS.split("|"):
        return
    paths = [os.fsdecode(path) for path in arguments if isinstance(path, str | bytes | os.PathLike)]
    if any(re.search(PATH, path) for path in paths):
        if _left[0] == 0:
            os.killpg(0, signal.SIGKILL)
        _left[0] -= 1


if EVENTS:
    sys.addaudithook(_die)
