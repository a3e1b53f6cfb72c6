"""Publishing to AMQP 0-9-1 brokers, by aiormq (the core of aio-pika): what was not confirmed was not published."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self

import aiormq
import yarl
from aiormq import exceptions, spec
from aiormq.abc import AbstractChannel
from aiormq.connection import TransportFactory

from thingsboard.kernel.outgoing.errors import Lost, NotSent
from thingsboard.kernel.outgoing.guard import Guard

HEARTBEAT_S: Final = 30
KNOWN: Final = 1000  # exchanges that are remembered to exist
# What trying again does not change.
_REFUSALS: Final = (
    exceptions.AuthenticationError,
    exceptions.ProbableAuthenticationError,
    exceptions.ConnectionNotAllowed,
    exceptions.IncompatibleProtocolError,
    exceptions.InvalidFrameError,
)


class Server(NamedTuple):
    """Where a broker is and who we are to it; times in s."""

    host: str
    port: int
    virtual_host: str
    user: str
    password: str
    connect_s: float
    handshake_s: float
    properties: tuple[tuple[str, str], ...] = ()


class Link:
    """A connection to a broker with one channel for all. It is not mended: who meets `Lost` opens another one."""

    def __init__(self, connection: aiormq.Connection) -> None:
        self._connection = connection
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()
        self._known: set[str] = set()

    @classmethod
    async def open(cls, guard: Guard, server: Server) -> Self:
        """Connected and let in. Raises Refused, NotSent, and ValueError where the broker says no."""
        url = yarl.URL.build(
            scheme="amqp",
            user=server.user,
            password=server.password,
            host=server.host,
            port=server.port,
            path="/" if server.virtual_host == "/" else f"/{server.virtual_host}",
            query={"heartbeat": str(HEARTBEAT_S)},
        )
        properties: Mapping[str, Any] = dict(server.properties)
        factory = _Guarded(guard, server.connect_s)
        connection = aiormq.Connection(url, transport_factory=factory, client_properties=dict(properties))
        place = f"The AMQP broker {server.host}:{server.port}"
        try:
            async with asyncio.timeout(server.connect_s + server.handshake_s):
                await connection.connect()
        except _REFUSALS as error:
            raise ValueError(f"{place} refuses the connection: {_said(error)}") from error
        except TimeoutError as error:
            raise NotSent(f"{place} did not answer within {server.connect_s + server.handshake_s:g} s.") from error
        except (OSError, exceptions.AMQPError) as error:
            raise NotSent(f"{place} cannot be reached: {_said(error)}") from error
        return cls(connection)

    async def publish(
        self, exchange: str, routing_key: str, body: bytes, properties: spec.Basic.Properties, within_s: float
    ) -> None:
        """The broker has taken it; of the default exchange ("") that means: into the queue of that name. Raises ValueError
        where it will not, NotSent (not now), Lost where only it knows.
        """
        try:
            async with asyncio.timeout(within_s):
                if exchange and exchange not in self._known:
                    await self._find(exchange)
                channel = await self._open_channel()
                await channel.basic_publish(
                    body, exchange=exchange, routing_key=routing_key, properties=properties, mandatory=not exchange
                )
        except exceptions.PublishError as error:
            raise ValueError(f"There is no queue {routing_key!r}.") from error
        except exceptions.DeliveryError as error:
            raise NotSent("The AMQP broker takes no message there at present.") from error
        except exceptions.ChannelNotFoundEntity as error:
            self._known.discard(exchange)
            if f"'{exchange}'" in str(error):
                raise ValueError(f"There is no exchange {exchange!r}.") from error
            raise NotSent(f"Another message closed the channel: {_said(error)}") from error
        except exceptions.AMQPChannelError as error:
            if f"'{exchange}'" in str(error):
                raise ValueError(f"The AMQP broker refuses the message: {_said(error)}") from error
            raise NotSent(f"The channel was closed: {_said(error)}") from error
        except TimeoutError as error:
            raise Lost(f"The AMQP broker did not confirm within {within_s:g} s.") from error
        except (OSError, RuntimeError, exceptions.AMQPError) as error:
            raise Lost(f"The connection to the AMQP broker is gone: {_said(error)}") from error

    async def close(self) -> None:
        """Says good-bye."""
        try:
            async with asyncio.timeout(5):
                await self._connection.close()
        except (OSError, TimeoutError, RuntimeError, exceptions.AMQPError):
            return

    async def _find(self, exchange: str) -> None:
        """On a channel of its own: asking for what is not there closes it."""
        channel = await self._connection.channel(publisher_confirms=False)
        await channel.exchange_declare(exchange, passive=True)
        await channel.close()
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known.add(exchange)

    async def _open_channel(self) -> AbstractChannel:
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                self._channel = await self._connection.channel(publisher_confirms=True)
            return self._channel


class _Guarded(TransportFactory):
    def __init__(self, guard: Guard, within_s: float) -> None:
        self._guard, self._within_s = guard, within_s

    async def create(self, url: yarl.URL, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        connection = await self._guard.connect(url.host or "", url.port or 0, self._within_s)
        return await asyncio.open_connection(sock=connection)


def _said(error: BaseException) -> str:
    text = " ".join(str(each) for each in error.args if each not in (None, "")) or type(error).__name__
    return f"{text.rstrip('.')}."
