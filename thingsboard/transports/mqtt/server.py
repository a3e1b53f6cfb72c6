"""The MQTT server of one process: who may come in, what is committed, who has been silent too long."""

import asyncio
import itertools
import logging
import uuid
from collections.abc import Callable
from contextvars import copy_context

from devices.services.credentials import DeviceIdentity
from thingsboard.transports.activity import ActivityReporter
from thingsboard.transports.mqtt import diagnosis, packets
from thingsboard.transports.mqtt.blocks import Blocks
from thingsboard.transports.mqtt.broker import PUBACK_SECONDS, FrontBroker, Reader, Writer
from thingsboard.transports.mqtt.flow import CONNECTING, READY, STOPPING
from thingsboard.transports.mqtt.front import Connection
from thingsboard.transports.mqtt.limits import Counters, Limits
from thingsboard.transports.mqtt.listeners import Listener, plain
from thingsboard.transports.mqtt.peer import certificate_of, network_of
from thingsboard.transports.mqtt.plugin import admitted
from thingsboard.transports.mqtt.port import IngestPort, Settle
from thingsboard.transports.mqtt.presence import Presence
from thingsboard.transports.mqtt.recognition import Refused
from thingsboard.transports.mqtt.settlement import Settlement
from thingsboard.transports.mqtt.takeover import Sessions
from thingsboard.transports.mqtt.withholding import Withholding
from thingsboard.transports.refusals import RefusalLog
from thingsboard.transports.registry import Claim, Superseded, Unavailable
from thingsboard.transports.session import DeviceSession

log = logging.getLogger(__name__)

SWEEP_SECONDS = 0.5
BACKLOG = 4096
# At the end: for the commit of what is queued, then for the goodbyes.
COMMIT_SECONDS = 7.0
CLOSE_SECONDS = 1.0


class MqttServer(Settlement):
    """Create it on the running loop, `start` it, `stop` it."""

    def __init__(
        self,
        make_ingest: Callable[[Settle, Callable[[], None]], IngestPort],
        limits: Limits,
        activity: ActivityReporter | None = None,
    ) -> None:
        """Without `activity` nobody is told which devices are active."""
        super().__init__()
        self.limits = limits
        self.presence = Presence(self, activity)
        self.counters = Counters()
        self.refusals = RefusalLog("MQTT")
        self.connects = {"3": 0, "5": 0}  # devices let in, by version
        self.loop = asyncio.get_running_loop()
        self.clock = self.loop.time()
        self.connections: set[Connection] = set()
        self.withholding = Withholding(self.connections)
        self.port = 0  # of plain MQTT
        self.ports: dict[str, int] = {}  # by the listeners' names
        self.ingest = make_ingest(self.settle, self.room)
        self.sessions = Sessions(self.ingest, self.deliver)
        self.devices = self.sessions.devices
        self.registry = self.sessions.registry
        self.drained = self.sessions.drained
        self.broker = FrontBroker()
        self.blocks = Blocks.from_settings(self.loop.time)
        self._entering: dict[Connection, uuid.UUID] = {}  # those that wait for their claim
        self._running = False
        self._sequence = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: list[asyncio.Server] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._sweep_seconds = min(SWEEP_SECONDS, limits.connect_timeout / 2, limits.idle_timeout / 2)

    async def start(self, host: str, port: int, *, reuse_port: bool = False) -> None:
        """Listen for plain MQTT alone. Raises OSError when the address cannot be had; and as `open`."""
        await self.open()
        await self.listen(plain(port), host, reuse_port=reuse_port)

    async def open(self) -> None:
        """Be ready for connections; `listen` lets them in. Raises Unavailable when the database cannot be asked."""
        await self.broker.start()
        self._running = True
        await self.registry.start()
        await self.withholding.watch.start()
        self.presence.start()
        self._sweep()

    async def listen(self, listener: Listener, host: str, *, reuse_port: bool = False) -> None:
        """Let connections in at one more port. Raises OSError when the address cannot be had."""
        server = await self.loop.create_server(
            lambda: listener.wrap(Connection(self)),
            host,
            listener.port.number,
            backlog=BACKLOG,
            reuse_port=reuse_port or None,
        )
        self._listeners.append(server)
        self.ports[listener.port.name] = server.sockets[0].getsockname()[1]
        self.port = self.ports.get("mqtt", 0)

    async def stop(self) -> bool:
        """Stop accepting and reading, commit what is queued, acknowledge, close. False when not all was committed."""
        for listener in self._listeners:
            listener.close()
        for connection in self.connections:
            connection.hold(STOPPING)
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                committed = await self.ingest.close()
        except TimeoutError:
            committed = False
        for connection in list(self.connections):
            connection.close("shutdown")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
        for connection in list(self.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # they leave
        for task in self._tasks:
            task.cancel()
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._running:
            self._running = False
            await self.registry.close(committed=committed)
            await self.broker.shutdown()
        await self.withholding.watch.close()
        await self.refusals.close()
        await self.presence.close()
        return committed

    # Connections come and go.

    def arrived(self, connection: Connection) -> bool:
        """Whether there is a place for it."""
        if len(self.connections) >= self.limits.max_connections:
            return False
        self.connections.add(connection)
        return True

    def left(self, connection: Connection) -> None:
        """Its place is free again."""
        self.connections.discard(connection)
        self.forget(connection)
        if connection.client_id:
            self.ingest.close_session(connection.session)
            # Who was taken over, here or by another process, did not disconnect.
            present = connection.epoch and self.devices.get(connection.session.device_id) is connection
            self.presence.left(connection, replaced=not present)
            self.sessions.left(connection)

    def admit(self, connection: Connection, connect: packets.Connect) -> None:
        """A CONNECT arrived: find out who it is, then hand the connection to amqtt, in a task of its own."""
        task = self.loop.create_task(self._serve(connection, connect), context=copy_context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: Connection, connect: packets.Connect) -> None:
        address = network_of(connection.address[0])
        try:
            self.blocks.check(address)
            identity = await self.broker.auth.identify(
                connect.client_id, connect.user, connect.password, certificate_of(connection.transport)
            )
            if connection.state != CONNECTING:
                return
            claim = await self._claim(connection, identity)
        except Refused as refused:
            self.blocks.failed(address, refused)
            if refused.identity is not None:
                connection.identity = refused.identity
            connection.refuse(refused.code, refused.reason)
            return
        except Exception:
            log.exception("A CONNECT could not be answered.")
            connection.refuse(packets.UNAVAILABLE, "internal")
            return
        self.blocks.passed(address)
        if connection.state != CONNECTING:
            self.registry.release(claim.device_id, claim.epoch, claim.floor)
            return
        try:
            self._enter(connection, identity, claim, connect.keep_alive)
            admitted.set(identity)
            connection.reader = Reader(packets.inner_connect(connection.client_id, str(identity.device_id)))
            writer = Writer(connection.from_broker, connection.close, connection.address)
            await self.broker.run_session(connection.reader, writer)
        except Exception:
            log.exception("The session of device %s ended with an error.", identity.device_id)
        finally:
            connection.close()

    async def _claim(self, connection: Connection, identity: DeviceIdentity) -> Claim:
        """The right to be the device's session, once its sessions on other nodes have ended. Raises Refused."""
        self._entering[connection] = identity.device_id
        try:
            return await self.registry.claim(identity.device_id)
        except Unavailable:
            raise Refused(packets.UNAVAILABLE, "database") from None
        except Superseded:
            raise Refused(packets.UNAVAILABLE, "takeover") from None
        finally:
            del self._entering[connection]

    def _enter(self, connection: Connection, identity: DeviceIdentity, claim: Claim, keep_alive: int) -> None:
        """Make it the device's session. The newest wins; the older one of this process feeds the same shard and clock."""
        session = DeviceSession(identity.tenant_id, identity.device_id, identity.profile_id)
        self.ingest.open(session)
        session.clock.last = max(session.clock.last, claim.floor)
        # The clock that silence is measured with is as coarse as the sweep.
        patience = (keep_alive * 1.5 if keep_alive else self.limits.idle_timeout) + self._sweep_seconds
        connection.enter(identity, session, self.ingest.shard(session), patience)
        connection.client_id = f"{identity.device_id}:{next(self._sequence)}"
        self.connects["3" if connection.five is None else "5"] += 1
        self.sessions.begin(connection, claim)
        self.withholding.entered(connection)
        self.presence.entered(identity.device_id)

    def credentials_changed(self, device_id: uuid.UUID, lookup: bytes) -> None:
        """A device's token is no longer valid: forget it and close the device's session."""
        self.broker.auth.tokens.forget(lookup)
        for connection, claimed in [*self._entering.items(), (self.devices.get(device_id), device_id)]:
            if connection is not None and claimed == device_id:
                connection.close("credentials")

    async def deliver(self, device_id: uuid.UUID, topic: str, payload: bytes, qos: int) -> bool:
        """Send to this device's session if it subscribed to the topic; see FrontBroker.deliver.

        A client of MQTT 5 gets no more at a time than it takes (Receive Maximum), and nothing that is too large for it.
        """
        connection = self.devices.get(device_id)
        if connection is None or connection.state != READY or not connection.fits(topic, payload):
            return False
        name, five = connection.client_id, connection.five
        if five is not None and min(qos, self.broker.granted(name, topic)):
            if not await five.window.enter(PUBACK_SECONDS):
                return False
            if not self.broker.granted(name, topic):  # taken back meanwhile; else the PUBACK gives the place back
                five.window.leave()
        return await self.broker.deliver(name, topic, payload, qos)

    def refused(self, connection: Connection, reason: str, message: str = "") -> None:
        """Count a refusal, and note it for whoever asks why a device does not connect."""
        self.counters.count(reason)
        diagnosis.note(self.refusals, connection, reason, message)

    # Time.

    def _sweep(self) -> None:
        """Cut who has been silent too long, before or after its CONNECT, and who does not take its last bytes."""
        self.clock = now = self.loop.time()
        for connection in [each for each in self.connections if each.silent_too_long(now)]:
            if connection.state == READY:
                connection.close("silence")
            else:
                connection.abort("connect_timeout")
        self._sweeper = self.loop.call_later(self._sweep_seconds, self._sweep)
