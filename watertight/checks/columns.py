"""What the names of columns begin with that some checks read; told here, so that who writes them need not load the checks."""

from __future__ import annotations

SLICE = "slice: "
"""The slice of a row over the column that follows."""
OFFLINE, ONLINE = "offline: ", "online: "
"""A feature as the join answers it, and as the online store does."""
