"""All cases, by theme."""

from __future__ import annotations

from tests.stores.offline.case import Case
from tests.stores.offline.cases import creation, joining, ties, time_to_live

THEMES = {"Which row": joining, "Ties": ties, "Time to live": time_to_live, "Creation": creation}
CASES: list[Case] = [case for theme in THEMES.values() for case in theme.CASES]
