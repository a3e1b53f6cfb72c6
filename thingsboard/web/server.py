"""The web process: Daphne's server over our channels. Daphne still serves the requests; what is ours is the door."""

import asyncio
import logging
import resource
import time
from collections.abc import Callable
from typing import Any

from daphne.http_protocol import HTTPFactory
from daphne.server import Server  # installs the reactor, so it comes before it
from twisted.internet import reactor
from twisted.internet.protocol import Protocol
from twisted.logger import globalLogBeginner
from twisted.protocols.policies import WrappingFactory

from thingsboard.web.channel import Bodies, Channel, Request
from thingsboard.web.limits import Limits
from thingsboard.web.websocket import EXTENSIONS, Sockets

log = logging.getLogger(__name__)

SWEEP_SECONDS = 0.5
BACKLOG = 4096
# Files that are open besides the connections.
SPARE_FILES = 100

Application = Callable[..., Any]


class Channels(HTTPFactory):
    """Makes the channels, and cuts those that owe the rest of a request for too long."""

    def __init__(self, server: "WebServer") -> None:
        super().__init__(server)
        self.limits = server.limits
        self.timeOut = server.limits.idle_timeout
        self.bodies = Bodies(server.limits.max_bodies)

    def protocol(self) -> Channel:
        """HTTP/1.1 alone: over clear text no client asks for another one."""
        return Channel(self.limits, self.bodies)

    def buildProtocol(self, address: Any) -> Protocol:
        """As Daphne, with our requests."""
        channel = super().buildProtocol(address)
        channel.requestFactory = Request
        return channel


class Places(WrappingFactory):
    """Every connection has a place until it is closed, also one that has become a WebSocket; there are only so many."""

    noisy = False

    def __init__(self, channels: Channels, limits: Limits) -> None:
        super().__init__(channels)
        self._most = limits.max_connections
        self._sweep_seconds = min(SWEEP_SECONDS, limits.read_timeout / 2)
        self.turned_away = 0

    def buildProtocol(self, address: Any) -> Any:
        """None when there is no place: the listener then closes the connection."""
        if len(self.protocols) >= self._most:
            self.turned_away += 1
            return None
        return super().buildProtocol(address)

    def sweep(self) -> None:
        """Cut the slow, now and from now on."""
        now = time.monotonic()
        for place in list(self.protocols):
            channel = place.wrappedProtocol
            if isinstance(channel, Channel) and channel.overdue(now):
                channel.cut()
        if self.turned_away:
            log.warning("Turned away %d connections: all %d places are taken.", self.turned_away, self._most)
            self.turned_away = 0
        reactor.callLater(self._sweep_seconds, self.sweep)


class WebServer(Server):
    """Create it, `run` it until SIGTERM or SIGINT. `failure` says afterwards why it could not listen, if so."""

    def __init__(self, application: Application, *, host: str, port: int, limits: Limits) -> None:
        self.limits, self.host, self.port = limits, host, port
        self.failure = ""
        # A WebSocket may stay as long as it is alive; whether it is, websocket.py finds out.
        super().__init__(application, endpoints=[f"{host}:{port}"], verbosity=0, websocket_timeout=-1)

    def run(self) -> None:
        """As Daphne's, which would make channels of its own kind."""
        self.connections: dict[Any, dict[str, Any]] = {}
        self.http_factory = Channels(self)
        self.ws_factory = Sockets(self, self.limits)
        # Twisted's log says more about its connections than anybody wants to know; Daphne and we have loggers of our own.
        globalLogBeginner.beginLoggingTo([lambda _: None], redirectStandardIO=False, discardBuffer=True)
        places = Places(self.http_factory, self.limits)
        try:
            reactor.listenTCP(self.port, places, backlog=BACKLOG, interface=self.host)
        except OSError as error:
            self.failure = error.strerror or str(error)
            return
        except Exception as error:  # Twisted has an exception of its own for it
            self.failure = str(getattr(error, "socketError", None) or error)
            return
        asyncio.set_event_loop(reactor._asyncioEventloop)
        reactor.callLater(1, self.application_checker)
        self.timeout_checker()
        reactor.addSystemEventTrigger("before", "shutdown", self.kill_all_applications)
        places.sweep()
        log.info("The web is ready on %s:%d.", self.host, self.port)
        reactor.run(installSignalHandlers=self.signal_handlers)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """As Daphne's; a WebSocket's application is told what it may ask for besides."""
        if scope["type"] == "websocket":
            scope["extensions"] = EXTENSIONS
        return super().create_application(protocol, scope)

    def timeout_checker(self) -> None:
        """As Daphne's, as often as the settings want it."""
        for protocol in list(self.connections):
            protocol.check_timeouts()
        reactor.callLater(self.limits.check_seconds, self.timeout_checker)

    def kill_all_applications(self) -> Any:
        """As Daphne's, which stumbles over a request that has not arrived whole, and then waits for nobody."""
        never = asyncio.get_event_loop().create_future()
        never.cancel()
        for details in self.connections.values():
            details.setdefault("application_instance", never)
        return super().kill_all_applications()


def affordable(connections: int) -> int:
    """Raise the limit of open files as far as so many connections need; fewer connections where the system allows fewer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    possible = max(1, soft - SPARE_FILES)
    log.warning("Only %d connections are possible: the system allows %d open files.", possible, soft)
    return possible
