from __future__ import annotations

from servers import postgres_server, redis_server

__all__ = ["postgres_server", "redis_server"]
