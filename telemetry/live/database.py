"""Questions of sockets to the database: in threads of their own, and only so many at a time.

A socket asks one thing after the other for its commands and one for what it sends, so what waits is bounded by them.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.conf import settings

P = ParamSpec("P")
R = TypeVar("R")


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.TB_WS_DB_THREADS, thread_name_prefix="live-database")


async def in_database(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The result of a function that uses the ORM."""
    ask: Any = database_sync_to_async(function, thread_sensitive=False, executor=_threads())
    result: R = await ask(*args, **kwargs)
    return result
