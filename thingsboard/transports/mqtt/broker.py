"""The one file that touches amqtt's internals (0.12.1, pinned). tests/transports/mqtt/test_amqtt_contract.py names them all.

amqtt keeps the sessions and delivers to devices. It gets its bytes from the front through its `external` listener, routes
nothing from device to device, retains nothing and opens no socket.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import Action
from amqtt.session import Session

from thingsboard.transports.mqtt.plugin import DeviceAuthPlugin
from thingsboard.transports.mqtt.topics import matches

log = logging.getLogger(__name__)

LISTENER = "front"
FILTERS = "thingsboard.filters"  # where a session's attributes hold its granted filters and their QoS
REFUSED = 0x80
# How long amqtt waits for the PUBACK of what it sent.
PUBACK_SECONDS = 5.0

# Never without "plugins": amqtt would then load its defaults, which let anybody in.
CONFIG: dict[str, Any] = {
    "listeners": {"default": {"type": "external"}, LISTENER: {"type": "external"}},
    "plugins": {
        "thingsboard.transports.mqtt.plugin.DeviceAuthPlugin": {},
        "thingsboard.transports.mqtt.plugin.DeviceTopicPlugin": {},
    },
}


class Transitions:
    """The three states of a session. amqtt's own state machine takes half of a connection's memory and set-up time."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = "new"

    def connect(self) -> None:
        """New or disconnected -> connected; ValueError otherwise, as amqtt expects."""
        if self.state == "connected":
            raise ValueError("The session is connected already.")
        self.state = "connected"

    def disconnect(self) -> None:
        """Any state -> disconnected."""
        self.state = "disconnected"

    def is_new(self) -> bool:
        """Whether it was never connected."""
        return self.state == "new"

    def is_connected(self) -> bool:
        """Whether it is connected."""
        return self.state == "connected"

    def is_disconnected(self) -> bool:
        """Whether it was connected once."""
        return self.state == "disconnected"


def _light_states(session: Session) -> None:
    session.transitions = Transitions()


class FrontBroker(Broker):
    """amqtt's broker without anything that goes from device to device."""

    def __init__(self) -> None:
        Session._init_states = _light_states
        # A warning for every odd packet of every device would be the devices' to write; we count instead.
        logging.getLogger("amqtt").setLevel(logging.ERROR)
        super().__init__({key: dict(value) for key, value in CONFIG.items()})

    @property
    def auth(self) -> DeviceAuthPlugin:
        """The plugin that knows the devices."""
        return next(plugin for plugin in self.plugins_manager.plugins if isinstance(plugin, DeviceAuthPlugin))

    async def run_session(self, reader: "Reader", writer: "Writer") -> None:
        """Serve one connection until it ends; its CONNECT is in the reader."""
        await self.external_connected(reader, writer, LISTENER)

    async def deliver(self, client_id: str, topic: str, payload: bytes, qos: int) -> bool:
        """Send to one session if it subscribed to the topic, with the granted QoS at most.

        QoS 1 waits for the device's PUBACK, at most 5 s. False when nothing was sent or nothing acknowledged.
        """
        session, handler = self.sessions.get(client_id, (None, None))
        granted = self._granted(session, topic)
        if granted is None or handler is None:
            return False
        try:
            await handler.mqtt_publish(topic, payload, min(qos, granted), retain=False)
        except (TimeoutError, asyncio.CancelledError):
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            return False  # amqtt cancels what it waits for when the session ends
        return True

    def granted(self, client_id: str, topic: str) -> int:
        """The QoS with which a session subscribed to the topic; 0 also when it did not."""
        return self._granted(self.sessions.get(client_id, (None, None))[0], topic) or 0

    @staticmethod
    def _granted(session: Session | None, topic: str) -> int | None:
        if session is None or not session.transitions.is_connected():
            return None
        filters = session.attributes.get(FILTERS, {})
        return max((level for pattern, level in filters.items() if matches(topic, pattern)), default=None)

    async def add_subscription(self, subscription: tuple[str, int], session: Session) -> int:
        """Keep a granted filter on its session: amqtt's own table is searched from end to end by every SUBSCRIBE."""
        pattern, qos = subscription
        try:
            if not await self._topic_filtering(session, pattern, Action.SUBSCRIBE):
                return REFUSED
        except Exception:  # amqtt would end its task and keep the session for ever
            log.exception("A filter could not be judged.")
            return REFUSED
        granted = min(qos, 1)
        session.attributes.setdefault(FILTERS, {})[pattern] = granted
        return granted

    def _del_subscription(self, a_filter: str, session: Session) -> int:
        """UNSUBSCRIBE."""
        return 0 if session.attributes.get(FILTERS, {}).pop(a_filter, None) is None else 1

    async def retain_message(self, *_: Any, **__: Any) -> None:
        """Nothing is retained."""

    async def _broadcast_message(self, *_: Any, **__: Any) -> None:
        """Nothing is routed."""


class Reader(ReaderAdapter):
    """What amqtt reads: packets that the front lets through, whole ones only."""

    __slots__ = ("_data", "_ended", "_waiter")

    def __init__(self, first: bytes) -> None:
        self._data = bytearray(first)
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None

    def feed(self, data: bytes) -> None:
        """Append."""
        self._data += data
        self._wake()

    def feed_eof(self) -> None:
        """Nothing comes any more."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def read(self, n: int = -1) -> bytes:
        """Exactly n bytes, or what there is when n is negative. Raises IncompleteReadError at the end."""
        while len(self._data) < n or not (self._data or n == 0):
            if self._ended:
                raise asyncio.IncompleteReadError(bytes(self._data), n)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        part = bytes(self._data if n < 0 else self._data[:n])
        del self._data[: len(part)]
        return part


class Writer(WriterAdapter):
    """What amqtt writes, handed to the front. It never waits: a device that does not read is cut by the front."""

    __slots__ = ("_close", "_peer", "_send")

    def __init__(self, send: Callable[[bytes], None], close: Callable[[], None], peer: tuple[str, int]) -> None:
        self._send, self._close, self._peer = send, close, peer

    def write(self, data: bytes) -> None:
        """One whole packet."""
        self._send(data)

    async def drain(self) -> None:
        """The front bounds its write buffer."""

    def get_peer_info(self) -> tuple[str, int]:
        """Address and port."""
        return self._peer

    def get_ssl_info(self) -> None:
        """TLS ends in front of amqtt."""

    async def close(self) -> None:
        """The session ended."""
        self._close()
