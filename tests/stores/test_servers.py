"""The servers that the other tests of this folder rest on."""

from __future__ import annotations

from servers import PostgresServer, RedisServer


def test_redis_answers_and_is_emptied(redis_server: RedisServer) -> None:
    redis_server.client().set("a", 1)
    assert redis_server.client().dbsize() > 0
    assert redis_server.emptied().client().dbsize() == 0


def test_postgres_answers_and_is_emptied(postgres_server: PostgresServer) -> None:
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    with postgres_server.emptied().connection() as connection:
        connection.execute("CREATE TABLE public.a (x int)")
        assert connection.execute(tables).fetchone() == (1,)
        assert postgres_server.emptied().connection().execute(tables).fetchone() == (0,)
