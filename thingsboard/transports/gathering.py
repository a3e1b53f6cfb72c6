"""One statement for many: what comes while one runs, or soon after one began, goes with the next. So a lone caller waits
for nobody, a thousand at once cost a statement or two, and a steady stream costs a hundred statements a second: a
statement has a price of its own (about 1 ms of CPU on both sides), which a connect would pay alone otherwise.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from thingsboard.transports.line import Unavailable

log = logging.getLogger(__name__)

K = TypeVar("K")
R = TypeVar("R")

MOST = 1000  # keys of one statement
SPACING_SECONDS = 0.01  # between the beginnings of two statements
RETRY_SECONDS = 1.0
MOST_WAITING = 100_000
CLOSE_SECONDS = 2.0


class Gathering(Generic[K, R]):
    """Questions. A key is asked for once in a statement; who asks for it meanwhile is served by a later one."""

    def __init__(self, ask: Callable[[Sequence[K]], Awaitable[dict[K, R]]]) -> None:
        """`ask` answers for every key it is given, or raises Unavailable for all."""
        self._ask = ask
        self._waiting: list[tuple[K, asyncio.Future[R]]] = []
        self._asking: dict[K, asyncio.Future[R]] = {}
        self._task: asyncio.Task[None] | None = None
        self._next_at = 0.0  # of the loop's clock; a statement begins no sooner
        self.statements = 0

    async def __call__(self, key: K) -> R:
        """The answer. Raises Unavailable."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.append((key, future))
        if self._task is None:
            self._task = loop.create_task(self._run())
        return await future

    def asking(self, key: K) -> asyncio.Future[R] | None:
        """The answer that is on its way for this key."""
        return self._asking.get(key)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            await asyncio.sleep(self._next_at - loop.time())
            self._next_at = loop.time() + SPACING_SECONDS
            self._asking, later = {}, []
            for key, future in self._waiting:
                if key in self._asking or len(self._asking) >= MOST:
                    later.append((key, future))
                elif not future.done():
                    self._asking[key] = future
            self._waiting = later
            if self._asking:
                await self._answer(self._asking)
            self._asking = {}
        self._task = None

    async def _answer(self, asked: dict[K, "asyncio.Future[R]"]) -> None:
        self.statements += 1
        try:
            found = await self._ask(list(asked))
        except Exception as error:
            if not isinstance(error, Unavailable):
                log.exception("A gathered statement failed.")
                error = Unavailable(repr(error))
            for future in asked.values():
                if not future.done():
                    future.set_exception(error)
            return
        for key, future in asked.items():
            if not future.done():
                future.set_result(found[key])


class Backlog(Generic[K, R]):
    """Writes that nobody waits for: made together, again until the database took them, the newest of a key only."""

    def __init__(self, write: Callable[[dict[K, R]], Awaitable[object]]) -> None:
        self._write = write
        self._rows: dict[K, R] = {}
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def put(self, key: K, row: R) -> None:
        """Have it written soon. When very much waits already it is dropped: nothing but a wait depends on it."""
        if len(self._rows) >= MOST_WAITING:
            return
        self._rows[key] = row
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def __len__(self) -> int:
        return len(self._rows)

    async def _run(self) -> None:
        while self._rows:
            part = {key: self._rows[key] for key in list(self._rows)[:MOST]}
            try:
                await self._write(part)
            except Unavailable as error:
                if self._closing:
                    log.warning("%d sessions could not be written: %s", len(self._rows), error)
                    break
                await asyncio.sleep(RETRY_SECONDS)
                continue
            except Exception:
                log.exception("%d sessions could not be written.", len(part))
            for key, row in part.items():
                if self._rows.get(key) is row:
                    del self._rows[key]
        self._task = None

    async def close(self) -> None:
        """Write what is left, within two seconds."""
        self._closing = True
        if self._task is not None:
            await asyncio.wait([self._task], timeout=CLOSE_SECONDS)
            if self._task is not None:
                self._task.cancel()
