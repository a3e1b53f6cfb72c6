"""Producing to Kafka, by librdkafka.

librdkafka opens its connections itself and lets nobody in Python have a say in it. So the addresses of the bootstrap servers
are checked and, without TLS, given to it as they were checked; and those that the cluster then names are checked before the
first message and every `CHECK_S` from then on. Between two looks a cluster may name others: docs/guides/integrations.md.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final, NamedTuple, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from thingsboard.kernel.outgoing.errors import Lost, NotSent
from thingsboard.kernel.outgoing.guard import Guard, Unreachable

CHECK_S: Final = 30.0
METADATA_S: Final = 10.0
POLL_S: Final = 0.2
_BLOCKING: Final = 32  # threads in which clusters are asked, and producers closed
_REFUSALS: Final = frozenset({KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError.CLUSTER_AUTHORIZATION_FAILED})

logger = logging.getLogger(__name__)


class Record(NamedTuple):
    """What is produced."""

    topic: str
    value: bytes
    key: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Place(NamedTuple):
    """Where it was stored. `offset` is -1 where the cluster was not to say (acks 0)."""

    topic: str
    partition: int
    offset: int


class Link:
    """A producer, with a thread that hears what became of records."""

    def __init__(self, guard: Guard, settings: Mapping[str, Any]) -> None:
        """`settings` are librdkafka's. Raises ValueError for those that it does not take."""
        self._guard = guard
        self._loop = asyncio.get_running_loop()
        self._checked = 0.0  # monotonic
        self._checking = asyncio.Lock()
        self._refusal = ""
        self._ending = threading.Event()
        try:
            self._producer = Producer({**settings, "error_cb": self._on_error}, logger=logger)
        except (KafkaException, TypeError, ValueError) as error:
            raise ValueError(f"The Kafka producer cannot be made: {_said(error)}") from error
        self._thread = threading.Thread(target=self._listen, name="kafka-delivery", daemon=True)
        self._thread.start()

    @classmethod
    async def open(cls, guard: Guard, servers: Sequence[tuple[str, int]], settings: Mapping[str, Any]) -> Self:
        """A producer of the cluster to which these servers belong. Raises Refused, NotSent (none is known), ValueError."""
        # TLS needs the name where the certificate must be for it; then, who is not of that name gets nothing.
        named = "SSL" in str(settings.get("security.protocol", ""))
        named = named and settings.get("ssl.endpoint.identification.algorithm") != "none"
        known: list[str] = []
        why: Unreachable | None = None
        for host, port in servers:
            try:
                addresses = await guard.resolve(host, port)
            except Unreachable as error:
                why = error
                continue
            known += [_place(host, port)] if named else [_place(*address) for address in addresses]
        if not known:
            raise NotSent(str(why or "There are no bootstrap servers.")) from why
        return cls(guard, {**settings, "bootstrap.servers": ",".join(known)})

    async def produce(self, record: Record, within_s: float) -> Place:
        """Where the cluster has stored it. Raises Refused (it names a place that is not permitted), ValueError where it will
        not take it, NotSent (not now), Lost where only it knows.
        """
        await self._check(record.topic)
        stored: asyncio.Future[Place] = self._loop.create_future()

        def heard(error: KafkaError | None, message: Message) -> None:
            self._tell(_settle, stored, error, message)

        try:
            self._producer.produce(
                record.topic, record.value, record.key, headers=list(record.headers), on_delivery=heard
            )
        except BufferError:
            raise NotSent("Too much waits for the Kafka cluster already.") from None
        except KafkaException as error:
            raise ValueError(f"Kafka cannot take the record: {_said(error)}") from error
        try:
            async with asyncio.timeout(within_s):
                return await stored
        except TimeoutError:
            raise Lost(f"The Kafka cluster did not answer within {within_s:g} s.") from None

    async def close(self) -> None:
        """What was not acknowledged is given up."""
        self._ending.set()
        await self._loop.run_in_executor(_threads(), self._end)

    async def _check(self, topic: str) -> None:
        async with self._checking:
            if self._ending.is_set():  # by somebody who met `Lost` while we waited
                raise Lost("The producer was closed.")
            if time.monotonic() < self._checked + CHECK_S:
                return
            producer = self._producer
            try:
                # Asking for one topic, since there may be thousands; the servers are named in any case.
                found = await self._loop.run_in_executor(
                    _threads(), lambda: producer.list_topics(topic, timeout=METADATA_S)
                )
            except KafkaException as error:
                if self._refusal:
                    raise ValueError(f"The Kafka cluster refuses the connection: {self._refusal}") from error
                raise Lost(f"The Kafka cluster cannot be reached: {_said(error)}") from error
            for broker in found.brokers.values():
                try:
                    await self._guard.resolve(broker.host, broker.port)
                except Unreachable:
                    continue  # nor will it be found by the producer
            if self._ending.is_set():
                raise Lost("The producer was closed.")
            self._checked = time.monotonic()

    def _end(self) -> None:
        self._thread.join()
        self._producer.purge()
        self._producer.poll(0)
        del self._producer  # waits for librdkafka's own threads, so not in the loop

    # Called by the thread.

    def _listen(self) -> None:
        producer = self._producer
        while not self._ending.is_set():
            producer.poll(POLL_S)

    def _on_error(self, error: KafkaError) -> None:
        if error.code() in _REFUSALS:
            self._refusal = _said(error)

    def _tell(self, what: Any, *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more


def _settle(stored: asyncio.Future[Place], error: KafkaError | None, message: Message) -> None:
    if stored.done():
        return
    if error is None:
        offset = message.offset()
        stored.set_result(Place(message.topic() or "", message.partition() or 0, -1 if offset is None else offset))
    elif error.retriable() or error.code() in (KafkaError._MSG_TIMED_OUT, KafkaError._TRANSPORT):
        stored.set_exception(Lost(f"The Kafka cluster did not acknowledge: {_said(error)}"))
    else:
        stored.set_exception(ValueError(f"The Kafka cluster refuses the record: {_said(error)}"))


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _said(error: Any) -> str:
    if isinstance(error, KafkaException) and error.args:
        error = error.args[0]
    text = error.str() if isinstance(error, KafkaError) else str(error)
    return f"{text.rstrip('.')}."


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_BLOCKING, "kafka")
