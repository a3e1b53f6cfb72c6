"""Tells live subscriptions what was committed: values, and keys that are to be read anew (docs/decisions/0023).

Never before the COMMIT, never in its way: a process that serves devices or browsers hands the news to one thread, which
sends a message per batch and watcher. What cannot be sent is dropped and made up for: the watchers are told to read
everything anew. A process that has not started that thread (a command, a worker) sends by itself.
"""

import logging
import threading
import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import transaction

from telemetry.interest import GROUP, Interest
from telemetry.points import Scope, Value
from telemetry.store.batch import Write
from thingsboard.kernel.layer import broadcast

log = logging.getLogger(__name__)

SERIES = 0  # beside the numbers of Scope: what happened to time series
MOST_WAITING = 100_000  # values between a commit and its message
MOST_IN_MESSAGE = 2_000  # values
LONGEST_TOLD = 4096  # characters of a value; longer ones are read by who wants them
RETRY_SECONDS = 2.0


class News(NamedTuple):
    """What happened to one entity. `values` by key, None where the key is to be read anew; ts in ms."""

    entity: bytes
    scope: int
    ts: int
    values: Mapping[str, Value | None]


class Fanout:
    """One of each process."""

    def __init__(self) -> None:
        self.interest = Interest()
        self._started = False
        self._waiting: deque[tuple[str, News]] = deque()
        self._values = 0
        self._lost = False
        self.dropped = 0  # values that were not told; everybody read anew instead
        self._lock = threading.Lock()
        self._wake = threading.Event()

    @property
    def waiting(self) -> int:
        """Values that are committed and not told yet."""
        return self._values

    def start(self) -> None:
        """Send from a thread from now on. Whoever starts it also has `interest.listen()` running."""
        with self._lock:
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name="live-fanout", daemon=True).start()

    def committed(self, writes: Sequence[Write], refused: Mapping[int, Any]) -> None:
        """A batch of writes was committed, except those that were refused, by index."""
        for group, ids in self.interest.nodes():
            told = [write for index, write in enumerate(writes) if index not in refused] if refused else writes
            news = [
                News(entity, SERIES, ts, values)
                for write in told
                for entity, ts, values in write.series
                if ids is None or entity in ids
            ]
            news += [
                News(entity, scope, ts, values)
                for write in told
                for entity, scope, ts, values in write.attributes
                if ids is None or entity in ids
            ]
            if news:
                self._tell(group, news)

    def tell(self, news: Sequence[News]) -> None:
        """Something was committed."""
        for group, ids in self.interest.nodes():
            wanted = [each for each in news if ids is None or each.entity in ids]
            if wanted:
                self._tell(group, wanted)

    def _tell(self, group: str, news: Sequence[News]) -> None:
        if not self._started:
            for part in _parts(news):
                broadcast(group, _message(part))
            return
        with self._lock:
            self._values += sum([len(each.values) for each in news])
            if self._values > MOST_WAITING:
                self.dropped += self._values
                self._waiting.clear()
                self._values, self._lost = 0, True
            else:
                self._waiting.extend((group, each) for each in news)
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait(RETRY_SECONDS if self._lost else None)
            self._wake.clear()
            try:
                self._send()
            except Exception:
                log.exception("News of telemetry could not be sent.")
                self._lost = True

    def _send(self) -> None:
        with self._lock:
            waiting, self._waiting, self._values = self._waiting, deque(), 0
        if self._lost:  # whatever waits is part of what they read anew
            self.dropped += sum([len(news.values) for _, news in waiting])
            self._lost = not broadcast(GROUP, {"lost": True})
            return
        groups: dict[str, list[News]] = {}
        for group, news in waiting:
            groups.setdefault(group, []).append(news)
        for group, found in groups.items():
            for part in _parts(found):
                if not broadcast(group, _message(part)):
                    self._lost = True
                    return


fanout = Fanout()


def saved(entity_id: uuid.UUID, scope: int, readings: Iterable[tuple[int, Mapping[str, Value]]]) -> None:
    """Values are being written in this transaction, to series (SERIES) or to the attributes of a scope."""
    news = [News(entity_id.bytes, int(scope), ts, values) for ts, values in readings]
    transaction.on_commit(lambda: fanout.tell(news), robust=True)


def changed(entity_id: uuid.UUID, scope: int | Scope, keys: Iterable[str]) -> None:
    """These keys are being deleted in this transaction, or changed so that they are best read anew."""
    news = [News(entity_id.bytes, int(scope), 0, dict.fromkeys(keys))]
    transaction.on_commit(lambda: fanout.tell(news), robust=True)


def _parts(news: Iterable[News]) -> Iterable[list[News]]:
    """Cut into messages of a bounded size."""
    part: list[News] = []
    size = 0
    for each in news:
        part.append(each)
        size += len(each.values)
        if size >= MOST_IN_MESSAGE:
            yield part
            part, size = [], 0
    if part:
        yield part


def _message(news: Iterable[News]) -> dict[str, Any]:
    return {"news": [[each.entity, each.scope, each.ts, _short(each.values)] for each in news]}


def _short(values: Mapping[str, Value | None]) -> Mapping[str, Value | None]:
    """Without texts that are too long to be told to everybody."""
    long = {key: None for key, value in values.items() if isinstance(value, str) and len(value) > LONGEST_TOLD}
    return {**values, **long} if long else values
