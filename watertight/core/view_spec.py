"""What fills a view: the kernel's name and its inputs, carried in the tags of the Feast view itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from watertight.core.declare import Declaration, parse

TAG = "watertight"
SOURCE_AT = "source_at"
REQUEST_TIME = "asked_at_us"


class ViewSpec(Declaration):
    """How one view is filled.

    ``kernel`` names the function; ``join_key`` is the view's key. Content kernels read ``texts``: a row's key column
    to the text column that goes with it (two entries where a row holds two texts of one kind), or to several whose texts
    make one, in their order, a blank line between them. Label kernels read
    ``labels``: the targets whose past they summarise; one that also reads what was labelled has the rows' text columns
    in ``labelled_texts``, by name alone, since it looks them up by no key. ``options`` go to the kernel as they are.
    What is derived from a ``target`` holds it as it is: it may be searched, and never joined.
    """

    kernel: str
    derived_from: Literal["content", "labels", "target"]
    join_key: str
    texts: dict[str, str | Annotated[tuple[str, ...], Field(min_length=1)]] = {}
    labels: tuple[str, ...] = ()
    labelled_texts: tuple[str, ...] = ()
    options: dict[str, Any] = {}

    def tags(self) -> dict[str, str]:
        """The tags that carry this declaration through Feast's registry."""
        return {TAG: json.dumps(self.model_dump(mode="json"), sort_keys=True)}


def spec_of(name: str, tags: Mapping[str, str]) -> ViewSpec | None:
    """The declaration in a view's tags, or None for a view that the platform does not fill."""
    return parse(ViewSpec, json.loads(tags[TAG]), f"view {name!r}") if TAG in tags else None


def evidence_column(view: str) -> str:
    """The joined column that says, in µs since the epoch, when the newest fact behind the view's row was known."""
    return f"{view}__{SOURCE_AT}"
