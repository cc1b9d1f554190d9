"""``params.yaml`` with one workload more: every other line as it was."""

from __future__ import annotations

import io

from ruamel.yaml import YAML

KEY = "workloads"


def with_workload(params: str, name: str, section: str) -> str:
    """The text of ``params.yaml`` with ``name`` in its ``workloads`` and the text of its ``section`` at the end."""
    lines = params.splitlines(keepends=True)
    first, last = _span(params, lines)
    listed = _with_item("".join(lines[first:last]), name)
    text = "".join([*lines[:first], listed, *lines[last:]])
    return f"{text.rstrip()}\n\n{section}"


def _span(params: str, lines: list[str]) -> tuple[int, int]:
    """The first line of the list, and the one after its last: what comments and blanks stand below it are not of it."""
    places = YAML().load(params).lc
    first = places.key(KEY)[0]
    below = [line for line, *_ in places.data.values() if line > first]
    last = min(below, default=len(lines))
    while lines[last - 1].lstrip()[:1] in ("", "#"):
        last -= 1
    return first, last


def _with_item(listed: str, name: str) -> str:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10**6
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(listed)
    document[KEY].append(name)
    text = io.StringIO()
    yaml.dump(document, text)
    return text.getvalue()
