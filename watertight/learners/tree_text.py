"""Whether a text is a whole LightGBM model. LightGBM itself ends the process at some that are not, and walks astray at others."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise

from watertight.core.errors import Refusal

END = b"end of trees"
PER_SPLIT = {"split_gain": float, "threshold": float, "decision_type": int, "internal_value": float}
Fields = dict[str, str]


def demand_whole(text: str) -> None:
    """Raise Refusal where a tree is not where the header says, names features or nodes that are not, or is no tree.

    Of the format as LightGBM 4 writes it (``Tree::ToString``), trees of numbers alone: no categories, no linear leaves.
    """
    try:
        fault = next(_faults(text.encode()), "")
    except (KeyError, ValueError) as error:
        fault = f"no {error}" if isinstance(error, KeyError) else str(error)
    if fault:
        raise Refusal(f"the text is no whole LightGBM model: {fault}", expected="model.txt as it was saved")


def _faults(text: bytes) -> Iterator[str]:
    top, gap, rest = text.partition(b"\n\n")
    header = _fields(top)
    sizes, features = _list(header, "tree_sizes", int), int(header["max_feature_idx"]) + 1
    if int(header["num_class"]) < 1 or not gap or min(sizes, default=0) < 1 or not rest[sum(sizes) :].startswith(END):
        yield "its trees do not end where the header says"
    for place, (start, end) in enumerate(pairwise(accumulate(sizes, initial=0))):
        if not rest[start:end].startswith(b"Tree=%d\n" % place):
            yield f"tree {place} does not stand where the header says"
        for fault in _of_tree(_fields(rest[start:end]), features):
            yield f"tree {place} {fault}"


def _of_tree(tree: Fields, features: int) -> Iterator[str]:
    leaves = int(tree["num_leaves"])
    if leaves < 1 or int(tree["num_cat"]) or int(tree["is_linear"]):
        yield "has no leaves, or categories, or linear leaves"
    if len(_list(tree, "leaf_value", float)) != leaves:
        yield "does not have a value per leaf"
    if leaves < 2:
        return
    if any(len(_list(tree, name, kind)) != leaves - 1 for name, kind in PER_SPLIT.items()):
        yield "does not say everything of each split"
    splits = _list(tree, "split_feature", int)
    if len(splits) != leaves - 1 or not all(0 <= feature < features for feature in splits):
        yield f"splits on a feature that is none of {features}"
    yield from _of_nodes(_list(tree, "left_child", int), _list(tree, "right_child", int), leaves)


def _of_nodes(left: list[int], right: list[int], leaves: int) -> Iterator[str]:
    """Every node but the root, and every leaf (-1 is the first), has one parent, which stands before it."""
    if len(left) != leaves - 1 or sorted([*left, *right]) != [*range(-leaves, 0), *range(1, leaves - 1)]:
        yield "does not lead to each node and leaf once"
    elif any(0 < child <= parent for side in (left, right) for parent, child in enumerate(side)):
        yield "leads back to a node before"


def _fields(part: bytes) -> Fields:
    lines = part.decode().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _list(fields: Fields, name: str, kind: type) -> list:
    return [kind(told) for told in fields[name].split()]
