"""Publishing to MQTT brokers, by paho: QoS 1, and only an acknowledgement that says yes counts."""

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final, NamedTuple, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from thingsboard.kernel.outgoing import tls
from thingsboard.kernel.outgoing.errors import Lost, NotSent
from thingsboard.kernel.outgoing.guard import Guard, Unreachable

KEEP_ALIVE_S: Final = 60
WAITING: Final = 1000  # messages of one connection that are not acknowledged yet
_CONNECTORS: Final = 32  # threads in which connections are opened and closed

# Why a broker may say no to somebody whom it may let in a little later (MQTT 5, 2.4; 3.1.1's 3 is 0x88 in paho).
_NOT_NOW: Final = frozenset({0x88, 0x89, 0x97, 0x9F})


class Session(NamedTuple):
    """Who we are to a broker. `version` is that of the protocol's CONNECT: 3 (3.1), 4 (3.1.1) or 5."""

    host: str
    port: int
    version: int
    client_id: str
    clean: bool = True
    user: str | None = None
    password: str | None = None


class Link:
    """A connection to a broker, served by a thread of its own. It is not mended: who meets `Lost` opens another one."""

    def __init__(self, session: Session, context: ssl.SSLContext | None) -> None:
        clean = None if session.version == paho.MQTTv5 else session.clean
        self._loop = asyncio.get_running_loop()
        self._session = session
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._gone = ""
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=session.client_id,
            clean_session=clean,
            protocol=MQTTProtocolVersion(session.version),
            reconnect_on_failure=False,
        )
        self._client.max_queued_messages_set(WAITING)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        self._client.on_disconnect = self._on_disconnect
        if session.user is not None:
            self._client.username_pw_set(session.user, session.password)
        if context is not None:
            self._client.tls_set_context(tls.for_name(context, session.host))

    @classmethod
    async def open(cls, guard: Guard, session: Session, context: ssl.SSLContext | None, within_s: float) -> Self:
        """Connected and let in, within that many seconds. Raises Refused, NotSent, and ValueError where the broker says no."""
        place = f"{session.host}:{session.port}"
        why: BaseException | None = None
        try:
            async with asyncio.timeout(within_s):
                for address in await guard.resolve(session.host, session.port):
                    link = cls(session, context)
                    try:
                        await link._connect(address.ip, within_s)
                        return link
                    except OSError as error:
                        await link.close()
                        why = error
                    except BaseException:
                        await link.close()
                        raise
        except Unreachable as error:
            raise NotSent(str(error)) from error
        except TimeoutError as error:
            raise NotSent(f"The MQTT broker {place} did not answer within {within_s:g} s.") from error
        if tls.is_why(why):
            raise ValueError(f"There is no safe connection to {place}: {why}") from why
        raise NotSent(f"The MQTT broker {place} cannot be reached: {why}.") from why

    async def publish(self, topic: str, payload: bytes, retain: bool, within_s: float) -> None:
        """The broker has taken it. Raises ValueError where it will not, NotSent where too much waits, Lost if it is unknown."""
        if self._gone:
            raise Lost(self._gone)
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            raise NotSent(f"{WAITING} messages wait for the MQTT broker's acknowledgement already.")
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise Lost(f"The MQTT broker is gone: {paho.error_string(info.rc)}")
        # The thread tells the loop, which comes to it only when this has been noted.
        waiting = self._waiting[info.mid] = self._loop.create_future()
        try:
            async with asyncio.timeout(within_s):
                await waiting
        except TimeoutError:
            raise Lost(f"The MQTT broker did not acknowledge within {within_s:g} s.") from None
        finally:
            self._waiting.pop(info.mid, None)

    async def close(self) -> None:
        """Says good-bye and ends the thread."""
        self._lost("The connection was closed.")
        await self._loop.run_in_executor(_threads(), self._end)

    async def _connect(self, ip: str, within_s: float) -> None:
        self._client.connect_timeout = within_s
        clean = self._session.clean if self._session.version == paho.MQTTv5 else paho.MQTT_CLEAN_START_FIRST_ONLY
        # What is not waited for any more ends by its own time-out.
        await self._loop.run_in_executor(
            _threads(), lambda: self._client.connect(ip, self._session.port, KEEP_ALIVE_S, clean_start=clean)
        )
        self._client.loop_start()
        await self._connected

    def _end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    # Called by paho's thread.

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        self._tell(self._answered, reason)

    def _on_publish(self, client: Any, data: Any, mid: int, reason: ReasonCode, properties: Any) -> None:
        self._tell(self._acknowledged, mid, reason)

    def _on_disconnect(self, client: Any, data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        self._tell(self._lost, f"The MQTT broker closed the connection: {reason}.")

    def _tell(self, what: Any, *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    # Called by the loop.

    def _answered(self, reason: ReasonCode) -> None:
        if self._connected.done():
            return
        if not reason.is_failure:
            self._connected.set_result(None)
            return
        said = f"The MQTT broker refuses the connection: {reason}."
        self._connected.set_exception(NotSent(said) if reason.value in _NOT_NOW else ValueError(said))

    def _acknowledged(self, mid: int, reason: ReasonCode) -> None:
        waiting = self._waiting.get(mid)
        if waiting is None or waiting.done():
            return
        if reason.is_failure:
            waiting.set_exception(ValueError(f"The MQTT broker refuses the message: {reason}."))
        else:
            waiting.set_result(None)

    def _lost(self, why: str) -> None:
        self._gone = self._gone or why
        if not self._connected.done():
            self._connected.set_exception(ConnectionError(why))
            self._connected.exception()  # nobody may be waiting
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Lost(why))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_CONNECTORS, "mqtt-connector")
