"""A transport's line to the database: one asyncio connection, every question answered or given up in bounded time."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from telemetry.store.connect import parameters

CONNECT_TIMEOUT = 3  # seconds
ASK_TIMEOUT = 5.0  # seconds, connecting included
STATEMENT_TIMEOUT = "4s"


class Unavailable(Exception):
    """The database does not answer, or not in time."""


class Line:
    """For short reads, one at a time. It connects when first asked, and again after the connection was lost."""

    def __init__(self, application: str) -> None:
        """`application` is how the server's list of connections names this one."""
        self._application = application
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._lock = asyncio.Lock()

    async def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """What a query finds. Raises Unavailable."""
        async with self._lock:
            fresh = self._connection is None
            try:
                return await self._rows(sql, parameters)
            except Unavailable:
                if fresh:
                    raise
            return await self._rows(sql, parameters)  # an old connection may just have been closed by the other side

    async def _rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
        try:
            async with asyncio.timeout(ASK_TIMEOUT):
                if self._connection is None:
                    self._connection = await _connect(self._application)
                cursor = await self._connection.execute(sql, parameters)
                return await cursor.fetchall()
        except (psycopg.Error, OSError, TimeoutError) as error:
            await self._drop()
            raise Unavailable(str(error).strip() or type(error).__name__) from None

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def close(self) -> None:
        """Let the connection go."""
        async with self._lock:
            await self._drop()


async def _connect(application: str) -> psycopg.AsyncConnection[Any]:
    """A connection to Django's default database."""
    libpq = {**parameters(), "connect_timeout": CONNECT_TIMEOUT, "application_name": application}
    connection = await psycopg.AsyncConnection.connect(**libpq, autocommit=True)
    try:
        await connection.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
    except BaseException:  # whoever asked may have gone
        await connection.close()
        raise
    return connection
