"""All cases, by theme."""

from __future__ import annotations

from tests.stores.offline.case import Case
from tests.stores.offline.cases import (
    aliases,
    creation,
    disk,
    frames,
    instants,
    jobs,
    joining,
    keys,
    names,
    on_demand,
    pulls,
    queries,
    ranges,
    sources,
    ties,
    time_to_live,
    types,
    writes,
)

THEMES: dict[str, list[Case]] = {
    "Which row is joined": joining.CASES,
    "Ties": ties.CASES,
    "Time to live": time_to_live.CASES,
    "What was written later": creation.CASES,
    "Keys": keys.CASES,
    "Aliases": aliases.CASES,
    "Names": names.CASES,
    "The caller's frame": frames.CASES,
    "How instants are written": instants.CASES,
    "Types of values": types.CASES,
    "Sources on disk and elsewhere": disk.CASES,
    "Entity frames in SQL": queries.CASES,
    "Ranges without an entity frame": ranges.CASES,
    "On-demand views": on_demand.CASES,
    "What a job can do": jobs.CASES,
    "What materialisation reads": pulls.CASES,
    "Writing": writes.CASES,
    "Looking at a source": sources.CASES,
}
CASES = [case for theme in THEMES.values() for case in theme]
