"""Asks the database whose tokens these are: one asyncio connection, many tokens a query."""

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg

from devices.services.credentials import LOOKUP_SQL, DeviceIdentity, identities
from telemetry.store.connect import parameters

CONNECT_TIMEOUT = 3  # seconds
ASK_TIMEOUT = 5.0  # seconds, connecting included
STATEMENT_TIMEOUT = "4s"


class Unavailable(Exception):
    """The database does not answer, or not in time."""


class Directory:
    """The look-up of tokens. It connects when first asked, and again after the connection was lost."""

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._lock = asyncio.Lock()

    async def ask(self, lookups: Sequence[bytes]) -> dict[bytes, DeviceIdentity]:
        """The devices of these 32-byte lookups; who is not known is missing. Raises Unavailable."""
        async with self._lock:
            fresh = self._connection is None
            try:
                return await self._ask(lookups)
            except Unavailable:
                if fresh:
                    raise
            return await self._ask(lookups)  # an old connection may just have been closed by the other side

    async def _ask(self, lookups: Sequence[bytes]) -> dict[bytes, DeviceIdentity]:
        try:
            async with asyncio.timeout(ASK_TIMEOUT):
                if self._connection is None:
                    self._connection = await _connect()
                cursor = await self._connection.execute(LOOKUP_SQL, [list(lookups)])
                return identities(await cursor.fetchall())
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


async def _connect() -> psycopg.AsyncConnection[Any]:
    """A connection to Django's default database."""
    libpq = {**parameters(), "connect_timeout": CONNECT_TIMEOUT, "application_name": "thingsboard mqtt"}
    connection = await psycopg.AsyncConnection.connect(**libpq, autocommit=True)
    await connection.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
    return connection
