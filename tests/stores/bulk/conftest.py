from __future__ import annotations

import pytest
from places import InPostgres, InRedis, place_of


@pytest.fixture(params=["redis", "postgres"])
def place(request: pytest.FixtureRequest) -> InRedis | InPostgres:
    """An empty server."""
    return place_of(request.param, request)
