"""What a language must offer to be written in: the shape that English and Hinglish both fill.

A template is text with `{slot}` for a slot to fill (slots may nest) and `[he/she]` for the author's gender.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Templates = tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """The words of one language; no tuple is empty. Degrees: 1 to 3, qualities: -3 to 3, others: -1 to 1."""

    slots: Mapping[str, Templates]
    events: Mapping[str, Templates]
    feelings: Mapping[str, Templates]
    feeling_frames: Templates
    degrees: Mapping[int, Templates]
    profane_degrees: Templates
    qualities: Mapping[int, Templates]
    opinion_frames: Templates
    sarcastic_frames: Templates
    routines: Templates
    body: Mapping[int, Templates]
    help: Mapping[int, Templates]
    comparison: Mapping[int, Templates]
    edges: Mapping[str, Templates]
    leads: Templates
    time_leads: Templates
    profane_leads: Templates
    sarcastic_leads: Templates
    sarcastic_tails: Templates
    asides: Templates
