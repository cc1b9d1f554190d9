"""``params.yaml`` with one workload more: every comment, and the order, as they were."""

from __future__ import annotations

import io

from ruamel.yaml import YAML


def with_workload(params: str, name: str, section: str) -> str:
    """The text of ``params.yaml`` with ``name`` in its ``workloads`` and the text of its ``section`` at the end."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10**6
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(params)
    document["workloads"].append(name)
    text = io.StringIO()
    yaml.dump(document, text)
    return f"{text.getvalue().rstrip()}\n\n{section}"
